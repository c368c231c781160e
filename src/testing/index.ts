// tidemark/testing: databases for tests, restored from a snapshot, and small snapshots to restore them from. Databases are made on a server that
// the caller has, or that is started for the tests, and taken away again.
import { connectionOf, type Database } from '../app/connection.js';
import { restoreSnapshot } from '../app/restore/restore-snapshot.js';
import { dropDatabase, makeDatabase, notForScratch } from '../app/scratch-database.js';
import { type OptionNames, refuseUnknownOptions } from '../model/option-names.js';

export type { ClonedDatabase, Prepare, Reached, SnapshotDatabase } from '../app/clones/snapshot-database.js';
export { type DiffOptions, diffSnapshots, type SnapshotDiff, type TableDiff } from '../app/diff/diff-snapshots.js';
export { captureFixture, type FixtureResult } from '../app/fixture/capture-fixture.js';
export type { FixtureOptions } from '../app/fixture/options.js';
export type { FixtureTable } from '../app/fixture/tables-of.js';
export { startTestServer, type TestServer, type TestServerKind, type TestServerOptions } from './server.js';
export { type SnapshotDatabaseOptions, snapshotDatabase } from './snapshot-database.js';

export interface TemporaryDatabase extends AsyncDisposable {
  /** Connection settings of the restored database, as pg takes them. */
  readonly connection: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly database: string;
    readonly password?: string;
  };
  /** Drops the database, ending sessions on it. */
  drop(): Promise<void>;
}

export interface TemporaryDatabaseOptions {
  /** Path or URL of the snapshot. */
  readonly file: string;
  /** A database of the server, by a role that may create databases. Default as everywhere: DATABASE_URL, PG*. */
  readonly server?: Database;
  /** Connections of the restore at most. */
  readonly jobs?: number;
}

const optionNames: OptionNames<TemporaryDatabaseOptions> = { file: true, server: true, jobs: true };

/** Restores a snapshot into a new database with a name of its own.
 *  @throws TidemarkError those of restoreSnapshot; nothing is left then
 *  @example await using db = await temporaryDatabase({ file: 'fixtures/app.tar.zst', server: process.env.TEST_URL }) */
export async function temporaryDatabase(options: TemporaryDatabaseOptions): Promise<TemporaryDatabase> {
  refuseUnknownOptions(options, optionNames, 'make a temporary database');
  const { file, server, jobs } = options;
  const connection = await makeDatabase(connectionOf(server));
  const drop = (): Promise<void> => dropDatabase(connectionOf(server), connection.database);
  try {
    await restoreSnapshot({ file, database: connection, ...notForScratch, ...(jobs === undefined ? {} : { jobs }) });
  } catch (error) {
    await drop();
    throw error;
  }
  return { connection, drop, [Symbol.asyncDispose]: drop };
}
