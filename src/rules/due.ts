// Whether a snapshot is due: any rule's passing makes it so, unless a failure a moment ago says to wait. Pure: positions come in, a
// decision with its reasons comes out.
import type { Position } from '../model/position.js';
import { judge, type Mark, type Verdict } from './judge.js';
import { checkSchedule, defaultRetryMs, describeMs, type Schedule } from './rule.js';

/** What came before. */
export interface Last {
  /** The newest good snapshot. */
  readonly good?: Position;
  /** The newest attempt that failed, where that was after the newest good snapshot. */
  readonly failed?: Position;
}

/** Where the database stands, and what the host is about to do. */
export interface Now extends Position {
  /** The host is about to end in good order. */
  readonly shutdown?: boolean;
}

export interface Decision {
  readonly due: boolean;
  /** One sentence for people. */
  readonly reason: string;
  /** What each rule says, in the schedule's order; empty while there is no good snapshot. */
  readonly verdicts: readonly Verdict[];
  /** Where each rule makes the next one due; the first to be passed counts. */
  readonly next: readonly Mark[];
}

/** Decides whether a snapshot is due. Passing a mark counts (`>=`), not standing on it: heights are skipped, folders emptied.
 *  @throws TidemarkError USAGE for a schedule that cannot be followed, or a position that lacks what a rule measures
 *  @example
 *  due({ rules: [{ by: 'height', every: 151_200n }] }, { good: { at, lsn, height: 302_400n } }, { at, lsn, height: 453_600n })
 *  // { due: true, reason: 'every 151200 of height: height 453600 has passed 453600', ... } */
export function due(schedule: Schedule, last: Last, now: Now): Decision {
  checkSchedule(schedule);
  const { rules, whenNone = true, atShutdown = false } = schedule;
  const { good } = last;
  const verdicts = good === undefined ? [] : rules.map((rule) => judge(rule, good, now));
  const next = verdicts.flatMap((verdict) => verdict.next ?? []);
  const wanted = verdicts.find((verdict) => verdict.due);
  const decide = (due: boolean, reason: string): Decision => ({ due, reason, verdicts, next });

  if (now.shutdown && atShutdown) {
    return good !== undefined && good.lsn === now.lsn
      ? decide(false, 'nothing has changed since the last snapshot')
      : decide(true, 'the host ends');
  }
  const reason = good === undefined && whenNone ? 'there is no good snapshot yet' : wanted?.reason;
  if (reason === undefined) return decide(false, verdicts.map((verdict) => verdict.reason).join('; ') || 'no rule says so');
  const wait = last.failed === undefined ? undefined : retryMark(schedule, last.failed, now);
  return wait === undefined ? decide(true, reason) : { due: false, reason: `${reason}; ${wait.reason}`, verdicts, next: wait.marks };
}

/** Where the next attempt after a failure may come; undefined where it may come now. */
function retryMark({ retry = {} }: Schedule, failed: Position, now: Position): { reason: string; marks: readonly Mark[] } | undefined {
  const byHeight = retry.height !== undefined && failed.height !== undefined && now.height !== undefined;
  const ms = retry.ms ?? (byHeight ? undefined : defaultRetryMs);
  const marks: Mark[] = [];
  const reasons: string[] = [];
  if (byHeight) {
    const value = (failed.height as bigint) + (retry.height as bigint);
    // Below the failure's height, the database is another one than it was then.
    if ((now.height as bigint) >= value || (now.height as bigint) < (failed.height as bigint)) return undefined;
    marks.push({ by: 'height', value });
    reasons.push(`height ${value}`);
  }
  if (ms !== undefined) {
    const at = new Date(failed.at.getTime() + ms);
    if (now.at >= at || now.at < failed.at) return undefined;
    marks.push({ by: 'time', at });
    reasons.push(`${at.toISOString()} (${describeMs(ms)} after it)`);
  }
  return { reason: `the last attempt failed: not again before ${reasons.join(' or ')}`, marks };
}
