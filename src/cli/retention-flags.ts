// The retention policy as options, under the names that users of restic know. Given ones take the place of the configuration's policy as a
// whole, as what any rule keeps, stays.
import { type Command, InvalidArgumentError } from 'commander';
import type { RetentionPolicy } from '../app/repository/prune-snapshots.js';
import { given } from './given.js';

type Count = number | 'all';

export interface RetentionFlags {
  readonly keepLast?: Count;
  readonly keepWithin?: number;
  readonly keepHourly?: Count;
  readonly keepDaily?: Count;
  readonly keepWeekly?: Count;
  readonly keepMonthly?: Count;
  readonly keepYearly?: Count;
  readonly keepHeights?: NonNullable<RetentionPolicy['heights']>;
  readonly timeZone?: string;
}

export function addRetention(command: Command): Command {
  return command
    .option('-l, --keep-last <n>', 'keep the newest n; "all" is possible here and below', count)
    .option('--keep-within <duration>', 'keep all that are no older than the newest by more than this, as in 12h, 7d or 1y', within)
    .option('-H, --keep-hourly <n>', 'keep the newest of each of the last n hours that have one', count)
    .option('-d, --keep-daily <n>', 'the same by days', count)
    .option('-w, --keep-weekly <n>', 'the same by ISO weeks', count)
    .option('-m, --keep-monthly <n>', 'the same by months', count)
    .option('-y, --keep-yearly <n>', 'the same by years', count)
    .option('--keep-heights <every[:n]>', 'keep the newest of each of the last n (default: all) stretches of heights', heights)
    .option('--time-zone <zone>', 'whose hours, days, weeks, months and years (default: UTC)');
}

/** The policy to go by; undefined where nobody has said any. */
export function chooseRetention(flags: RetentionFlags, configured: RetentionPolicy | undefined): RetentionPolicy | undefined {
  const own: RetentionPolicy = {
    ...given('last', flags.keepLast),
    ...given('within', flags.keepWithin),
    ...given('hourly', flags.keepHourly),
    ...given('daily', flags.keepDaily),
    ...given('weekly', flags.keepWeekly),
    ...given('monthly', flags.keepMonthly),
    ...given('yearly', flags.keepYearly),
    ...given('heights', flags.keepHeights),
  };
  const base = Object.keys(own).length > 0 ? own : configured;
  return base && { ...base, ...given('timeZone', flags.timeZone) };
}

/** Whether 0 makes sense is for the policy to say. */
function count(text: string): Count {
  if (text === 'all' || text === 'unlimited') return 'all';
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number or "all".');
  return Number(text);
}

const unitsMs = new Map(
  Object.entries({ ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000, y: 365 * 86_400_000 }),
);

/** A minute taken for a month, or the other way round, would be a policy that nobody meant. */
function within(text: string): number {
  const parts = [...text.matchAll(/(\d{1,9}(?:\.\d+)?)\s*([a-z]+)\s*/g)];
  const whole = parts.map(([part]) => part).join('') === text && parts.length > 0;
  if (whole && parts.some(([, , unit]) => unit === 'm')) {
    throw new InvalidArgumentError('"m" may be minutes or months: write min, or a number of days.');
  }
  const ms = parts.reduce((sum, [, number, unit = '']) => sum + Number(number) * (unitsMs.get(unit) ?? Number.NaN), 0);
  if (!whole || Number.isNaN(ms)) throw new InvalidArgumentError('It must be a duration, as in 12h, 7d or 1y6d.');
  return ms;
}

function heights(text: string): NonNullable<RetentionPolicy['heights']> {
  const match = /^(\d{1,19})(?::(\d{1,9}|all|unlimited))?$/.exec(text);
  if (!match) throw new InvalidArgumentError('It must be a length and perhaps a number, as in 1000000 or 1000000:5.');
  return { every: BigInt(match[1] ?? ''), ...given('keep', match[2] === undefined ? undefined : count(match[2])) };
}
