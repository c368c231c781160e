// The use case "restore a snapshot": look at archive and target, decide on a plan, carry it out. This page is the order of the phases;
// each has a file of its own in src/restore, the archive's side of it in source.ts.
import { randomBytes } from 'node:crypto';
import { untrustedJsonLimits } from '../../archive/json-bounds.js';
import type { Catalog } from '../../model/catalog.js';
import { TidemarkError } from '../../model/errors.js';
import type { LeftOut } from '../../model/manifest.js';
import { refuseUnknownOptions } from '../../model/option-names.js';
import type { Position } from '../../model/position.js';
import { toolVersion } from '../../model/tool-version.js';
import { Execution } from '../../restore/execute.js';
import type { GlobalsReport } from '../../restore/globals.js';
import { markerSchema } from '../../restore/marker.js';
import type { Plan, TableLoad } from '../../restore/plan.js';
import { Sessions } from '../../restore/sessions.js';
import type { ServerTuning } from '../../restore/tuning/server.js';
import { selectContents } from '../../selection/contents.js';
import { keepListed } from '../../selection/toc.js';
import { abortReason } from '../abort.js';
import { refuse } from '../common-options.js';
import { readText, withFilters } from '../read-filters.js';
import { type RestoreOptions, type RestoreSettings, restoreOptionNames, settleRestore } from './options.js';
import { planRestore } from './plan.js';
import type { RestorePlan } from './plan-types.js';
import { openSource, type RestoreSource } from './source.js';
import { putBackAfterFailure, putBackAfterSuccess, tellTuningLeft, tuneFor } from './tuning.js';
import { admitUntrusted, checkSame, checkUntrustedTarget, told, type UntrustedReport, verifyUntrusted } from './untrusted.js';

export type { RestoreOptions } from './options.js';

export interface RestoreResult {
  /** The database that has the contents now. */
  readonly database: string;
  readonly tables: number;
  readonly rows: bigint;
  /** Bytes of COPY data that were sent. */
  readonly rawBytes: bigint;
  readonly durationMs: number;
  /** Where the source stood when the snapshot was taken. */
  readonly position: Position;
  /** What a selection left out, and why. */
  readonly leftOut: readonly LeftOut[];
  /** With `globals`: what became of roles and tablespaces. */
  readonly globals?: GlobalsReport;
  /** With `untrusted`: what runs code, left out or allowed, with its SQL. */
  readonly untrusted?: UntrustedReport;
  /** What was done or, on a dry run, would be, in order. */
  readonly plan: Plan;
}

/** Restores an archive into a database.
 *
 *  Into an empty or new database several connections work at once, and a schema `tidemark_restoring` marks it as incomplete until all is
 *  there; a marked database is emptied and filled again by the next restore. Into one that holds something (clean, truncate, dataOnly,
 *  or a selection) it is one transaction. With `swap` the database is the old one until the new one is complete.
 *  From a file or a store each chunk's SHA-256 is checked before its rows are sent; from a pipe they are compared before the restore counts as
 *  complete. Row counts are those of the server's COPY command tags, compared with the manifest.
 *  @throws TidemarkError; its message says in which state the database is: TARGET_NOT_EMPTY, TARGET_MISMATCH, TARGET_IN_USE,
 *  RESTORE_FAILED, ROLE_UNSAFE, ARCHIVE_*, SIGNATURE_*, PATTERN_UNMATCHED, CONNECTION_*, ABORTED, USAGE */
