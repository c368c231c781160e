// Which contenders meet on a source: all of them once (compare), or the fastest of them at several levels, numbers of jobs, or sizes of one
// table, for the plots.
import {
  type Contender,
  copyPiped,
  pgDumpCustom,
  pgDumpDirectory,
  pgDumpPiped,
  pgRestore,
  type Settings,
  schemas,
  tidemarkRestore,
  tidemarkSnapshot,
  tidemarkVerify,
  zstdTest,
} from './contenders.js';
import { race } from './race.js';
import type { Entry, Race } from './results.js';
import { rawBytesOf, type Source } from './source.js';
import { openTarget } from './target.js';

export interface Comparison extends Settings {
  readonly runs: number;
  /** Restores make a database on the source's server. */
  readonly restore: boolean;
  /** Compares the time for schemas alone, too. */
  readonly schema: boolean;
}

/** Every contender, at one level and number of jobs. */
export async function compare(source: Source, options: Comparison): Promise<readonly Race[]> {
  const { place } = source;
  const { jobs, runs } = options;
  const common = { ...source, runs };
  const best = tidemarkSnapshot(place, options, 'auto');
  const dump = pgDumpDirectory(place, options);
  const snapshots = [
    best,
    tidemarkSnapshot(place, options, 'text'),
    tidemarkSnapshot(place, options, 'binary'),
    dump,
    pgDumpCustom(place, options),
    pgDumpPiped(place, options),
    copyPiped(place, options),
  ];
  const races: Race[] = [];
  if (options.schema) races.push({ task: 'schema', references: ['pg_dump -s'], entries: await race(schemas(place), common) });
  races.push({ task: 'snapshot', references: ['pg_dump -Fd', 'pg_dump -Fc'], entries: await race(snapshots, common) });
  const verifying = { ...common, rawBytes: await rawBytesOf(best) };
  races.push({ task: 'verify', references: ['zstd -t'], entries: await race([tidemarkVerify(best), zstdTest(best)], verifying) });
  if (options.restore) {
    const all = await restores(source, { from: best, dump, jobs: [jobs], runs, withoutAnalyze: true });
    races.push({ task: 'restore', references: ['pg_restore'], entries: all });
  }
  return races;
}

/** Snapshots at several levels of zstd: what a level costs, and what it saves. */
export async function compareLevels(source: Source, levels: readonly number[], { jobs, runs }: Comparison): Promise<readonly Race[]> {
  const { place } = source;
  const contenders = levels.flatMap((level) => [
    tidemarkSnapshot(place, { jobs, level }, 'text'),
    tidemarkSnapshot(place, { jobs, level }, 'binary'),
    pgDumpDirectory(place, { jobs, level }),
    pgDumpPiped(place, { jobs, level }),
  ]);
  return [{ task: 'snapshot', references: [], entries: await race(contenders, { ...source, runs }) }];
}

/** Snapshots and restores with several numbers of jobs. */
export async function compareJobs(
  source: Source,
  counts: readonly number[],
  { level, runs, restore }: Comparison,
): Promise<readonly Race[]> {
  const { place } = source;
  const snapshotsOf = (jobs: number) => ({
    from: tidemarkSnapshot(place, { jobs, level }, 'auto'),
    dump: pgDumpDirectory(place, { jobs, level }),
  });
  const all = counts.map(snapshotsOf);
  const contenders = all.flatMap(({ from, dump }) => [from, dump]);
  const snapshots: Race = { task: 'snapshot', references: [], entries: await race(contenders, { ...source, runs }) };
  const [first] = all;
  if (!restore || first === undefined) return [snapshots];
  return [snapshots, { task: 'restore', references: [], entries: await restores(source, { ...first, jobs: counts, runs }) }];
}

/** Both sides of a snapshot at one size of a table; the entries of several sizes go into one race. */
export async function compareSize(source: Source, options: Comparison): Promise<readonly Race[]> {
  const [from, dump] = [tidemarkSnapshot(source.place, options, 'auto'), pgDumpDirectory(source.place, options)];
  const snapshots: Race = { task: 'snapshot', references: [], entries: await race([from, dump], { ...source, ...options }) };
  if (!options.restore) return [snapshots];
  return [
    snapshots,
    { task: 'restore', references: [], entries: await restores(source, { from, dump, jobs: [options.jobs], runs: options.runs }) },
  ];
}

interface Restores {
  readonly from: Contender;
  readonly dump: Contender;
  readonly jobs: readonly number[];
  readonly runs: number;
  readonly withoutAnalyze?: boolean;
}

async function restores(source: Source, { from, dump, jobs, runs, withoutAnalyze = false }: Restores): Promise<readonly Entry[]> {
  await using target = await openTarget(source);
  const place = { ...target, directory: source.place.directory };
  const contenders = jobs.flatMap((count) => [
    tidemarkRestore(from, place, count, 'analyze'),
    ...(withoutAnalyze ? [tidemarkRestore(from, place, count, 'no analyze')] : []),
    pgRestore(dump, place, count),
  ]);
  return await race(contenders, { ...source, runs, prepare: () => target.fresh() });
}
