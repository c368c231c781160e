// The use case "tune": tries settings of snapshots on parts of a database's own tables, in one view of it, and says which to take. Nothing is
// written to the database; what is written to files is at the end, and only where it was asked for.
import { TidemarkError } from '../../model/errors.js';
import { isOnThisMachine } from '../../pg/same-machine.js';
import { usualLevel } from '../../snapshot/choose-level.js';
import { Spool } from '../../store/spool.js';
import type { SnapshotPlan } from '../snapshot/options.js';
import type { SnapshotSchema } from '../snapshot/schema.js';
import { settleRows } from '../snapshot/settle-rows.js';
import { bytesToRead, type Destination, inAttempts, type Sight, withSight } from '../snapshot/sight.js';
import { planTune, type TuneOptions, type TunePlan } from './options.js';
import { choosePicks, type Pick } from './picks.js';
import { plotOf } from './plot-trials.js';
import { recommend, smallest } from './recommend.js';
import { shareOf } from './share.js';
import { optionsOf } from './spell.js';
import { runTrial, type TrialResult } from './trial.js';
import { axes, type Measured, type Settings, search, withSizeOf } from './trials.js';
import { checkWritable, openSettingsFile, replaceFile } from './write-settings.js';

export interface TuneResult {
  readonly database: string;
  /** Tables with rows to read, and their bytes on the server's disk, with large objects. */
  readonly tables: number;
  readonly tableBytes: bigint;
  /** In the order in which they were tried; the first are the defaults with level 3. */
  readonly trials: readonly Measured[];
  /** Trials that there was no time for. */
  readonly untried: number;
  readonly recommended: Measured;
  /** The smallest archive, which may be slow. */
  readonly smallest: Measured;
  /** The first reading, which found the tables on the disk or in memory. `slow`: much slower than the trials, which found them in memory. */
  readonly warmUp: { readonly bytesPerSecond: number; readonly slow: boolean };
  /** Of `tidemark snapshot`, for what is recommended: `['-j', '2', ...]`. */
  readonly options: readonly string[];
  readonly durationMs: number;
  /** Paths of what was written. */
  readonly plot?: string;
  readonly written?: string;
}

/** Finds out with which settings snapshots of a database are fast, and how small they get, by trying on its own tables for a minute.
 *  The database is only read, in one view with the locks of a snapshot.
 *  @throws TidemarkError USAGE where there is nothing to try on, or the file to write is no JSON; and those of connecting and reading */
export async function tuneSnapshot(options: TuneOptions = {}): Promise<TuneResult> {
  const asked = planTune(options);
  const started = performance.now();
  // A minute later would be late to find out.
  const file = asked.write === undefined ? undefined : await openSettingsFile(asked.write);
  if (asked.plot !== undefined) await checkWritable(asked.plot);
  const { result } = await inAttempts(asked.plan, temporary, (plan, target) =>
    withSight(plan, { spoolPrefix: target.spoolPrefix, keepsBytes: false, idle: true }, (sight) => trySettings({ ...asked, plan }, sight)),
  );
  if (asked.plot !== undefined) await replaceFile(asked.plot, plotOf(result));
  if (file !== undefined) await file.write(result.recommended.settings);
  return {
    ...result,
    durationMs: performance.now() - started,
    ...(asked.plot === undefined ? {} : { plot: asked.plot }),
    ...(file === undefined ? {} : { written: file.path }),
  };
}

/** For rows that do not fit into memory, as everywhere. */
async function temporary(): Promise<Destination> {
  const spool = await Spool.open();
  return {
    spoolPrefix: spool.prefix,
    keepsBytes: false,
    untouched: true,
    [Symbol.asyncDispose]: () => spool[Symbol.asyncDispose](),
  };
}

type Tried = Omit<TuneResult, 'durationMs' | 'plot' | 'written'>;

/** Much slower than the trials: the first reading waited for the disk. */
const slowShare = 0.6;
/** The first reading decides what the others read, so it gets more time. */
const warmUpShares = 2;

