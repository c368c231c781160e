// A database of a test's own on a shared server: made empty, dropped with everything that hangs on it, and its leaks (sessions of ours,
// slots, prepared transactions) reported as errors.
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { sharedServer } from './broker.js';
import { eventually } from './eventually.js';
import type { Version } from './version.js';

export interface DatabaseOptions {
  /** Default: TIDEMARK_TEST_PG_VERSION, else 18; or that of TIDEMARK_TEST_DATABASE_URL's server. */
  readonly version?: Version;
  /** PostgreSQL's name of an encoding. Default UTF8. */
  readonly encoding?: string;
  /** A database to copy; nobody may be connected to it. Encoding and locale are then its own. */
  readonly template?: string;
}

/** Rows as pg gives them; name their shape where the compiler should know. */
export type Row = pg.QueryResultRow;

export interface TestDatabase extends AsyncDisposable {
  /** Superuser's URL. */
  readonly url: string;
  readonly name: string;
  /** One statement, in a session of its own. Extended protocol where there are values. */
  query<R extends Row = Row>(sql: string, values?: readonly unknown[]): Promise<R[]>;
  /** Many statements by the simple protocol, in a session of its own; without BEGIN they are one transaction. */
  run(script: string): Promise<void>;
  /** A session to keep; `await using`. */
  connect(): Promise<TestClient>;
  /** Drops the database, if it is still there, under whatever sessions it has.
   *  @throws Error after the drop, naming each session of tidemark's, each slot and prepared transaction that was left on it */
  drop(): Promise<void>;
}

/** pg's client that ends with its scope. */
export type TestClient = pg.Client & AsyncDisposable;

const applicationName = 'test driver';

/** Opens a session; application_name does not begin with "tidemark", so it never counts as a leak of ours. */
export async function connect(url: string): Promise<TestClient> {
  const client = new pg.Client({ connectionString: url, application_name: applicationName, connectionTimeoutMillis: 30_000 });
  client.on('error', () => undefined); // a server that is killed under an idle session; the next query tells
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

/** Makes a database of its own for a test: empty, UTF8, locale C.
 *  @throws Error where no server is to be had */
export async function createDatabase(options: DatabaseOptions = {}): Promise<TestDatabase> {
  const { encoding = 'UTF8', template } = options;
  const server = (await sharedServer(options.version)).url;
  const name = `test_${process.pid}_${randomBytes(6).toString('hex')}`;
  const how = template
    ? `TEMPLATE ${pg.escapeIdentifier(template)}`
    : `TEMPLATE template0 ENCODING ${pg.escapeLiteral(encoding)} LC_COLLATE 'C' LC_CTYPE 'C'`;
  await querying(server, (client) => client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)} ${how}`));
  return openDatabase(server, name);
}

/** The same handle for a database that something else made (a restore with --create, say), so that it is dropped and checked, too. */
export function openDatabase(server: string, name: string): TestDatabase {
  const url = databaseUrl(server, name);
  const drop = (): Promise<void> => dropDatabase(server, name);
  return {
    url,
    name,
    query: <R extends Row>(sql: string, values?: readonly unknown[]) =>
      querying(url, async (client) => (await client.query<R>(sql, values && [...values])).rows),
    run: async (script) => {
      await querying(url, (client) => client.query(script));
    },
    connect: () => connect(url),
    drop,
    [Symbol.asyncDispose]: drop,
  };
}

/** The URL of another database on the same server. */
export function databaseUrl(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${encodeURIComponent(name)}`;
  return url.href;
}

async function querying<T>(url: string, work: (client: TestClient) => Promise<T>): Promise<T> {
  await using client = await connect(url);
  return await work(client);
}

async function dropDatabase(server: string, name: string): Promise<void> {
  await using client = await connect(server);
  const leaks = await findLeaks(client, name);
  for (const leak of leaks) await leak.remove?.();
  await client.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`);
  if (leaks.length > 0) throw new Error(`drop database ${name}: left on it were ${leaks.map(({ what }) => what).join('; ')}`);
}

interface Leak {
  readonly what: string;
  /** Where DROP DATABASE ... WITH (FORCE) would refuse. */
  readonly remove?: () => Promise<unknown>;
}

async function findLeaks(client: TestClient, name: string): Promise<Leak[]> {
  const sessions = async (): Promise<Leak[]> => {
    const { rows } = await client.query<{ what: string }>(
      `SELECT format('session %s of %s, %s: %s', pid, application_name, state, left(query, 100)) AS what
         FROM pg_stat_activity WHERE datname = $1 AND application_name LIKE 'tidemark%'`,
      [name],
    );
    return rows;
  };
  // A backend goes a moment after its client.
  const none = eventually('no session of tidemark is left', async () => (await sessions()).length === 0, { withinMs: 5000 });
  const left = await none.then(() => [], sessions);
  const slots = await client.query<{ slot_name: string; active_pid: number | null }>(
    'SELECT slot_name, active_pid FROM pg_replication_slots WHERE database = $1',
    [name],
  );
  return [
    ...left,
    ...slots.rows.map(({ slot_name, active_pid }) => ({
      what: `replication slot ${slot_name}`,
      remove: async () => {
        if (active_pid !== null) await client.query('SELECT pg_terminate_backend($1, 5000)', [active_pid]);
        await client.query('SELECT pg_drop_replication_slot($1)', [slot_name]);
      },
    })),
  ];
}
