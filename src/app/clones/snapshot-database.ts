// The use case "databases for tests": a snapshot is restored once for a server, and then every test gets a copy of it, in the time that
// copying its files takes.
import { openArchive } from '../../archive/reader.js';
import type { EventListener } from '../../model/events.js';
import type { OptionNames } from '../../model/option-names.js';
import { type ConnectionSettings, withDatabase } from '../../pg/settings.js';
import type { StoreOptions } from '../archive/open-bytes.js';
import { connectionOf, type Database } from '../connection.js';
import { restoreSnapshot } from '../restore/restore-snapshot.js';
import { notForScratch } from '../scratch-database.js';
import { openSealed, type TrustOptions, trustOf, trustOptionNames } from '../seal/open-sealed.js';
import { createClone, dropClone, resetClone } from './clone.js';
import { connectionUrl } from './connection-url.js';
import { templateName } from './names.js';
import { Run } from './run.js';
import { dropUnusedTemplates, ensureTemplate } from './template.js';

/** How to reach a database: as pg's Client and Pool take it, and as a URL. */
export interface Reached {
  readonly url: string;
  readonly connection: ConnectionSettings;
}

/** Something to be done to the restored database, once: migrations that the snapshot does not have yet, say. */
export interface Prepare {
  /** Stands for what `run` does: with another key the snapshot is restored and prepared anew. */
  readonly key: string;
  run(database: Reached): Promise<void>;
}

export interface SnapshotDatabaseOptions extends TrustOptions {
  /** Path or URL of the snapshot. */
  readonly from: string;
  /** Any database of the server; its role may create databases. Default as everywhere: DATABASE_URL, PG*. */
  readonly server?: Database;
  /** For a URL: credentials and the like. */
  readonly store?: StoreOptions;
  readonly prepare?: Prepare;
  /** Connections of the restore at most. */
  readonly jobs?: number;
  /** Progress of the restore. */
  readonly onEvent?: EventListener;
}

export const snapshotDatabaseOptionNames: OptionNames<SnapshotDatabaseOptions> = {
  from: true,
  server: true,
  store: true,
  prepare: true,
  jobs: true,
  onEvent: true,
  ...trustOptionNames,
};

/** A database of one's own, with what the snapshot has. */
export interface ClonedDatabase extends Reached, AsyncDisposable {
  readonly name: string;
  /** Makes it as it was at the beginning, in the time that a clone takes. Whatever is still
   *  connected to it is cut off: close pools before. */
  reset(): Promise<void>;
  /** Drops it. Whatever is still connected to it is cut off: close pools before. */
  drop(): Promise<void>;
}

/** A snapshot that databases can be cloned from. */
export interface SnapshotDatabase extends AsyncDisposable {
  /** A database with a name of its own. One that is not dropped is dropped by `close()`; one of a process that was killed, by the next
   *  process that asks for any snapshot on this server.
   *  @throws TidemarkError as the server refuses: PERMISSION_DENIED, SERVER_ERROR, CONNECTION_LOST */
  clone(): Promise<ClonedDatabase>;
  /** Drops the clones that are left. The restored snapshot stays for those who come later; a week after nobody has asked for it any more,
   *  it is dropped as well. */
  close(): Promise<void>;
}

/** Restores a snapshot once for a server, as a template database named by the checksum of the snapshot, and clones it. Processes that
 *  ask for the same at the same time wait for the one that restores it.
 *  @throws TidemarkError those of restoreSnapshot, and what `prepare` throws; nothing is left then
 *  @example
 *  const snapshot = await snapshotDatabase({ from: 'fixtures/app.tar.zst', server: process.env.TEST_DATABASE_URL });
 *  await using db = await snapshot.clone(); */
export async function snapshotDatabase({ server: asked, ...options }: SnapshotDatabaseOptions): Promise<SnapshotDatabase> {
  const server = connectionOf(asked);
  const template = templateName(await checksumOf(options), options.prepare);
  const run = await Run.begin(server);
  try {
    const fill = (database: ConnectionSettings): Promise<void> => restoreAndPrepare(database, { server: asked, ...options });
    await run.work(async (session) => {
      await ensureTemplate(session, { name: template, server, fill });
      await dropUnusedTemplates(session);
    });
    return new Clones(run, template, (name) => reached(withDatabase(server, name), asked));
  } catch (error) {
    await run[Symbol.asyncDispose]();
    throw error;
  }
}

function reached(connection: ConnectionSettings, given: Database): Reached {
  return { url: connectionUrl(connection, given), connection };
}

/** The end of an archive says what its bytes are: that is enough to know whether it has been restored already. */
async function checksumOf({ from, store, ...trust }: SnapshotDatabaseOptions): Promise<string> {
  const opened = await openSealed(from, { ...trustOf(trust), ...(store && { store }) });
  await using reader = await openArchive(opened.bytes, opened);
  return reader.tail.checksum.sha256;
}

/** Into a database beside it, which gets the name when it is whole. */
async function restoreAndPrepare(
  database: ConnectionSettings,
  { from, server, store, prepare, jobs, onEvent, ...trust }: SnapshotDatabaseOptions,
): Promise<void> {
  await restoreSnapshot({
    file: from,
    database,
    swap: true,
    force: true,
    ...notForScratch,
    ...trustOf(trust),
    ...(store && { store }),
    ...(jobs !== undefined && { jobs }),
    ...(onEvent && { onEvent }),
  });
  await prepare?.run(reached(database, server));
}

class Clones implements SnapshotDatabase {
  readonly #run: Run;
  readonly #template: string;
  readonly #reach: (name: string) => Reached;
  readonly #names = new Set<string>();

  constructor(run: Run, template: string, reach: (name: string) => Reached) {
    this.#run = run;
    this.#template = template;
    this.#reach = reach;
  }

  async clone(): Promise<ClonedDatabase> {
    const name = this.#run.nextName();
    this.#names.add(name);
    await this.#run.work((session) => createClone(session, name, this.#template));
    const drop = (): Promise<void> => this.#drop(name);
    const reset = (): Promise<void> => this.#run.work((session) => resetClone(session, name, this.#template));
    return { name, ...this.#reach(name), reset, drop, [Symbol.asyncDispose]: drop };
  }

  async #drop(name: string): Promise<void> {
    await this.#run.work((session) => dropClone(session, name));
    this.#names.delete(name);
  }

  async close(): Promise<void> {
    try {
      for (const name of this.#names) await this.#drop(name);
    } finally {
      await this.#run[Symbol.asyncDispose]();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
