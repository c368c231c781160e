// Starts PostgreSQL servers from the binaries that npm brought: where their data lies, as whom they run, their settings. The processes
// themselves belong to watchdog.mjs, which stops them even when this process is killed.
import { spawn } from 'node:child_process';
import { chmod, chown, mkdtemp, readFile, rm, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { findBinaries } from './binaries.js';
import { defaultVersion, type Version } from './version.js';

export interface ServerOptions {
  readonly version?: Version;
  /** Settings of postgresql.conf, by name; they win over ours. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A running server that belongs to whoever started it. */
export interface TestServer extends AsyncDisposable {
  readonly version: Version;
  /** Superuser's URL, to the database `postgres`. */
  readonly url: string;
  /** Of the postmaster. */
  readonly pid: number;
  /** Holds `data` (the cluster), `log`, and the server's Unix socket. Removed with the server. */
  readonly directory: string;
  /** Resolves when the postmaster has ended, for whatever reason. */
  readonly ended: Promise<void>;
  /** Fast shutdown, and the folder removed. Calling it again, or after kill(), is fine. */
  stop(): Promise<void>;
  /** SIGKILL to the postmaster, as a crash; resolves when it is gone. The folder stays until stop(). */
  kill(): Promise<void>;
}

interface Account {
  readonly uid: number;
  readonly gid: number;
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
  lc_messages: 'C', // "ready to accept connections" is read from the log
  log_timezone: 'UTC',
  timezone: 'UTC',
};

const roomWanted = 1024 ** 3;

/** Starts a server of one's own, with a new cluster: encoding UTF8, locale C, superuser `postgres` without a password.
 *  @throws Error with the server's last words where it does not come up */
export async function startEmbedded(options: ServerOptions = {}): Promise<TestServer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(options);
    } catch (error) {
      // Between finding a free port and the server's bind somebody else may take it.
      const portTaken = error instanceof Error && error.message.includes('could not bind');
      if (!portTaken || attempt === 5) throw error;
    }
  }
}

async function startOnce({ version = defaultVersion(), settings = {} }: ServerOptions): Promise<TestServer> {
  const account = await serverAccount();
  const { initdb, postgres } = await findBinaries(version, { foreign: account !== undefined });
  const { directory, inSharedMemory } = await makeDirectory(account);
  const data = join(directory, 'data');
  const port = await freePort();
  const all: Record<string, string> = {
    ...baseSettings,
    unix_socket_directories: directory,
    // A small /dev/shm (64 MB in a container) is too little for parallel queries.
    ...(inSharedMemory ? {} : { dynamic_shared_memory_type: 'mmap' }),
    ...settings,
    port: String(port),
  };
  const commands = [
    { file: initdb, args: ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'] },
    { file: postgres, args: ['-D', data, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])] },
  ];
  const guarded = await guard({ directory, commands, account });
  return { version, url: `postgres://postgres@127.0.0.1:${port}/postgres`, directory, ...guarded };
}

interface GuardEvent {
  readonly event: 'ready' | 'exit' | 'gone';
  readonly pid?: number;
  readonly lastWords?: string;
}

interface Guarded extends AsyncDisposable {
  readonly pid: number;
  readonly ended: Promise<void>;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

/** Lets a watchdog run the commands, the last of which is the server, and resolves when that is ready. */
async function guard(job: {
  directory: string;
  commands: readonly { file: string; args: readonly string[] }[];
  account: Account | undefined;
}): Promise<Guarded> {
  const env = { PATH: process.env.PATH ?? '', LC_ALL: 'C', TZ: 'UTC' };
  const message = JSON.stringify({ directory: job.directory, commands: job.commands, ...job.account, env });
  const watchdog = spawn(process.execPath, [fileURLToPath(new URL('watchdog.mjs', import.meta.url)), message], {
    detached: true, // Ctrl-C goes to the whole process group; the watchdog must get through that
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { PATH: env.PATH },
  });
  const { stdin, stdout } = watchdog;
  stdin.on('error', () => undefined); // the watchdog has gone already
  const ended = deferred<void>();
  const gone = deferred<void>();
  const ready = deferred<number>();
  watchdog.on('error', ready.reject);
  watchdog.on('close', () => {
    ready.reject(new Error(`start PostgreSQL in ${job.directory}: the watchdog ended`));
    ended.resolve();
    gone.resolve();
  });
  createInterface({ input: stdout }).on('line', (line) => {
    const told = JSON.parse(line) as GuardEvent;
    if (told.event === 'ready' && told.pid !== undefined) ready.resolve(told.pid);
    if (told.event === 'exit') {
      ready.reject(new Error(`start PostgreSQL in ${job.directory}: it ended. Its last words:\n${told.lastWords}`));
      ended.resolve();
    }
  });
  const stop = async (): Promise<void> => {
    if (!stdin.destroyed) stdin.write('stop\n');
    await gone.promise;
  };
  try {
    const pid = await ready.promise;
    // From here on the server must not keep a program alive that has nothing else to do.
    watchdog.unref();
    for (const pipe of [stdin, stdout]) (pipe as unknown as { unref(): void }).unref();
    const kill = async (): Promise<void> => {
      stdin.write('kill\n');
      await ended.promise;
    };
    return { pid, ended: ended.promise, stop, kill, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

// Promise.withResolvers is not in Node 20.
function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: Error) => void } {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  promise.catch(() => undefined); // it may be rejected after everybody has lost interest
  return { promise, resolve, reject };
}

/** PostgreSQL refuses to run as root: then it is the account `nobody`. */
async function serverAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const [, , uid, gid] =
    accounts
      .split('\n')
      .find((line) => line.startsWith('nobody:'))
      ?.split(':') ?? [];
  return { uid: Number(uid ?? 65534), gid: Number(gid ?? 65534) };
}

async function makeDirectory(account: Account | undefined): Promise<{ directory: string; inSharedMemory: boolean }> {
  const inSharedMemory = await hasRoom('/dev/shm');
  const directory = await mkdtemp(join(inSharedMemory ? '/dev/shm' : tmpdir(), 'tidemark-pg-'));
  try {
    await chmod(directory, 0o700);
    if (account) await chown(directory, account.uid, account.gid);
    return { directory, inSharedMemory };
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

async function hasRoom(path: string): Promise<boolean> {
  const found = await statfs(path).catch(() => undefined);
  return found !== undefined && found.bavail * found.bsize > roomWanted;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('find a free port: the socket has no address');
  return address.port;
}
