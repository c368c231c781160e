// The use case "restore drill": proves that a snapshot can be restored by restoring it, into a scratch database that is compared with the
// archive and dropped. What was found is recorded beside the snapshot.
import { openArchive } from '../../archive/reader.js';
import type { Catalog } from '../../model/catalog.js';
import { TidemarkError } from '../../model/errors.js';
import type { EventListener } from '../../model/events.js';
import { type OptionNames, refuseUnknownOptions } from '../../model/option-names.js';
import type { DrillRecord, StoredSnapshot } from '../../model/stored-snapshot.js';
import { quoteIdentifier } from '../../pg/quote.js';
import { selectContents } from '../../selection/contents.js';
import { abortReason } from '../abort.js';
import type { OpenedArchive } from '../archive/open-bytes.js';
import { settleContents } from '../common-options.js';
import { connectionOf, type Database } from '../connection.js';
import { Repository, type RepositoryOptions, repositoryOptionNames } from '../repository/repository.js';
import { isDamage } from '../restore/damage.js';
import { restoreSnapshot } from '../restore/restore-snapshot.js';
import { notForScratch } from '../scratch-database.js';
import { type OpenedSealed, openSealed, type TrustOptions } from '../seal/open-sealed.js';
import { verifySealed } from '../seal/verify-sealed.js';
import { type Compared, compareRestored } from './compare.js';
import { makeDrillDatabase } from './database.js';

export interface DrillOptions extends RepositoryOptions {
  /** A database of the server to restore on, by a role that may create databases; default as everywhere: DATABASE_URL, PG*. */
  readonly server?: Database;
  /** Which snapshot, as `listSnapshots` gives it. Default: the newest good one. */
  readonly id?: string;
  readonly jobs?: number;
  readonly onEvent?: EventListener;
  readonly signal?: AbortSignal;
}

const optionNames: OptionNames<DrillOptions> = {
  server: true,
  id: true,
  jobs: true,
  onEvent: true,
  signal: true,
  ...repositoryOptionNames,
};

/** What is recorded, and more of it. */
export interface DrillResult extends DrillRecord {
  readonly snapshot: StoredSnapshot;
  /** Tables whose rows were counted. */
  readonly tables: number;
  /** False where definitions were not compared: the server is of another major version than the source, or it did not come so far. */
  readonly definitions: boolean;
  /** Why it failed. */
  readonly error?: TidemarkError;
}

/** Verifies a snapshot, restores it into a new database of its own, counts every table's rows there, compares the definitions with those of the archive,
 *  and drops the database, whatever happens. A snapshot that is found damaged counts no more; a failure that is the server's is only
 *  recorded. Rows of foreign tables stay in the archive: they would go to other servers.
 *  @returns also where the drill failed: `ok` says so, `error` why
 *  @throws TidemarkError SNAPSHOT_MISSING, USAGE, ABORTED (nothing is recorded then), FILE_ERROR */
export async function drillSnapshot(options: DrillOptions): Promise<DrillResult> {
  refuseUnknownOptions(options, optionNames, 'drill');
  const { server, id, jobs, onEvent, signal, ...store } = options;
  await using repository = new Repository(store);
  const snapshot = id === undefined ? await repository.newestGood() : await repository.find(id);
  if (snapshot === undefined) {
    throw new TidemarkError('SNAPSHOT_MISSING', `drill: there is no good snapshot in ${repository.location}`, {
      hint: `tidemark list shows those whose names begin with ${repository.layout.start}, and why they do not count`,
    });
  }
  const started = performance.now();
  const emit: EventListener = onEvent ?? (() => undefined);
  const tried = await attempt({
    open: () => repository.open(snapshot),
    trust: repository.trust,
    id: snapshot.id,
    server,
    jobs,
    emit,
    signal: signal ?? new AbortController().signal,
  });
  const aborted = abortReason(signal);
  if (aborted !== undefined) throw aborted;
  const { compared, error } = tried;
  if (error?.code === 'USAGE' || error?.code === 'KEY_INVALID') throw error;
  const record: DrillRecord = {
    at: new Date(),
    durationMs: performance.now() - started,
    ok: error === undefined,
    ...(compared === undefined ? {} : { rows: compared.rows }),
    ...(error === undefined ? {} : { problem: error.message }),
  };
  await repository.recordDrill(snapshot, record);
  if (isDamage(error)) await repository.doubt(snapshot);
  const { tables = 0, definitions = false } = compared ?? {};
  return { ...record, snapshot: { ...snapshot, drill: record }, tables, definitions, ...(error === undefined ? {} : { error }) };
}

interface Attempt {
  readonly open: () => Promise<OpenedArchive>;
  readonly trust: TrustOptions;
  readonly id: string;
  readonly server: Database;
  readonly jobs: number | undefined;
  readonly emit: EventListener;
  readonly signal: AbortSignal;
}

interface Tried {
  readonly compared?: Compared;
  readonly error?: TidemarkError;
}

async function attempt(options: Attempt): Promise<Tried> {
  try {
    const compared = await restoreAndCompare(options);
    const { differences } = compared;
    if (differences.length === 0) return { compared };
    const some = differences.slice(0, 5).join('; ');
    const more = differences.length > 5 ? `; ${differences.length - 5} more` : '';
    const error = new TidemarkError('RESTORE_FAILED', `drill snapshot ${options.id}: it is not what came back: ${some}${more}`, {
      hint: 'look at the notices of a restore by hand; this is either a defect of tidemark, or the server changes what is put into it',
      details: { differences },
    });
    return { compared, error };
  } catch (error) {
    if (!(error instanceof TidemarkError)) throw error;
    return { error };
  }
}

async function restoreAndCompare({ open, trust, server, jobs, emit, signal }: Attempt): Promise<Compared> {
  // A restore does not read what is for people only, and damage there is damage, too.
  const { manifest } = await verifySealed(await openSealed(await open(), { ...trust, onEvent: emit }), { onEvent: emit, signal });
  const whole = await readCatalog(await openSealed(await open(), trust));
  const foreign = whole.tables.filter(({ object }) => whole.objects[object]?.kind === 'foreign table');
  const contents = {
    ...notForScratch,
    excludeTableData: foreign.map(({ schema, name }) => `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`),
  };
  const settled = settleContents(contents, { attempt: 'drill', inDatabase: {} });
  const { catalog } = selectContents(whole, settled);
  const database = await makeDrillDatabase({ server: connectionOf(server), locale: manifest.source, emit, signal });
  try {
    const { connection } = database;
    const file = await open();
    await restoreSnapshot({
      file,
      ...trust,
      database: connection,
      ...contents,
      onEvent: emit,
      signal,
      ...(jobs === undefined ? {} : { jobs }),
    });
    emit({ type: 'phase', phase: 'compare' });
    return await compareRestored({ connection, manifest, catalog, omissions: settled.omissions ?? new Set(), signal });
  } finally {
    await database.drop();
  }
}

async function readCatalog(opened: OpenedSealed): Promise<Catalog> {
  await using archive = await openArchive(opened.bytes, opened);
  return await archive.readCatalog();
}
