// Which snapshots stay and which go, each with the reasons, as restic prints them. Pure. The newest good one always stays; what is not
// known to be good neither counts nor goes.
import { TidemarkError } from '../model/errors.js';
import { type Period, periodOf } from './calendar.js';
import { heightBucket } from './height.js';
import { newestFirst, type Ordered } from './order.js';
import { type Count, checkPolicy, type RetentionPolicy } from './policy.js';
import { describeMs } from './rule.js';

/** A snapshot as retention sees it. */
export interface Candidate extends Ordered {
  /** Verified since it was written, and found whole. */
  readonly good: boolean;
  /** Stays for good; the text says why. */
  readonly pinned?: string;
}

export interface Kept<S extends Candidate> {
  readonly snapshot: S;
  /** Never empty. */
  readonly reasons: readonly string[];
}

/** Newest first. */
export interface Retention<S extends Candidate> {
  readonly keep: readonly Kept<S>[];
  readonly remove: readonly S[];
}

/** Decides what a policy keeps. Every rule looks at all good snapshots; what one of them keeps, stays.
 *  @throws TidemarkError USAGE for a policy that cannot be followed, or one by height where a good snapshot has none
 *  @example
 *  retain({ last: 2 }, snapshots) // keep: the two newest good ones, what is pinned, and what is not known to be good */
export function retain<S extends Candidate>(policy: RetentionPolicy, snapshots: readonly S[]): Retention<S> {
  checkPolicy(policy);
  const ordered = newestFirst(snapshots);
  const good = ordered.filter((snapshot) => snapshot.good);
  const reasons = new Map<S, string[]>(ordered.map((snapshot) => [snapshot, []]));
  const keep = (snapshot: S, reason: string): void => void reasons.get(snapshot)?.push(reason);

  for (const snapshot of ordered) {
    if (!snapshot.good) keep(snapshot, 'not verified: neither counted nor removed');
    if (snapshot.pinned !== undefined) keep(snapshot, snapshot.pinned === '' ? 'pinned' : `pinned: ${snapshot.pinned}`);
  }
  keepLast(policy.last, good, keep);
  keepWithin(policy.within, good, keep);
  const { timeZone = 'UTC', heights } = policy;
  for (const [name, period] of periods) {
    keepBuckets(policy[name], good, { name, keep, bucketOf: ({ position }) => periodOf(position.at, period, timeZone) });
  }
  if (heights !== undefined) {
    const bucketOf = (snapshot: S): string => String(heightBucket(heightOf(snapshot), heights.every));
    keepBuckets(heights.keep ?? 'all', good, { name: `${heights.every} heights`, keep, bucketOf });
  }
  const newest = good[0];
  if (newest !== undefined && reasons.get(newest)?.length === 0) keep(newest, 'newest good snapshot');
  return {
    keep: ordered.flatMap((snapshot) => {
      const found = reasons.get(snapshot) ?? [];
      return found.length === 0 ? [] : [{ snapshot, reasons: found }];
    }),
    remove: ordered.filter((snapshot) => reasons.get(snapshot)?.length === 0),
  };
}

const periods: readonly (readonly ['hourly' | 'daily' | 'weekly' | 'monthly' | 'yearly', Period])[] = [
  ['hourly', 'hour'],
  ['daily', 'day'],
  ['weekly', 'week'],
  ['monthly', 'month'],
  ['yearly', 'year'],
];

type Keep<S> = (snapshot: S, reason: string) => void;

function keepLast<S>(count: Count | undefined, good: readonly S[], keep: Keep<S>): void {
  if (count === undefined) return;
  for (const snapshot of count === 'all' ? good : good.slice(0, count)) keep(snapshot, 'last snapshot');
}

/** From the newest back, not from now: a clock that jumps ahead by years makes no snapshot older than the others. */
function keepWithin<S extends Candidate>(ms: number | undefined, good: readonly S[], keep: Keep<S>): void {
  if (ms === undefined) return;
  const newest = good.reduce((latest, { position }) => Math.max(latest, position.at.getTime()), Number.NEGATIVE_INFINITY);
  for (const snapshot of good) {
    if (snapshot.position.at.getTime() >= newest - ms) keep(snapshot, `within ${describeMs(ms)}`);
  }
}

interface Buckets<S> {
  readonly name: string;
  readonly keep: Keep<S>;
  readonly bucketOf: (snapshot: S) => string;
}

/** The newest of each of so many buckets; as long as there are fewer, the oldest of all, too, so that a policy which is new to a store
 *  comes to have its old ones. */
function keepBuckets<S>(count: Count | undefined, good: readonly S[], { name, keep, bucketOf }: Buckets<S>): void {
  if (count === undefined) return;
  const seen = new Set<string>();
  for (const snapshot of good) {
    const bucket = bucketOf(snapshot);
    if (seen.has(bucket)) continue;
    if (count !== 'all' && seen.size >= count) return;
    seen.add(bucket);
    keep(snapshot, `${name} snapshot`);
  }
  const oldest = good.at(-1);
  if (oldest !== undefined && count !== 'all' && seen.size < count) keep(oldest, `oldest ${name} snapshot`);
}

function heightOf({ id, position }: Candidate): bigint {
  if (position.height !== undefined) return position.height;
  throw new TidemarkError('USAGE', `decide what to keep: the policy goes by height, and snapshot ${id} has none`);
}
