// What a node does with its database when it starts: goes on with it, puts a snapshot into it, or begins from nothing. Pure; how a
// database is looked at and filled is the business of app/bootstrap.
import type { Position } from '../model/position.js';

/** What a database looks like at the start of a node. */
export type DatabaseState =
  /** There is none of that name. */
  | 'missing'
  /** There is nothing of users in it. */
  | 'empty'
  /** A restore into it was begun and has not ended. */
  | 'incomplete'
  /** Its host says that what it holds is not right. */
  | 'invalid'
  | 'healthy';

/** Stream name to a sequence. */
export type Streams = Readonly<Record<string, bigint>>;

export interface StartFacts<S> {
  readonly state: DatabaseState;
  /** The last sequence of each stream that a healthy database has processed. A stream that is not in it counts as 0: nothing of it. */
  readonly own?: Streams | undefined;
  /** The earliest sequence that each stream still holds; none: all of them hold everything. */
  readonly available?: Streams | undefined;
  /** The good snapshots, newest first. */
  readonly snapshots: readonly S[];
}

export type Start<S> =
  /** The database is right, and the streams go on where it stands. */
  | { readonly action: 'warm'; readonly reason: string }
  | { readonly action: 'restore'; readonly snapshot: S; readonly reason: string }
  /** There is nothing to restore, and nothing that would be lost: from the beginning. */
  | { readonly action: 'begin'; readonly reason: string }
  | { readonly action: 'impossible'; readonly reason: string; readonly hint: string };

/** A node whose last processed sequence is `s` can go on from `s + 1`: as long as the stream still holds that, all is well.
 *  @example decideStart({ state: 'healthy', own: { txs: 90n }, available: { txs: 120n }, snapshots })
 *  // { action: 'restore', snapshot, reason: 'stream "txs" holds 120 and later, and 91 is needed as the database stands' } */
export function decideStart<S extends { readonly id: string; readonly position: Position }>({
  state,
  own = {},
  available = {},
  snapshots,
}: StartFacts<S>): Start<S> {
  const behind = state === 'healthy' ? gaps(own, available) : [];
  if (state === 'healthy' && behind.length === 0) return { action: 'warm', reason: 'the database is healthy' };
  const why = state === 'healthy' ? `${describeGaps(behind)} as the database stands` : because[state];
  const snapshot = snapshots.find(({ position }) => gaps(position.streams ?? {}, available).length === 0);
  if (snapshot !== undefined) return { action: 'restore', snapshot, reason: why };
  const newest = snapshots[0];
  if (newest !== undefined) {
    const short = describeGaps(gaps(newest.position.streams ?? {}, available));
    return {
      action: 'impossible',
      reason: `${why}, and no snapshot reaches what the streams still hold: ${short} after the newest, ${newest.id}`,
      hint: 'take snapshots more often than the streams forget, or copy a newer one into the store',
    };
  }
  if (state !== 'missing' && state !== 'empty') {
    return { action: 'impossible', reason: `${why}, and there is no snapshot`, hint: 'copy a snapshot of it into the store' };
  }
  const lost = gaps({}, available);
  if (lost.length === 0) return { action: 'begin', reason: `${why}, and there is no snapshot` };
  return {
    action: 'impossible',
    reason: `${why}, there is no snapshot, and ${describeGaps(lost)} from the beginning`,
    hint: 'copy a snapshot into the store',
  };
}

const because: Readonly<Record<Exclude<DatabaseState, 'healthy'>, string>> = {
  missing: 'the database does not exist',
  empty: 'the database is empty',
  incomplete: 'a restore into the database was interrupted',
  invalid: 'the database is marked invalid',
};

interface Gap {
  readonly stream: string;
  readonly earliest: bigint;
  readonly needed: bigint;
}

function gaps(processed: Streams, available: Streams): readonly Gap[] {
  return Object.entries(available).flatMap(([stream, earliest]) => {
    const needed = (Object.hasOwn(processed, stream) ? (processed[stream] ?? 0n) : 0n) + 1n;
    return needed >= earliest ? [] : [{ stream, earliest, needed }];
  });
}

function describeGaps(list: readonly Gap[]): string {
  const parts = list.map(
    ({ stream, earliest, needed }) => `stream ${JSON.stringify(stream)} holds ${earliest} and later, and ${needed} is needed`,
  );
  return parts.join(', ');
}
