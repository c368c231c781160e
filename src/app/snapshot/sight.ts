// What snapshots and exports begin with: one consistent view of a database, its schema read in that view, workers attached to it. Starts
// over where a migration came in between. What becomes of the rows is for the use case.
import { TidemarkError } from '../../model/errors.js';
import type { Position } from '../../model/position.js';
import { isUntranslatable } from '../../pg/errors.js';
import { qualifiedName } from '../../pg/quote.js';
import { openSession, type Session } from '../../pg/session.js';
import { isMarked, markerSchema } from '../../restore/marker.js';
import { chunkBytesFor } from '../../snapshot/chunk-size.js';
import { readCounters } from '../../snapshot/counters.js';
import type { WorkerSettings } from '../../snapshot/messages.js';
import { readPosition } from '../../snapshot/position-queries.js';
import { type Choose, fixMoment, type View } from '../../snapshot/view.js';
import { threadsFor, WorkerPool } from '../../snapshot/worker-pool.js';
import { abortReason, withAge } from '../abort.js';
import { CheckSession } from './check-session.js';
import { chooseTables } from './choose-tables.js';
import type { SnapshotPlan } from './options.js';
import { warnOfValues, withStatistics } from './planner-statistics.js';
import { readSchema, type SnapshotSchema } from './schema.js';

/** Where the bytes go, as far as it matters to whoever reads them. */
export interface Destination extends AsyncDisposable {
  /** Rows that do not fit into memory are spooled to files that begin with this path. */
  readonly spoolPrefix: string;
  /** Somebody may still hold the bytes of a write when it is done: their memory must not be used again. */
  readonly keepsBytes: boolean;
  /** Nothing has left yet that cannot be taken back: it may be started over. */
  readonly untouched: boolean;
}

/** Opens a destination and runs with it; once more where a migration came in between, or names have no form in UTF-8, for as long as the
 *  destination is untouched. The plan that `run` gets ends with its maximum age, too.
 *  @returns the result, and how many attempts it took */
export async function inAttempts<Target extends Destination, Result>(
  asked: SnapshotPlan,
  open: () => Promise<Target>,
  run: (plan: SnapshotPlan & { readonly signal: AbortSignal }, target: Target) => Promise<Result>,
): Promise<{ readonly result: Result; readonly attempts: number }> {
  let plan = asked;
  for (let attempt = 1; ; attempt += 1) {
    await using target = await open();
    try {
      using age = withAge(plan.signal, plan.maxAgeMs);
      try {
        return { result: await run({ ...plan, signal: age.signal }, target), attempts: attempt };
      } catch (error) {
        throw abortReason(age.signal) ?? error;
      }
    } catch (error) {
      if (error instanceof TidemarkError && target.untouched && plan.encoding === undefined && isUntranslatable(error)) {
        plan = { ...plan, encoding: 'own' };
        plan.emit({ type: 'retry', attempt, reason: `${error.message}: names and definitions are read in the encoding of the database` });
        continue;
      }
      const again = error instanceof TidemarkError && error.code === 'CONCURRENT_DDL' && target.untouched && attempt < plan.attempts;
      if (!again) throw error;
      plan.emit({ type: 'retry', attempt, reason: error.message });
    }
  }
}

/** A view of the database that is fixed. */
export interface FixedView {
  /** In the transaction that has the view, until it says COMMIT. */
  readonly control: Session;
  readonly view: View;
  readonly position: Position;
  /** Raw bytes at which the workers close a chunk. */
  readonly chunkBytes: number;
  /** The workers, once they are attached to the view. */
  readonly attached: Promise<WorkerPool>;
  /** What is to be read of the schema, and of rows, once that is known. */
  readonly schema: Promise<SnapshotSchema>;
  /** Starts more workers, and attaches them to the same view. They are for the caller to dispose of. */
  more(settings: Pick<WorkerPlan, 'jobs' | 'chunkBytes'>): Promise<WorkerPool>;
}

/** A view, and all that is to be known of it before rows are read. */
export interface Sight extends Omit<FixedView, 'attached' | 'schema'> {
  readonly schema: SnapshotSchema;
  /** Attached to the view. */
  readonly pool: WorkerPool;
}

type WorkerPlan = SnapshotPlan & { readonly chunkBytes: number };

/** What the workers of a sight are started with. */
type Workers = Pick<Destination, 'spoolPrefix' | 'keepsBytes'> & Pick<WorkerSettings, 'bare'> & { readonly idle?: boolean };

/** Locks the tables, fixes the view, attaches the workers and reads the schema; then `use` has them all.
 *  @param workers `bare`: rows are to come without a tar around them; `idle`: no workers at the beginning */
export async function withSight<Result>(plan: SnapshotPlan, workers: Workers, use: (sight: Sight) => Promise<Result>): Promise<Result> {
  return withView(plan, workers, async (fixed) => use(await seeAll(fixed, plan)));
}

/** Waits for the schema, and says what is left out of it. */
export async function seeAll({ attached, schema: reading, ...fixed }: FixedView, { statistics, emit }: SnapshotPlan): Promise<Sight> {
  const schema = await withStatistics(fixed.control, await reading, statistics);
  const pool = await attached;
  for (const object of schema.leftOut) emit({ type: 'left-out', object });
  warnOfValues(schema, emit);
  return { ...fixed, schema, pool };
}

