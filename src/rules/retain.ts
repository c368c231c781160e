// Which snapshots stay and which go, each with the reasons, as restic prints them. Pure. The newest good one always stays; what is not
// known to be good neither counts nor goes.
import { TidemarkError } from '../model/errors.js';
import { type LocalTime, localTimes, type Period, periodOf } from './calendar.js';
import { heightBucket } from './height.js';
import { measuresOf, newestFirst, type Ordered } from './order.js';
import { type Count, checkPolicy, type RetentionPolicy } from './policy.js';
import { describeMs } from './rule.js';

/** A snapshot as retention sees it. */
export interface Candidate extends Ordered {
  /** Verified since it was written, and found whole. */
  readonly good: boolean;
  /** Stays for good; the text says why. */
  readonly pinned?: string;
  /** Ids of snapshots that hold a part of its rows: it is worth nothing without them. */
  readonly refersTo?: readonly string[];
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
  const entries = newestFirst(snapshots).map((snapshot): Entry<S> => ({ snapshot, reasons: [] }));
  const good = goodOf(entries, snapshots);

  for (const { snapshot, reasons } of entries) {
    if (!snapshot.good) reasons.push('not verified: neither counted nor removed');
    if (snapshot.pinned !== undefined) reasons.push(snapshot.pinned === '' ? 'pinned' : `pinned: ${snapshot.pinned}`);
  }
  keepLast(policy.last, good);
  keepWithin(policy.within, good);
  const { timeZone = 'UTC', heights } = policy;
  const localTime = localTimes(timeZone);
  for (const [name, period] of periods) {
    const bucketOf = (entry: Entry<S>): number => {
      entry.local ??= localTime(entry.snapshot.position.at);
      return periodOf(entry.local, period);
    };
    keepBuckets(policy[name], good, { name, bucketOf });
  }
  if (heights !== undefined) {
    const bucketOf = ({ snapshot }: Entry<S>): bigint => heightBucket(heightOf(snapshot), heights.every);
    keepBuckets(heights.keep ?? 'all', good, { name: `${heights.every} heights`, bucketOf });
  }
  const newest = good[0];
  if (newest?.reasons.length === 0) newest.reasons.push('newest good snapshot');
  keepReferred(entries);
  return {
    keep: entries.filter(({ reasons }) => reasons.length > 0).map(({ snapshot, reasons }) => ({ snapshot, reasons })),
    remove: entries.filter(({ reasons }) => reasons.length === 0).map(({ snapshot }) => snapshot),
  };
}

/** Those that count, ordered among themselves: one that does not count, and has no height, must not decide what they are compared by. */
function goodOf<S extends Candidate>(entries: readonly Entry<S>[], snapshots: readonly S[]): readonly Entry<S>[] {
  const good = entries.filter(({ snapshot }) => snapshot.good);
  if (good.length === entries.length) return good;
  const among = snapshots.filter((snapshot) => snapshot.good);
  const [ours, all] = [measuresOf(among), measuresOf(snapshots)];
  if (ours.byHeight === all.byHeight && ours.byLog === all.byLog) return good;
  const entryOf = new Map(good.map((entry) => [entry.snapshot, entry]));
  return newestFirst(among).flatMap((snapshot) => entryOf.get(snapshot) ?? []);
}

const periods: readonly (readonly ['hourly' | 'daily' | 'weekly' | 'monthly' | 'yearly', Period])[] = [
  ['hourly', 'hour'],
  ['daily', 'day'],
  ['weekly', 'week'],
  ['monthly', 'month'],
  ['yearly', 'year'],
];

/** A snapshot while it is being judged. */
interface Entry<S> {
  readonly snapshot: S;
  readonly reasons: string[];
  /** Of its position, once a rule has asked. */
  local?: LocalTime;
}

function keepLast<S>(count: Count | undefined, good: readonly Entry<S>[]): void {
  if (count === undefined) return;
  for (const { reasons } of count === 'all' ? good : good.slice(0, count)) reasons.push('last snapshot');
}

/** From the newest back, not from now: a clock that jumps ahead by years makes no snapshot older than the others. */
function keepWithin<S extends Candidate>(ms: number | undefined, good: readonly Entry<S>[]): void {
  if (ms === undefined) return;
  const timeOf = ({ snapshot }: Entry<S>): number => snapshot.position.at.getTime();
  const newest = good.reduce((latest, entry) => Math.max(latest, timeOf(entry)), Number.NEGATIVE_INFINITY);
  const reason = `within ${describeMs(ms)}`;
  for (const entry of good) if (timeOf(entry) >= newest - ms) entry.reasons.push(reason);
}

interface Buckets<S> {
  readonly name: string;
  readonly bucketOf: (entry: Entry<S>) => bigint | number | string;
}

/** The newest of each of so many buckets; as long as there are fewer, the oldest of all, too, so that a policy which is new to a store
 *  comes to have its old ones. */
function keepBuckets<S>(count: Count | undefined, good: readonly Entry<S>[], { name, bucketOf }: Buckets<S>): void {
  if (count === undefined) return;
  const seen = new Set<bigint | number | string>();
  const reason = `${name} snapshot`;
  for (const entry of good) {
    const bucket = bucketOf(entry);
    if (seen.has(bucket)) continue;
    if (count !== 'all' && seen.size >= count) return;
    seen.add(bucket);
    entry.reasons.push(reason);
  }
  if (count !== 'all' && seen.size < count) good.at(-1)?.reasons.push(`oldest ${name} snapshot`);
}

/** What holds a part of one that stays, stays, and what holds a part of that. */
function keepReferred<S extends Candidate>(entries: readonly Entry<S>[]): void {
  const kept = entries.filter(({ reasons }) => reasons.length > 0).map(({ snapshot }) => snapshot);
  const referrers = referrersOf(
    kept,
    entries.map(({ snapshot }) => snapshot),
  );
  for (const { snapshot, reasons } of entries) {
    const by = referrers.get(snapshot.id);
    if (by !== undefined) reasons.push(`referred to by ${by}`);
  }
}

/** By id of each snapshot that others need, directly or not: the id of one that refers to it. */
export function referrersOf<S extends Candidate>(from: readonly S[], among: readonly S[]): ReadonlyMap<string, string> {
  const known = new Map(among.map((snapshot) => [snapshot.id, snapshot]));
  const referrers = new Map<string, string>();
  const pending: Candidate[] = [...from];
  for (const snapshot of pending) {
    for (const id of snapshot.refersTo ?? []) {
      if (referrers.has(id)) continue;
      referrers.set(id, snapshot.id);
      const found = known.get(id);
      if (found !== undefined) pending.push(found);
    }
  }
  return referrers;
}

function heightOf({ id, position }: Candidate): bigint {
  if (position.height !== undefined) return position.height;
  throw new TidemarkError('USAGE', `decide what to keep: the policy goes by height, and snapshot ${id} has none`);
}
