// tidemark/rules: decides by position when a snapshot is due. Pure, without a clock of its own. So far it measures height; other
// measures and retention join it here, over the same positions.
import { TidemarkError } from '../model/errors.js';
import type { Position } from '../model/position.js';

export type { Position };

export interface HeightRule {
  /** Distance between snapshots in heights: 151_200n. */
  readonly every: bigint;
  /** 'last': that far from the last snapshot; 'multiples': at absolute multiples, wherever the last one stood. Default 'last'. */
  readonly from?: 'last' | 'multiples';
}

export interface HeightDecision {
  readonly due: boolean;
  /** The height at which it is, or was, due. */
  readonly next: bigint;
  /** One sentence for people. */
  readonly reason: string;
}

/** Whether a snapshot is due at a height. Passing the mark counts (`>=`), not standing on it: heights are skipped, folders emptied.
 *  @param last height of the last good snapshot; undefined where there is none: then one is due at once
 *  @throws TidemarkError USAGE when `every` is not positive
 *  @example dueByHeight({ every: 151_200n }, 302_400n, 453_600n) // { due: true, next: 453_600n, ... } */
export function dueByHeight({ every, from = 'last' }: HeightRule, last: bigint | undefined, now: bigint): HeightDecision {
  if (every <= 0n) throw new TidemarkError('USAGE', `decide by height: a distance of ${every} would make every height due, or none`);
  if (last === undefined) return { due: true, next: now, reason: 'there is no snapshot yet' };
  const next = from === 'last' ? last + every : (heightBucket(last, every) + 1n) * every;
  const due = now >= next;
  return { due, next, reason: due ? `height ${now} has passed ${next}` : `${next - now} more to height ${next}` };
}

/** The number of the stretch of `every` heights that a height lies in: `floor(height / every)`, below zero, too. */
export function heightBucket(height: bigint, every: bigint): bigint {
  const quotient = height / every;
  return height % every < 0n ? quotient - 1n : quotient;
}