/** Locks the tables and fixes the view. While the schema is read in it, workers attach themselves to it. */
export async function withView<Result>(
  plan: SnapshotPlan,
  { spoolPrefix, keepsBytes, bare = false, idle = false }: Workers,
  use: (fixed: FixedView) => Promise<Result>,
): Promise<Result> {
  const { connection, emit, signal } = plan;
  emit({ type: 'phase', phase: 'connect' });
  const session = { use: 'read', encoding: plan.encoding, applicationName: 'tidemark', pipelined: true, signal } as const;
  await using control = await openSession(connection, session);
  await using check = new CheckSession(plan);
  emit({ type: 'phase', phase: 'lock' });
  const choose: Choose = (relations, schemas) =>
    chooseTables(relations, schemas, { ...plan.contents, foreignServers: plan.foreignServers });
  const moment = await fixMoment(control, { choose, lockTimeoutMs: plan.lockTimeoutMs });
  // Of thousands of tables it takes as long as half of the schema: another session is asked meanwhile.
  const wanted = { sizes: plan.contents.sections.has('data'), columns: true };
  const described = check.describe(moment, { choose, wanted });
  described.catch(() => undefined);
  if (await isMarked(control)) throw halfRestored(connection.database);
  const position = { at: moment.at, lsn: moment.lsn, ...(await readPosition(control, plan.position)), ...(await readCounters(control)) };
  emit({ type: 'phase', phase: 'schema' });
  const schema = readSchema(control, { plan, view: described, check: check.idle });
  schema.then(
    () => check.close(),
    () => undefined,
  );
  const view = await described;
  // The threads start up and connect while the control session reads the schema.
  const destination = { spoolPrefix, framesComeBack: !keepsBytes, bare };
  const { chunkBytes = chunkBytesFor(bytesSeen(view)) } = plan;
  await using workers = startWorkers({ ...plan, chunkBytes, jobs: idle ? 0 : plan.jobs }, view, destination);
  const attached = workers.pool.then(async (pool) => {
    await pool.attach(view.snapshotId, namesOf(view));
    return pool;
  });
  attached.catch(() => undefined);
  const more = async (settings: Pick<WorkerPlan, 'jobs' | 'chunkBytes'>): Promise<WorkerPool> => {
    const another = await startPool({ ...plan, ...settings }, settings.jobs, destination);
    try {
      await another.attach(view.snapshotId, namesOf(view));
      return another;
    } catch (error) {
      await another[Symbol.asyncDispose]();
      throw error;
    }
  };
  return await use({ control, view, position, chunkBytes, attached, schema, more });
}

/** Says how much there is to read. */
export function announce(schema: SnapshotSchema, { emit }: SnapshotPlan): void {
  const { toRead } = schema;
  const rows = toRead.reduce((sum, { described }) => sum + BigInt(Math.max(0, Math.round(described.estimatedRows))), 0n);
  emit({ type: 'plan', tables: toRead.length, rows, bytes: bytesToRead(schema), exact: false });
}

/** Bytes that the rows to be read have on the server's disk. */
export function bytesToRead({ toRead, largeObjects }: SnapshotSchema): bigint {
  const blobs = (largeObjects?.ranges ?? []).reduce((sum, range) => sum + range.bytes, 0n);
  return toRead.reduce((sum, { described }) => sum + described.bytes, blobs);
}

/** The workers as they come up; disposing of them ends also those that are still starting. */
function startWorkers(
  plan: WorkerPlan,
  view: View,
  more: Pick<WorkerSettings, 'spoolPrefix' | 'framesComeBack' | 'bare'>,
): AsyncDisposable & { readonly pool: Promise<WorkerPool> } {
  const pool = startPool(plan, threadsFor(bytesAtMost(view), plan.jobs), more);
  const ended = pool.then(
    (started) => () => started[Symbol.asyncDispose](),
    () => async () => undefined,
  );
  return { pool, [Symbol.asyncDispose]: async () => (await ended)() };
}

/** @param threads 0: one worker in this thread, unless there is to be none */
function startPool(
  plan: WorkerPlan,
  threads: number,
  more: Pick<WorkerSettings, 'spoolPrefix' | 'framesComeBack' | 'bare'>,
): Promise<WorkerPool> {
  const { connection, encoding, chunkBytes, contents, jobs, signal } = plan;
  const foreignTables = plan.foreignServers.length > 0;
  const settings = { connection, encoding, chunkBytes, window: 3, foreignTables, ...more };
  if (jobs === 0 || !contents.sections.has('data')) return Promise.resolve(WorkerPool.nobody(settings));
  return WorkerPool.start(threads, settings, signal);
}

/** What there may be to read, on the server's disk. How much lies behind a foreign table nobody knows. */
function bytesAtMost(view: View): bigint {
  return view.tables.some(({ relkind }) => relkind === 'f') ? 1n << 62n : bytesSeen(view);
}

/** Bytes that the tables of a view have on the server's disk, and large objects. */
export function bytesSeen({ tables, largeObjectBytes }: View): bigint {
  return tables.reduce((sum, { bytes }) => sum + bytes, largeObjectBytes);
}

/** The tables that rows may be read of. */
function namesOf({ tables }: View): readonly string[] {
  return tables.filter(({ relkind }) => relkind === 'r').map(({ schema, name }) => qualifiedName(schema, name));
}

/** Told in the view itself: a restore makes its mark before everything else, and takes it away after everything else. */
function halfRestored(database: string): TidemarkError {
  return new TidemarkError('TARGET_MISMATCH', `take a snapshot of database ${database}: a restore into it has not ended`, {
    hint: `wait for its end; one that was killed is to be run again (schema ${markerSchema} marks the database as incomplete)`,
  });
}
