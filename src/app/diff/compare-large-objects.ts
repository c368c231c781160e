// Which large objects two snapshots have. An application refers to them by their OIDs, which are the same after a restore; in which groups they are
// made does not matter. Pure.
import type { Catalog } from '../../model/catalog.js';
import { isSame } from './compare-schema.js';

/** The large objects that one of them has and the other has not. That contents differ is told with the rows. */
export interface LargeObjectsDiff {
  readonly before: number;
  readonly after: number;
  readonly added: number;
  readonly removed: number;
  /** Both have the same ones, but owners, privileges or comments differ. */
  readonly changed: boolean;
}

/** Of archives that both have data; undefined where there is no difference. */
export function compareLargeObjects(a: Catalog, b: Catalog): LargeObjectsDiff | undefined {
  const [before, after] = [rangesOf(a), rangesOf(b)];
  const common = sizeOf(intersection(before, after));
  const [removed, added] = [sizeOf(before) - common, sizeOf(after) - common];
  const changed = removed === 0 && added === 0 && !isSame(largeObjectStatements(a), largeObjectStatements(b));
  if (removed === 0 && added === 0 && !changed) return undefined;
  return { before: sizeOf(before), after: sizeOf(after), added, removed, changed };
}

type Range = readonly [first: number, last: number];

/** Of all groups, ascending, joined where they meet. */
function rangesOf({ objects }: Catalog): readonly Range[] {
  const ranges = objects.flatMap(({ oids = [] }) => oids).toSorted(([one], [other]) => one - other);
  const joined: [number, number][] = [];
  for (const [first, last] of ranges) {
    const before = joined.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else if (first <= last) joined.push([first, last]);
  }
  return joined;
}

function sizeOf(ranges: readonly Range[]): number {
  return ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}

function intersection(one: readonly Range[], other: readonly Range[]): readonly Range[] {
  const common: Range[] = [];
  for (let [at, of] = [0, 0]; at < one.length && of < other.length; ) {
    const [[first, last], [otherFirst, otherLast]] = [one[at] as Range, other[of] as Range];
    const [from, to] = [Math.max(first, otherFirst), Math.min(last, otherLast)];
    if (from <= to) common.push([from, to]);
    if (last < otherLast) at += 1;
    else of += 1;
  }
  return common;
}

function largeObjectStatements({ objects, steps }: Catalog): readonly string[] {
  return steps.flatMap(({ object, statements }) => (objects[object]?.kind === 'large object' ? statements : []));
}
