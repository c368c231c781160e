// Whether the newest good snapshot is too old: one that was due has not come, nor the one after it. For those who watch over a scheduler;
// when one is due is due.ts's business. Pure.
import type { Position } from '../model/position.js';
import { judge, type Mark } from './judge.js';
import { checkSchedule, describeRule, type Rule, type Schedule } from './rule.js';

/** What is known of where a database stands: at least the time, where it could not be reached. */
export type Sighting = Omit<Position, 'lsn'> & { readonly lsn?: bigint };

export interface Overdue {
  readonly overdue: boolean;
  /** One sentence for people. Names the rules that could not be judged. */
  readonly reason: string;
}

/** Decides whether the newest good snapshot is older than a schedule allows: whether the database has passed not only the mark that made
 *  the next one due, but the mark after it, too, as if a snapshot had been taken at the first. One mark alone is passed while a snapshot is
 *  under way. No good snapshot at all is too old, whatever `whenNone` says: there is nothing to restore.
 *  @throws TidemarkError USAGE for a schedule that cannot be followed
 *  @example
 *  overdue({ rules: [{ by: 'height', every: 100n }] }, { at, lsn, height: 300n }, { at, lsn, height: 500n })
 *  // { overdue: true, reason: 'every 100 of height: height 500 has passed 400, and the mark after it, too' } */
export function overdue(schedule: Schedule, good: Position | undefined, now: Sighting): Overdue {
  checkSchedule(schedule);
  if (good === undefined) return { overdue: true, reason: 'there is no good snapshot' };
  const { measured, passedOver } = measurable(schedule.rules, now);
  const position = withLog(now, good);
  const found = measured.map((rule) => judgeTwice(rule, good, position));
  const late = found.find(({ age }) => age === 'overdue');
  if (late !== undefined) return { overdue: true, reason: late.reason };
  const judged = found.filter(({ age }) => age !== 'unknown').map(({ reason }) => reason);
  const unknown = [...found.filter(({ age }) => age === 'unknown').map(({ reason }) => reason), ...passedOver.map(({ reason }) => reason)];
  const parts = [...judged, ...(unknown.length === 0 ? [] : [`not judged: ${unknown.join('; ')}`])];
  return { overdue: false, reason: parts.join('; ') || 'no rule says how old it may be' };
}

export interface Measurable {
  readonly measured: readonly Rule[];
  /** Those whose measure is not known, and what that is. */
  readonly passedOver: readonly { readonly rule: Rule; readonly reason: string }[];
}

/** Divides rules into those that can be judged by what is known of the database, and the others. */
export function measurable(rules: readonly Rule[], now: Sighting): Measurable {
  const passedOver = rules.flatMap((rule) => {
    const missing = lacking(rule, now);
    return missing === undefined ? [] : [{ rule, reason: `${describeRule(rule)} (the ${missing} is not known)` }];
  });
  const without = new Set(passedOver.map(({ rule }) => rule));
  return { measured: rules.filter((rule) => !without.has(rule)), passedOver };
}

/** A position for rules that do not go by the write-ahead log, where it is not known: as if the database had not moved. */
export function withLog(now: Sighting, last: Position | undefined): Position {
  return { ...now, lsn: now.lsn ?? last?.lsn ?? 0n };
}

function lacking(rule: Rule, now: Sighting): string | undefined {
  switch (rule.by) {
    case 'height':
      return now.height === undefined ? 'height' : undefined;
    case 'changes':
      return now.changes === undefined ? 'count of changes' : undefined;
    case 'commits':
      return now.commits === undefined ? 'count of commits' : undefined;
    case 'wal':
      return now.lsn === undefined ? 'write-ahead log position' : undefined;
    case 'stream':
      return Object.hasOwn(now.streams ?? {}, rule.stream) ? undefined : 'sequence of the stream';
    case 'time':
    case 'cron':
      return undefined;
  }
}

interface Judged {
  readonly age: 'fresh' | 'overdue' | 'unknown';
  readonly reason: string;
}

function judgeTwice(rule: Rule, good: Position, now: Position): Judged {
  // How long ago the last one was cannot be said by a clock that stands before it. It makes a snapshot due, once; it must not call the
  // newest one too old until it has caught up, which may take years.
  if (goesByClock(rule) && now.at < good.at) {
    return { age: 'unknown', reason: `${describeRule(rule)} (the clock was put back before the last snapshot, ${good.at.toISOString()})` };
  }
  const first = judge(rule, good, now);
  if (!first.due) return { age: 'fresh', reason: first.reason };
  // Due because there is nothing to measure from: then there is no distance that could be doubled.
  if (first.next === undefined) return { age: 'unknown', reason: first.reason };
  const second = judge(rule, atMark(rule, { good, now, mark: first.next }), now);
  return second.due
    ? { age: 'overdue', reason: `${first.reason}, and the mark after it, too` }
    : { age: 'fresh', reason: `${first.reason}, the mark after it not yet` };
}

function goesByClock({ by }: Rule): boolean {
  return by === 'time' || by === 'cron' || by === 'changes';
}

interface Passed {
  readonly good: Position;
  readonly now: Position;
  readonly mark: Mark;
}

/** Where a snapshot would stand that was taken as soon as the rule made it due. */
function atMark(rule: Rule, { good, now, mark }: Passed): Position {
  const at = mark.by === 'time' ? mark.at : good.at;
  const value = mark.by === 'time' ? 0n : mark.value;
  switch (rule.by) {
    case 'time':
    case 'cron':
      return { ...good, at };
    case 'height':
      return { ...good, height: value };
    case 'wal':
      return { ...good, lsn: value };
    case 'stream':
      return { ...good, streams: { ...good.streams, [rule.stream]: value } };
    // The server's counters may have begun anew since; what they show has been counted from there.
    case 'commits':
      return { ...good, commits: counterBase(good.commits, now.commits) + rule.every };
    case 'changes':
      return {
        ...good,
        at: new Date(good.at.getTime() + rule.after),
        changes: counterBase(good.changes, now.changes) + rule.changes,
      };
  }
}

function counterBase(last: bigint | undefined, now = 0n): bigint {
  return last === undefined || now < last ? 0n : last;
}
