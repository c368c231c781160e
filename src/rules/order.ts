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
  const byHeight = snapshots.every(({ position }) => position.height !== undefined);
  const byLog = snapshots.every(({ system }) => system !== undefined && system === snapshots[0]?.system);
  return snapshots.toSorted(
    (a, b) =>
      (byHeight ? descending(a.position.height as bigint, b.position.height as bigint) : 0) ||
      (byLog ? descending(a.position.lsn, b.position.lsn) : 0) ||
      descending(a.position.at.getTime(), b.position.at.getTime()) ||
      descending(a.id, b.id),
  );
}

function descending<T extends bigint | number | string>(a: T, b: T): number {
  return a < b ? 1 : a > b ? -1 : 0;
}
