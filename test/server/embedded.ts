// Starts PostgreSQL servers from the binaries that npm brought: a new cluster (or one that the caller lays down) and its settings. Where
// and as whom it runs is places.ts's to say; the processes themselves belong to watchdog.mjs.
import { createServer } from 'node:net';
import { join } from 'node:path';
import { findBinaries } from './binaries.js';
import { type Account, type Guarded, startGuarded } from './guard.js';
import { serverAccount, serversParent } from './places.js';
import { defaultVersion, type Version } from './version.js';

export interface ServerOptions {
  readonly version?: Version;
  /** Settings of postgresql.conf, by name; they win over ours. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Where the server's folder is made, open to its account; in memory where there is room, unless given. */
  readonly parent?: string;
}

/** A running server that belongs to whoever started it. */
export interface TestServer extends Guarded {
  readonly version: Version;
  /** Superuser's URL, to the database `postgres`. */
  readonly url: string;
}

/** Durability is off, as these clusters live as long as a test run. */
const baseSettings: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  max_connections: '200',
  max_locks_per_transaction: '256',
  shared_buffers: '128MB',
  wal_level: 'replica',
  max_wal_senders: '10',
  // Segments are then files of the cluster and go with it: those of `posix` outlive a server that was killed, and need room in /dev/shm.
  dynamic_shared_memory_type: 'mmap',
  lc_messages: 'C', // readiness is read from the log
  log_timezone: 'UTC',
  timezone: 'UTC',
};

/** Starts a server of one's own with a new cluster: encoding UTF8, locale C, superuser `postgres` without a password.
 *  @throws Error with the server's last words where it does not come up */
export async function startEmbedded(options: ServerOptions = {}): Promise<TestServer> {
  return startCluster(options);
}

/** Like startEmbedded, on a cluster that `fill` writes into the folder `data`, for the account to own.
 *  @throws Error likewise, and what `fill` throws */
export async function startCluster(
  { version = defaultVersion(), settings = {}, parent: wanted }: ServerOptions,
  fill?: (data: string, account: Account | undefined) => Promise<void>,
): Promise<TestServer> {
  const account = await serverAccount();
  const { initdb, postgres } = await findBinaries(version, { foreign: account !== undefined });
  const parent = wanted ?? (await serversParent(account));
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const prepare = async (directory: string) => {
      const data = join(directory, 'data');
      const all = {
        ...baseSettings,
        unix_socket_directories: directory,
        ...settings,
        port: String(port),
      };
      const server = { file: postgres, args: ['-D', data, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])] };
      if (fill === undefined) {
        return [{ file: initdb, args: ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'] }, server];
      }
      await fill(data, account);
      return [server];
    };
    try {
      const guarded = await startGuarded({ parent, account, prepare });
      return { ...guarded, version, url: `postgres://postgres@127.0.0.1:${port}/postgres` };
    } catch (error) {
      // Between finding a free port and the server's bind somebody else may take it.
      const portTaken = error instanceof Error && error.message.includes('could not bind');
      if (!portTaken || attempt === 5) throw error;
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('find a free port: the socket has no address');
  return address.port;
}
