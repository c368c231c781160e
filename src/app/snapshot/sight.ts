// What snapshots and exports begin with: one consistent view of a database, its schema read in that view, workers attached to it. Starts
// over where a migration came in between. What becomes of the rows is for the use case.
import { TidemarkError } from '../../model/errors.js';
import type { Position } from '../../model/position.js';
import { isUntranslatable } from '../../pg/errors.js';
import { inTurn } from '../../pg/in-turn.js';
import { openSession, type Session } from '../../pg/session.js';
import { isMarked, markerSchema } from '../../restore/marker.js';
import { readCounters } from '../../snapshot/counters.js';
import type { WorkerSettings } from '../../snapshot/messages.js';
import { readPosition } from '../../snapshot/position-queries.js';
import { type OpenedView, openView, type View } from '../../snapshot/view.js';
import type { WorkerPool } from '../../snapshot/worker-pool.js';
import { abortReason, withAge } from '../abort.js';
import { chooseTables } from './choose-tables.js';
import type { SnapshotPlan } from './options.js';
import { warnOfValues, withStatistics } from './planner-statistics.js';
import { readSchema, type SnapshotSchema } from './schema.js';
import { chunkBytesOf, Workers } from './workers.js';

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

/** A view of the database that is fixed, and what was seen in it so far. */
export interface Sight {
  /** In the transaction that has the view, until it says COMMIT. */
  readonly control: Session;
  readonly view: View;
  readonly position: Position;
  readonly schema: SnapshotSchema;
  /** Raw bytes at which the workers close a chunk. */
  readonly chunkBytes: number;
  /** Attached to the view. */
  readonly pool: WorkerPool;
  /** Starts more workers, and attaches them to the same view. They are for the caller to dispose of. */
  more(settings: { readonly jobs: number; readonly chunkBytes: number }): Promise<WorkerPool>;
}

/** Where what is read goes, and whether anything is read at once. */
type Reading = Pick<Destination, 'spoolPrefix' | 'keepsBytes'> & Pick<WorkerSettings, 'bare'> & { readonly idle?: boolean };

/** Up to here, looking at the tables takes no time worth mentioning, and what is seen of them is wanted early. */
const fewTables = 1000;

/** Locks the tables, fixes the view, attaches the workers and reads the schema; then `use` has them all.
 *  @param bare rows are to come without a tar around them
 *  @param idle no workers at the beginning */
export async function withSight<Result>(
  plan: SnapshotPlan,
  { spoolPrefix, keepsBytes, bare = false, idle = false }: Reading,
  use: (sight: Sight) => Promise<Result>,
): Promise<Result> {
  const { connection, emit, signal } = plan;
  emit({ type: 'phase', phase: 'connect' });
  const session = { use: 'read', encoding: plan.encoding, applicationName: 'tidemark', pipelined: true, signal } as const;
  await using control = await openSession(connection, session);
  emit({ type: 'phase', phase: 'lock' });
  const opened = await openView(control, {
    choose: (relations, schemas) => chooseTables(relations, schemas, { ...plan.contents, foreignServers: plan.foreignServers }),
    lockTimeoutMs: plan.lockTimeoutMs,
    wanted: { sizes: plan.contents.sections.has('data'), columns: true },
  });
  const destination = { spoolPrefix, framesComeBack: !keepsBytes, bare };
  await using workers = new Workers({ ...plan, jobs: idle ? 0 : plan.jobs }, destination);
  const watched: OpenedView = { ...opened, describe: (turns) => workers.follow(opened.describe(turns)) };
  // The threads start up and connect while the control session reads the schema.
  if (opened.chosen.length <= fewTables) await watched.describe(inTurn(control));
  if (await isMarked(control)) throw halfRestored(connection.database);
  const position = { at: opened.at, lsn: opened.lsn, ...(await readPosition(control, plan.position)), ...(await readCounters(control)) };

  emit({ type: 'phase', phase: 'schema' });
  const read = await readSchema(control, watched, plan);
  const schema = await withStatistics(control, read, plan.statistics);
  const view = await watched.describe(control);
  const pool = await workers.attached();
  for (const object of schema.leftOut) emit({ type: 'left-out', object });
  warnOfValues(schema, emit);
  return await use({
    control,
    view,
    position,
    schema,
    chunkBytes: chunkBytesOf(plan, view),
    pool,
    more: (settings) => workers.more(view, settings),
  });
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

/** Told in the view itself: a restore makes its mark before everything else, and takes it away after everything else. */
function halfRestored(database: string): TidemarkError {
  return new TidemarkError('TARGET_MISMATCH', `take a snapshot of database ${database}: a restore into it has not ended`, {
    hint: `wait for its end; one that was killed is to be run again (schema ${markerSchema} marks the database as incomplete)`,
  });
}