/** The schema with its tables in the forms that a snapshot would give them. */
async function inForms(plan: SnapshotPlan, { schema, more, control, chunkBytes }: Sight): Promise<SnapshotSchema> {
  await using pool = await more({ jobs: plan.jobs, chunkBytes });
  const { schema: settled } = await Promise.race([
    settleRows(schema, { ...plan, compressLevel: usualLevel }, { pool, here: isOnThisMachine(control) }),
    control.lost,
  ]);
  await pool.close();
  return settled;
}

async function trySettings({ plan, ms, start, processors }: TunePlan, sight: Sight): Promise<Tried> {
  const schema = await inForms(plan, sight);
  const binary = schema.toRead.some(({ table }) => table.format === 'binary');
  const along = axes({ binary, processors });
  const workers = Math.max(start.jobs, ...along.flatMap(({ name, values }) => (name === 'jobs' ? (values as readonly number[]) : [])));
  const picks = choosePicks(schema, workers);
  if (picks.length === 0) throw nothingToTry(plan.connection.database);

  const deadline = performance.now() + ms;
  let asideMs = 0;
  const measure = async (settings: Settings, parts: readonly Pick[], time: number, reference?: readonly number[]): Promise<TrialResult> => {
    plan.signal?.throwIfAborted();
    const begun = performance.now();
    const result = await runTrial(sight, { settings, picks: parts, ms: time, ...(reference && { reference }) });
    const { measured } = result;
    // Of a small database a trial may be over long before its time.
    asideMs = Math.max(0, performance.now() - begun - Math.min(time, measured.busyMs / settings.jobs));
    plan.emit({ type: 'trial', settings: { ...settings }, bytesPerSecond: measured.bytesPerSecond, ratio: measured.ratio });
    return result;
  };

  const asking = search(start, along);
  let asked = asking.next();
  const count = asked.done ? 0 : asked.value.left;
  const share = shareOf({ leftMs: ms, trials: count + warmUpShares, shares: warmUpShares, asideMs });
  plan.emit({ type: 'phase', phase: 'trial', detail: 'reading once, so that all trials find the same' });
  const { measured: warm, compressed: reference } = await measure({ ...start, compressLevel: 1 }, picks, share ?? 0);
  if (warm.rawBytes === 0) throw nothingToTry(plan.connection.database);
  // What was read once is in memory, as far as it fits; nothing else would be compared fairly.
  const warmed = picks.slice(0, warm.picks);

  const trials: Measured[] = [];
  while (!asked.done) {
    const { settings, left } = asked.value;
    const time = shareOf({ leftMs: deadline - performance.now(), trials: left, asideMs });
    if (time === undefined && trials.length > 0) break;
    plan.emit({
      type: 'phase',
      phase: 'trial',
      detail: `${trials.length + 1} of ${trials.length + left}: ${optionsOf(settings).join(' ')}`,
    });
    const measured = withSizeOf((await measure(settings, warmed, time ?? 0, reference)).measured, trials);
    trials.push(measured);
    asked = asking.next(measured);
  }
  const recommended = recommend(trials) as Measured;
  const alike = trials.filter(({ settings }) => settings.jobs === start.jobs);
  const fastest = Math.max(...alike.map(({ bytesPerSecond }) => bytesPerSecond));
  return {
    database: plan.connection.database,
    tables: schema.toRead.length,
    tableBytes: bytesToRead(schema),
    trials,
    untried: asked.done ? 0 : asked.value.left,
    recommended,
    smallest: smallest(trials) as Measured,
    warmUp: { bytesPerSecond: warm.bytesPerSecond, slow: warm.bytesPerSecond < fastest * slowShare },
    options: optionsOf(recommended.settings),
  };
}

function nothingToTry(database: string): TidemarkError {
  return new TidemarkError('USAGE', `tune snapshots of database ${database}: there are no rows to try settings on`, {
    hint: 'fill the database first, or choose other tables',
  });
}
