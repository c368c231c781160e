// The database that is read: made from a data set on an embedded server, or given by URL and then only read. With it what the contenders
// need beside it: a folder for their outputs, the server's process, the size of the rows.
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connect, databaseUrl, startServer, type TestClient } from '../test/server/index.js';
import { archiveOf, type Contender, type Place, tidemarkCli, tidemarkSnapshot } from './contenders.js';
import { measure } from './measure.js';
import { readStat, titleOf } from './process-tree.js';

/** Files in data/, which say what is in them. */
export const dataSets = [
  'indexer',
  'numeric',
  'documents',
  'small-tables',
  'many-objects',
  'giant',
  'bytea',
  'ledger',
  'readings',
  'medium-tables',
  'partitions',
  'sales',
] as const;
export type DataSet = (typeof dataSets)[number];

export interface Source extends AsyncDisposable {
  readonly place: Place;
  /** URL with its password, if it has one. */
  readonly url: string;
  /** Of the server, as it says it. */
  readonly server: string;
  /** The server's first process, where it runs on this machine. */
  readonly postmaster: number | undefined;
  /** Bytes of all rows as COPY text. */
  readonly rawBytes: number;
}

/** @param folder where the server lies; in memory where there is room, unless given */
export async function makeSource(data: DataSet, scale: number, folder?: string): Promise<Source> {
  console.error(`making ${data} at scale ${scale} ...`);
  const server = await startServer({
    settings: { max_wal_size: '8GB', shared_buffers: '1GB' },
    ...(folder === undefined ? {} : { parent: folder }),
  });
  try {
    await using admin = await connect(server.url);
    await admin.query('CREATE DATABASE bench');
    const url = databaseUrl(server.url, 'bench');
    await using database = await connect(url);
    const sql = await readFile(new URL(`data/${data}.sql`, import.meta.url), 'utf8');
    await database.query(sql.replaceAll(':scale', String(scale)));
    // Whoever reads rows first would else write down in each page that they are visible to all.
    await database.query('VACUUM (FREEZE, ANALYZE)');
    await database.query('CHECKPOINT');
    const source = await openSource(url);
    const dispose = async (): Promise<void> => {
      await source[Symbol.asyncDispose]();
      await server.stop();
    };
    return { ...source, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** A database that is there. Nothing is written to it. */
export async function openSource(url: string): Promise<Source> {
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-bench-'));
  const dispose = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    await using client = await connect(url);
    const { rows: tables } = await client.query<Table>(tablesQuery);
    const { rows: versions } = await client.query<{ version: string }>("SELECT split_part(version(), ' on ', 1) AS version");
    const place: Place = {
      ...withoutPassword(url),
      directory,
      copyScripts: (jobs) => writeCopyScripts(join(directory, `copy-${jobs}`), tables, jobs),
    };
    const rawBytes = await weigh(place);
    return {
      place,
      url,
      server: versions[0]?.version ?? '',
      postmaster: await findPostmaster(client),
      rawBytes,
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** The URL for arguments, which others see, and the variables that go with it. */
export function withoutPassword(given: string): Pick<Place, 'url' | 'env'> {
  const url = new URL(given);
  const password = decodeURIComponent(url.password);
  url.password = '';
  return { url: url.href, env: password === '' ? {} : { PGPASSWORD: password } };
}

interface Table {
  readonly name: string;
  readonly bytes: string;
}

const tablesQuery = `
  SELECT format('%I.%I', nspname, relname) AS name, pg_table_size(c.oid) AS bytes
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
   WHERE relkind = 'r' AND relpersistence <> 't' AND nspname <> 'information_schema' AND nspname !~ '^pg_'
   ORDER BY 2 DESC, 1`;

/** Each table goes to the job that has the least to do so far. */
function writeCopyScripts(folder: string, tables: readonly Table[], jobs: number): string {
  const shares = Array.from({ length: jobs }, () => ({ bytes: 0, sql: '' }));
  for (const { name, bytes } of tables) {
    const least = shares.reduce((one, other) => (other.bytes < one.bytes ? other : one));
    least.bytes += Number(bytes);
    least.sql += `COPY ${name} TO STDOUT;\n`;
  }
  mkdirSync(folder, { recursive: true });
  for (const [index, { sql }] of shares.entries()) if (sql !== '') writeFileSync(join(folder, `${index}.sql`), sql);
  return folder;
}

/** Reads all rows once, so that the first contender finds as much in memory as the last. */
async function weigh(place: Place): Promise<number> {
  const warmUp = tidemarkSnapshot({ ...place, directory: join(place.directory, 'warm-up') }, { jobs: 2, level: 1 }, 'text');
  mkdirSync(warmUp.output ?? '', { recursive: true });
  await measure(warmUp.command);
  const bytes = await rawBytesOf(warmUp);
  await rm(warmUp.output ?? '', { recursive: true });
  return bytes;
}

/** Bytes of rows in the archive of a `tidemarkSnapshot` that has run. */
export async function rawBytesOf(snapshot: Contender): Promise<number> {
  const args = [tidemarkCli, 'show', '--json', archiveOf(snapshot)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 1 << 30 });
  return Number((JSON.parse(stdout) as { manifest: { totals: { rawBytes: string } } }).manifest.totals.rawBytes);
}

/** The parent of our backend, if the process of that number on this machine is our backend: its title has our database and port.
 *  https://www.postgresql.org/docs/current/monitoring-ps.html */
async function findPostmaster(client: TestClient): Promise<number | undefined> {
  const { rows } = await client.query<{ pid: number; port: number | null }>('SELECT pg_backend_pid() AS pid, inet_client_port() AS port');
  const { pid = 0, port = null } = rows[0] ?? {};
  const title = titleOf(pid);
  const ours = title.startsWith('postgres:') && title.includes(port === null || port < 0 ? '[local]' : `(${port})`);
  if (!ours) console.error("the server's processor time is not measured: it does not run on this machine, or says nothing in its title");
  return ours ? readStat(pid)?.parent : undefined;
}
