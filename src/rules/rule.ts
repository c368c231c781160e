// The rules that say when a snapshot is due, and the check that they can be followed. A rule is a measure and a distance on it; how each
// is judged is judge.ts's business.
import { TidemarkError } from '../model/errors.js';
import { type OptionNames, refuseUnknownOptions } from '../model/option-names.js';
import { nextTime } from './cron.js';

/** Every N of height. */
export interface HeightRule {
  readonly by: 'height';
  readonly every: bigint;
  /** 'last' (default): that far from the last snapshot; 'multiples': at absolute multiples, wherever the last one stood. */
  readonly from?: 'last' | 'multiples';
}

/** Every so many milliseconds since the last snapshot. */
export interface TimeRule {
  readonly by: 'time';
  readonly every: number;
}

/** So many changed rows, and so many milliseconds since the last snapshot: both. Several such rules side by side are the save rules of
 *  in-memory databases. */
export interface ChangesRule {
  readonly by: 'changes';
  readonly changes: bigint;
  readonly after: number;
}

/** Every N committed transactions. */
export interface CommitsRule {
  readonly by: 'commits';
  readonly every: bigint;
}

/** Whenever a stream's last processed sequence has advanced by N. */
export interface StreamRule {
  readonly by: 'stream';
  readonly stream: string;
  readonly every: bigint;
}

/** Every N bytes of write-ahead log. */
export interface WalRule {
  readonly by: 'wal';
  readonly every: bigint;
}

/** At the times of a cron expression, in a time zone of the IANA database (default UTC). */
export interface CronRule {
  readonly by: 'cron';
  readonly expression: string;
  readonly timeZone?: string;
}

export type Rule = HeightRule | TimeRule | ChangesRule | CommitsRule | StreamRule | WalRule | CronRule;

/** When snapshots are taken. */
export interface Schedule {
  /** Any of them makes a snapshot due. */
  readonly rules: readonly Rule[];
  /** One is due at once while there is no good one. Default true. */
  readonly whenNone?: boolean;
  /** One is due at an orderly end, where the database has moved since the last. Default false. */
  readonly atShutdown?: boolean;
  /** After a failure: not before so much height, or so many milliseconds, whichever comes first. Default: a minute. */
  readonly retry?: { readonly height?: bigint; readonly ms?: number };
}

const scheduleNames: OptionNames<Schedule> = { rules: true, whenNone: true, atShutdown: true, retry: true };

/** The retry distance of schedules that name none, in milliseconds. */
export const defaultRetryMs = 60_000;

/** Checks a schedule.
 *  @throws TidemarkError USAGE with one sentence that says which rule cannot be followed, and why */
export function checkSchedule(schedule: Schedule): void {
  refuseUnknownOptions(schedule, scheduleNames, 'read the schedule');
  const { rules, whenNone = true, atShutdown = false, retry = {} } = schedule;
  if (rules.length === 0 && !atShutdown) refuse(`there is no rule${whenNone ? ': one snapshot would be taken, and never another' : ''}`);
  for (const rule of rules) checkRule(rule);
  if (retry.height !== undefined) positive(retry.height, 'the retry distance');
  if (retry.ms !== undefined) positive(retry.ms, 'the retry distance');
  for (const rule of rules) {
    if (retry.height !== undefined && rule.by === 'height' && retry.height > rule.every) {
      refuse(`a retry after ${retry.height} of height comes later than the next snapshot, after ${rule.every}`);
    }
  }
}

const ruleNames: { readonly [By in Rule['by']]: OptionNames<Extract<Rule, { readonly by: By }>> } = {
  height: { by: true, every: true, from: true },
  time: { by: true, every: true },
  changes: { by: true, changes: true, after: true },
  commits: { by: true, every: true },
  stream: { by: true, stream: true, every: true },
  wal: { by: true, every: true },
  cron: { by: true, expression: true, timeZone: true },
};

function checkRule(rule: Rule): void {
  if (!Object.hasOwn(ruleNames, rule.by)) refuse(`there is no rule by ${rule.by}: it is one of ${Object.keys(ruleNames).join(', ')}`);
  refuseUnknownOptions(rule, ruleNames[rule.by], `read the schedule: a rule by ${rule.by}`);
  if (rule.by === 'cron') {
    if (nextTime(rule, new Date(0)) === undefined) refuse(`the cron expression ${JSON.stringify(rule.expression)} never comes true`);
    return;
  }
  if (rule.by === 'stream' && rule.stream === '') refuse('the stream has no name');
  if (rule.by !== 'changes') {
    positive(rule.every, `the distance (${describeRule(rule)})`);
    return;
  }
  positive(rule.changes, `the number of changes (${describeRule(rule)})`);
  positive(rule.after, `the time (${describeRule(rule)})`);
}

function positive(value: bigint | number, what: string): void {
  if (typeof value === 'number' && !Number.isFinite(value)) refuse(`${what} is ${value}`);
  if (!(value > 0)) refuse(`${what} is ${value}: every moment would be due, or none`);
  if (typeof value === 'number' && value > longestMs) refuse(`${what} is ${value} ms: dates end before that; leave it out`);
}

/** A thousand years: well within what a Date can hold. */
const longestMs = 1000 * 365.25 * 86_400_000;

function refuse(why: string): never {
  throw new TidemarkError('USAGE', `read the schedule: ${why}`);
}

/** A rule in a few words: `every 151200 of height`. */
export function describeRule(rule: Rule): string {
  switch (rule.by) {
    case 'height':
      return rule.from === 'multiples' ? `at multiples of ${rule.every} of height` : `every ${rule.every} of height`;
    case 'time':
      return `every ${describeMs(rule.every)}`;
    case 'changes':
      return `after ${describeMs(rule.after)} if ${rule.changes} ${rule.changes === 1n ? 'row has' : 'rows have'} changed`;
    case 'commits':
      return `every ${rule.every} commits`;
    case 'stream':
      return `every ${rule.every} of stream ${JSON.stringify(rule.stream)}`;
    case 'wal':
      return `every ${rule.every} bytes of write-ahead log`;
    case 'cron':
      return `at ${rule.expression} (${rule.timeZone ?? 'UTC'})`;
  }
}

const units: readonly (readonly [ms: number, name: string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
  [1, 'ms'],
];

/** The largest unit that leaves no rest: 900_000 -> `15 min`. */
export function describeMs(ms: number): string {
  const [size, name] = units.find(([unit]) => Math.abs(ms) >= unit && ms % unit === 0) ?? [1, 'ms'];
  return `${ms / size} ${name}`;
}
