// Where the next snapshot may come, as sentences for people: the page shows them. What the marks are is decided by rules/.
import type { Position } from '../../model/position.js';
import { printable } from '../../model/printable.js';
import { formatBytes, formatCount, formatDuration } from '../../model/units.js';
import { formatLsn } from '../../pg/lsn.js';
import type { Decision } from '../../rules/due.js';
import type { Mark } from '../../rules/judge.js';

export interface MarkContext {
  /** Where the database stands; without it, sentences do not say how far that is. */
  readonly position?: Position | undefined;
  /** The clock that times are compared with. */
  readonly now: Date;
}

/** One sentence a mark, in the decision's order: `at height 453,600 (1,200 more)`. */
export function describeNext(decision: Decision, context: MarkContext): string[] {
  return decision.next.map((mark) => describeMark(mark, context, streamOf(mark, decision)));
}

function describeMark(mark: Mark, { position, now }: MarkContext, stream: string | undefined): string {
  switch (mark.by) {
    case 'time':
      return `at ${formatInstant(mark.at)} (${distance(mark.at.getTime() - now.getTime())})`;
    case 'height':
      return `at height ${formatCount(mark.value)}${more(mark.value, position?.height, formatCount)}`;
    case 'wal':
      return `at write-ahead log position ${formatLsn(mark.value)}${more(mark.value, position?.lsn, formatBytes)}`;
    case 'stream': {
      const sequence = stream !== undefined && Object.hasOwn(position?.streams ?? {}, stream) ? position?.streams?.[stream] : undefined;
      const name = stream === undefined ? 'a stream' : `stream ${printable(JSON.stringify(stream))}`;
      return `at sequence ${formatCount(mark.value)} of ${name}${more(mark.value, sequence, formatCount)}`;
    }
    case 'changes':
      return `after ${formatCount(mark.value)} changed rows since the last snapshot`;
    case 'commits':
      return `after ${formatCount(mark.value)} commits since the last snapshot`;
  }
}

function more(mark: bigint, value: bigint | undefined, format: (rest: bigint) => string): string {
  if (value === undefined) return '';
  return value >= mark ? ' (passed)' : ` (${format(mark - value)} more)`;
}

function distance(ms: number): string {
  return ms >= 0 ? `in ${formatDuration(ms)}` : `${formatDuration(-ms)} ago`;
}

/** `2026-11-21 12:00:05 UTC` */
export function formatInstant(at: Date): string {
  return Number.isNaN(at.getTime()) ? 'at no known time' : `${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** A mark of a stream does not say of which one; the rule that gave it does. */
function streamOf(mark: Mark, { verdicts }: Decision): string | undefined {
  if (mark.by !== 'stream') return undefined;
  const rule = verdicts.find(({ next }) => next?.by === 'stream' && next.value === mark.value)?.rule;
  return rule?.by === 'stream' ? rule.stream : undefined;
}
