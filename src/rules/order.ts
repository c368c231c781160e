// Which of several snapshots is the newest. Times lie: clocks are put back. Where all have a height, that decides; else, where all are of
// one server, the write-ahead log's position; else their times.
import type { Position } from '../model/position.js';

export interface Ordered {
  readonly id: string;
  readonly position: Position;
  /** The source's system identifier: write-ahead log positions of one server can be compared. */
  readonly system?: string;
}

/** The snapshots, newest first. What decides last is the name, so that the order is always the same. */
export function newestFirst<S extends Ordered>(snapshots: readonly S[]): readonly S[] {
  const { byHeight, byLog } = measuresOf(snapshots);
  const keyed = snapshots.map((snapshot): Keyed<S> => {
    const { height = 0n, lsn, at } = snapshot.position;
    return { snapshot, height: byHeight ? height : 0n, lsn: byLog ? lsn : 0n, at: at.getTime() };
  });
  return keyed.sort(descending).map(({ snapshot }) => snapshot);
}

export interface Measures {
  readonly byHeight: boolean;
  readonly byLog: boolean;
}

/** What snapshots can be compared by, besides their times. */
export function measuresOf(snapshots: readonly Ordered[]): Measures {
  const first = snapshots[0]?.system;
  let byHeight = true;
  let byLog = first !== undefined;
  for (const { position, system } of snapshots) {
    if (position.height === undefined) byHeight = false;
    if (system !== first) byLog = false;
  }
  return { byHeight, byLog };
}

/** What a snapshot is compared by; zero where that does not count. */
interface Keyed<S> {
  readonly snapshot: S;
  readonly height: bigint;
  readonly lsn: bigint;
  readonly at: number;
}

function descending(a: Keyed<Ordered>, b: Keyed<Ordered>): number {
  if (a.height !== b.height) return a.height < b.height ? 1 : -1;
  if (a.lsn !== b.lsn) return a.lsn < b.lsn ? 1 : -1;
  if (a.at !== b.at) return b.at - a.at;
  return a.snapshot.id < b.snapshot.id ? 1 : a.snapshot.id > b.snapshot.id ? -1 : 0;
}
