// A database of a test's own: made empty, dropped with everything that hangs on it, and what tidemark left on it reported as an error.
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { runPrefix, sharedServer } from './broker.js';
import { asFiles, type SharedServer } from './choose.js';
import { connect, databaseUrl, type TestClient, withSession } from './connect.js';
import { leaksOfDatabase, patienceMs } from './leaks.js';
import type { Version } from './version.js';

export interface DatabaseOptions {
  /** Default: TIDEMARK_TEST_PG_VERSION, else 18; or that of TIDEMARK_TEST_DATABASE_URL's server. */
  readonly version?: Version;
  /** PostgreSQL's name of an encoding. Default UTF8. */
  readonly encoding?: string;
  /** A database to copy; nobody may be connected to it. Encoding and locale are then its own. */
  readonly template?: string;
  /** Superuser's URL of a server to make it on (one of `startServer`, say) instead of a shared one. */
  readonly server?: string;
}

export interface DropOptions {
  /** How long tidemark's sessions are given to end. */
  readonly withinMs?: number;
}

export interface TestDatabase extends AsyncDisposable {
  /** Superuser's URL. */
  readonly url: string;
  readonly name: string;
  /** One statement in a session of its own, so that the database can be renamed or copied in between. Extended protocol where there are
   *  values. Gives the rows as pg does: name their shape where the compiler should know. */
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Many statements by the simple protocol in a session of its own; they are one transaction unless they say BEGIN and COMMIT. */
  run(script: string): Promise<void>;
  /** A session to keep. */
  connect(): Promise<TestClient>;
  /** Drops the database, if it is still there, under whatever sessions it has, after waiting for those of tidemark's (10 s by default).
   *  @throws Error after the drop, naming each session of tidemark's and each replication slot that was left on it */
  drop(options?: DropOptions): Promise<void>;
}

/** Makes a database for a test: empty, UTF8, locale C.
 *  @throws Error where no server is to be had */
export async function createDatabase(options: DatabaseOptions = {}): Promise<TestDatabase> {
  const shared = options.server === undefined ? await sharedServer(options.version) : undefined;
  const server = options.server ?? (shared as SharedServer).url;
  const name = uniqueName();
  const how = howToMake(options, shared);
  await withSession(server, (client) => client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)} ${how}`));
  return openDatabase(server, name);
}

function howToMake({ encoding = 'UTF8', template }: DatabaseOptions, shared: SharedServer | undefined): string {
  if (template) return `TEMPLATE ${pg.escapeIdentifier(template)}`;
  if (shared?.template && encoding === 'UTF8') return `TEMPLATE ${shared.template}${asFiles(shared.version)}`;
  return `TEMPLATE template0 ENCODING ${pg.escapeLiteral(encoding)} LC_COLLATE 'C' LC_CTYPE 'C'`;
}

/** A name that nothing else of this run has, on whatever server. */
export function uniqueName(): string {
  return `${runPrefix()}${randomBytes(5).toString('hex')}`;
}

/** A handle for a database that something else makes (a restore with --create, say), so that it is dropped and checked as well. */
export function openDatabase(server: string, name: string): TestDatabase {
  const url = databaseUrl(server, name);
  const drop = (options: DropOptions = {}): Promise<void> => dropDatabase(server, name, options);
  return {
    url,
    name,
    query: async <Row extends pg.QueryResultRow>(sql: string, values?: readonly unknown[]) =>
      withSession(url, async (client) => (await client.query<Row>(sql, values && [...values])).rows),
    run: async (script) => {
      await withSession(url, (client) => client.query(script));
    },
    connect: () => connect(url),
    drop,
    [Symbol.asyncDispose]: () => drop(),
  };
}

async function dropDatabase(server: string, name: string, { withinMs = patienceMs }: DropOptions): Promise<void> {
  await using client = await connect(server);
  const leaks = await leaksOfDatabase(client, name, withinMs);
  for (const { remove } of leaks) await remove?.();
  await dropSubscriptions(client, server, name);
  await client.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`);
  if (leaks.length > 0) throw new Error(`drop database ${name}: left on it were ${leaks.map(({ what }) => what).join('; ')}`);
}

// DROP DATABASE refuses where there are subscriptions, and DROP SUBSCRIPTION wants to reach the publisher unless its slot is NONE.
async function dropSubscriptions(client: TestClient, server: string, name: string): Promise<void> {
  const { rows } = await client.query<{ subname: string }>(
    'SELECT subname FROM pg_subscription JOIN pg_database ON pg_database.oid = subdbid WHERE datname = $1',
    [name],
  );
  if (rows.length === 0) return;
  await withSession(databaseUrl(server, name), async (inside) => {
    for (const { subname } of rows) {
      const subscription = `SUBSCRIPTION ${pg.escapeIdentifier(subname)}`;
      await inside.query(`ALTER ${subscription} DISABLE`);
      await inside.query(`ALTER ${subscription} SET (slot_name = NONE)`);
      await inside.query(`DROP ${subscription}`);
    }
  });
}