export async function restoreSnapshot(options: RestoreOptions): Promise<RestoreResult> {
  refuseUnknownOptions(options, restoreOptionNames, 'restore');
  const filtered = await withFilters(options);
  refuse(
    'includeForeignData' in filtered,
    'restore: foreign_data in a filter file is for snapshots: an archive has such rows or has them not',
  );
  const settings = settleRestore(filtered);
  const started = performance.now();
  const stop = new AbortController();
  const signal = settings.signal ? AbortSignal.any([settings.signal, stop.signal]) : stop.signal;
  const verified = settings.untrusted === undefined ? undefined : await verifyUntrusted(settings);
  const { file, place, trust } = settings;
  const limits = verified === undefined ? {} : { limits: untrustedJsonLimits };
  await using source = await openSource(file, { ...trust, ...place, ...limits, onEvent: settings.emit, signal });
  if (verified !== undefined) checkSame(verified, source);
  const { catalog, leftOut, untrusted } = await select(source, settings);
  if (settings.contents.sections.has('data')) await source.reach(catalog.tables);
  const applicationName = `tidemark restore ${randomBytes(4).toString('hex')}`;
  const encodings = { text: catalog.textEncoding ?? 'UTF8', rows: catalog.rowEncoding ?? 'UTF8' };
  const sessions = new Sessions({
    connection: settings.connection,
    applicationName,
    encodings,
    jobs: settings.jobs,
    tune: settings.tune,
    signal,
  });
  let tuning: ServerTuning | undefined;
  let result: RestoreResult;
  let execution: Execution | undefined;
  let database = settings.connection.database;
  try {
    if (untrusted !== undefined) await checkUntrustedTarget(settings, sessions);
    const planned = await planRestore(settings, { source, catalog, sessions });
    database = planned.database;
    if (!settings.dryRun) {
      if (settings.tune) tuning = await tuneFor(planned.plan, settings);
      execution = new Execution(executeOptions(planned, { source, catalog, sessions, settings, signal }));
      await execution.run(planned.plan);
    }
    await sessions[Symbol.asyncDispose]();
    const position = (execution?.manifest ?? source.manifest)?.position;
    if (position === undefined) throw new TidemarkError('INTERNAL', 'restore: the manifest never came');
    const { rows, rawBytes } = execution?.progress ?? { rows: 0n, rawBytes: 0n };
    const tables = planned.plan.reduce((sum, action) => sum + (action.action === 'rows' ? tablesAmong(action.loads) : 0), 0);
    const { plan, globals } = planned;
    const durationMs = performance.now() - started;
    const more = { ...(globals === undefined ? {} : { globals }), ...(untrusted === undefined ? {} : { untrusted }) };
    result = { database, tables, rows, rawBytes, durationMs, position, leftOut, ...more, plan };
  } catch (error) {
    stop.abort();
    await sessions.end([...new Set(['postgres', 'template1', settings.connection.database])]);
    await putBackAfterFailure(tuning, settings.emit);
    throw withState(abortReason(settings.signal) ?? error, { execution, database, swap: settings.swap });
  }
  await putBackAfterSuccess(tuning, database);
  if (sessions.tunedServer && !settings.tune) await tellTuningLeft(settings);
  return result;
}

function tablesAmong(loads: readonly TableLoad[]): number {
  return loads.filter(({ table }) => table).length;
}

interface Selected {
  readonly catalog: Catalog;
  readonly leftOut: readonly LeftOut[];
  readonly untrusted?: UntrustedReport;
}

async function select(source: RestoreSource, settings: RestoreSettings): Promise<Selected> {
  const { contents, useList: name, untrusted: allow } = settings;
  const listed = name === undefined ? source.catalog : keepListed(source.catalog, { text: await readText('list', name), name });
  const selection = selectContents(listed, contents);
  for (const object of selection.leftOut) settings.emit({ type: 'left-out', object });
  if (allow === undefined) return selection;
  const { catalog, ...untrusted } = admitUntrusted(selection.catalog, allow, settings);
  return { catalog, leftOut: [...selection.leftOut, ...untrusted.leftOut.map(told)], untrusted };
}

interface Surroundings {
  readonly source: RestoreSource;
  readonly catalog: Catalog;
  readonly sessions: Sessions;
  readonly settings: RestoreSettings;
  readonly signal: AbortSignal;
}

function executeOptions(
  planned: RestorePlan,
  { source, catalog, sessions, settings, signal }: Surroundings,
): ConstructorParameters<typeof Execution>[0] {
  const { emit, force } = settings;
  const { contents, maintenance, locale, tablespace, names } = planned;
  return {
    catalog,
    source: source.rows,
    sessions,
    database: contents,
    ...(maintenance === undefined ? {} : { maintenance }),
    ...(locale === undefined ? {} : { locale }),
    ...(tablespace === undefined ? {} : { tablespace }),
    ...(names === undefined ? {} : { swap: { names, force } }),
    mark: { file: source.name, scope: settings.scope, startedAt: new Date(), toolVersion },
    emit,
    signal,
  };
}

interface Aftermath {
  readonly execution: Execution | undefined;
  readonly database: string;
  readonly swap: boolean;
}

/** The same error, which also says what became of the database. */
function withState(error: unknown, { execution, database, swap }: Aftermath): unknown {
  if (execution === undefined) return error;
  const failure = error instanceof TidemarkError ? error : new TidemarkError('INTERNAL', String(error), { cause: error });
  const { code, message, hint, details, cause } = failure;
  const incomplete = execution.state === 'incomplete' && !swap;
  const state = incomplete
    ? `database ${database} is marked incomplete (schema ${markerSchema})`
    : execution.state === 'complete' && !swap
      ? `database ${database} is complete`
      : `database ${database} is as it was`;
  const extras = { details: { ...details, database, incomplete }, cause: cause ?? failure, ...(hint === undefined ? {} : { hint }) };
  return new TidemarkError(code, `${message}; ${state}`, extras);
}
