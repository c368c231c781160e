// The options of tune as a caller gives them, and as they are once checked.
import { availableParallelism } from 'node:os';
import { type OptionNames, refuseUnknownOptions } from '../../model/option-names.js';
import { usualChunkBytes } from '../../snapshot/chunk-size.js';
import { refuse } from '../common-options.js';
import { planSnapshot, type SnapshotOptions, type SnapshotPlan } from '../snapshot/options.js';
import type { Settings } from './trials.js';

const shared = {
  database: true,
  role: true,
  tables: true,
  schemas: true,
  excludeTables: true,
  excludeSchemas: true,
  excludeTableData: true,
  lockTimeoutMs: true,
  skipUnsupported: true,
  onEvent: true,
  signal: true,
} as const;

/** What is in, and whom it is reported to, as for a snapshot. */
export interface TuneOptions extends Pick<SnapshotOptions, keyof typeof shared> {
  /** How long trials may take in all, 1 to 3600. Default 60. */
  readonly seconds?: number;
  /** Path of a picture to write: speed against ratio, as SVG. */
  readonly plot?: string;
  /** Path of a configuration in JSON that gets what is recommended under `snapshot`; made where there is none. */
  readonly write?: string;
}

const optionNames: OptionNames<TuneOptions> = { seconds: true, plot: true, write: true, ...shared };

export interface TunePlan {
  readonly plan: SnapshotPlan;
  readonly ms: number;
  readonly processors: number;
  /** What a snapshot does without being told. */
  readonly start: Settings;
  readonly plot: string | undefined;
  readonly write: string | undefined;
}

/** Checks the options. @throws TidemarkError USAGE with one sentence for the first that cannot be */
export function planTune(given: TuneOptions): TunePlan {
  refuseUnknownOptions(given, optionNames, 'tune');
  const { seconds = 60, plot, write, ...options } = given;
  refuse(!(seconds >= 1) || seconds > 3600, 'tune: the seconds must be a number from 1 to 3600');
  refuse(plot === '', 'tune: the file for the picture has no name');
  refuse(write === '', 'tune: the configuration to write has no name');
  const plan = planSnapshot({ ...options, statistics: false });
  const start: Settings = { copyFormat: 'auto', compressLevel: 3, jobs: plan.jobs, chunkBytes: usualChunkBytes };
  return { plan, ms: seconds * 1000, processors: availableParallelism(), start, plot, write };
}
