// How far the database has come on each rule's measure since the last good snapshot: one entry a rule, all pure.
import { TidemarkError } from '../model/errors.js';
import type { Position } from '../model/position.js';
import { nextTime } from './cron.js';
import { heightBucket } from './height.js';
import { describeMs, describeRule, type Rule } from './rule.js';

/** Where on its measure a rule makes the next snapshot due. */
export type Mark =
  | { readonly by: 'height' | 'changes' | 'commits' | 'wal' | 'stream'; readonly value: bigint }
  | { readonly by: 'time'; readonly at: Date };

/** What one rule says. */
export interface Verdict {
  readonly rule: Rule;
  readonly due: boolean;
  /** The mark that was passed, or is the next one. Absent where a cron expression has none any more. */
  readonly next?: Mark;
  /** One sentence for people. */
  readonly reason: string;
}

type Judge<R extends Rule> = (rule: R, last: Position, now: Position) => Omit<Verdict, 'rule'>;

const judges: { readonly [K in Rule['by']]: Judge<Extract<Rule, { readonly by: K }>> } = {
  height: ({ every, from = 'last' }, last, now) => {
    const height = measured(now.height, 'height');
    if (last.height === undefined) return unmeasured('height');
    const mark = from === 'last' ? last.height + every : (heightBucket(last.height, every) + 1n) * every;
    if (height < last.height) {
      return { due: false, next: { by: 'height', value: mark }, reason: `height ${height} is below the last snapshot's, ${last.height}` };
    }
    return passed({ by: 'height', mark, value: height, noun: 'height' });
  },

  time: ({ every }, last, now) => untilTime(new Date(last.at.getTime() + every), last, now),

  changes: ({ changes, after }, last, now) => {
    const counted = counter(last.changes, measured(now.changes, 'count of changes'));
    const early = last.at.getTime() + after - now.at.getTime();
    const next: Mark = { by: 'changes', value: changes };
    if (counted < changes) return { due: false, next, reason: `${counted} of ${changes} changes` };
    if (early > 0 && !setBack(last, now))
      return {
        due: false,
        next: { by: 'time', at: new Date(last.at.getTime() + after) },
        reason: `${counted} changes; ${describeMs(early)} more`,
      };
    return { due: true, next, reason: `${counted} changes since the last snapshot, at least ${describeMs(after)} ago` };
  },

  commits: ({ every }, last, now) => {
    const counted = counter(last.commits, measured(now.commits, 'count of commits'));
    return { ...passed({ by: 'commits', mark: every, value: counted, noun: 'commits since the last snapshot' }) };
  },

  stream: ({ stream, every }, last, now) => {
    const value = measured(sequenceOf(now, stream), `stream ${JSON.stringify(stream)}`);
    const before = sequenceOf(last, stream);
    if (before === undefined) return unmeasured(`stream ${JSON.stringify(stream)}`);
    return passed({ by: 'stream', mark: before + every, value, noun: `stream ${JSON.stringify(stream)}` });
  },

  wal: ({ every }, last, now) => {
    // Another server, or one that was set up again, counts from somewhere else.
    if (now.lsn < last.lsn) return { due: true, reason: 'the write-ahead log stands before the last snapshot: it is another one' };
    return passed({ by: 'wal', mark: last.lsn + every, value: now.lsn, noun: 'write-ahead log position' });
  },

  cron: (rule, last, now) => {
    const at = nextTime(rule, last.at);
    return at === undefined ? { due: false, reason: 'it never comes true again' } : untilTime(at, last, now);
  },
};

/** @throws TidemarkError USAGE when the position lacks what the rule measures */
export function judge(rule: Rule, last: Position, now: Position): Verdict {
  const found = (judges[rule.by] as Judge<Rule>)(rule, last, now);
  return { rule, ...found, reason: `${describeRule(rule)}: ${found.reason}` };
}

function passed({
  by,
  mark,
  value,
  noun,
}: {
  by: Exclude<Mark['by'], 'time'>;
  mark: bigint;
  value: bigint;
  noun: string;
}): Omit<Verdict, 'rule'> {
  const due = value >= mark;
  return {
    due,
    next: { by, value: mark },
    reason: due ? `${noun} ${value} has passed ${mark}` : `${noun} ${value}, ${mark - value} more to ${mark}`,
  };
}

/** A clock that stands before the last snapshot was put back, and says nothing about how long ago that was: better one too many. */
function untilTime(at: Date, last: Position, now: Position): Omit<Verdict, 'rule'> {
  const next: Mark = { by: 'time', at };
  if (setBack(last, now)) return { due: true, next, reason: `the clock was put back before the last snapshot (${last.at.toISOString()})` };
  const due = now.at >= at;
  return { due, next, reason: due ? `${at.toISOString()} has passed` : `not before ${at.toISOString()}` };
}

function setBack(last: Position, now: Position): boolean {
  return now.at < last.at;
}

/** Streams may be called anything, as properties of objects are, too. */
function sequenceOf({ streams = {} }: Position, stream: string): bigint | undefined {
  return Object.hasOwn(streams, stream) ? streams[stream] : undefined;
}

/** The server's counters begin anew after a crash and when they are reset: then what they show has come since. */
function counter(last: bigint | undefined, now: bigint): bigint {
  return last === undefined || now < last ? now : now - last;
}

function measured(value: bigint | undefined, what: string): bigint {
  if (value !== undefined) return value;
  throw new TidemarkError('USAGE', `decide whether a snapshot is due: a rule goes by ${what}, and the position has none`, {
    hint: 'configure a query that gives it, or give it with the position',
  });
}

function unmeasured(what: string): Omit<Verdict, 'rule'> {
  return { due: true, reason: `the last snapshot has no ${what} to measure from` };
}
