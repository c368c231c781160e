// Lists of OIDs as runs without gaps: those of large objects come one after the other by the thousand. As data, and as SQL.
import type { OidRange } from '../model/catalog.js';

/** @param oids ascending, each once */
export function toOidRanges(oids: readonly number[]): readonly OidRange[] {
  const ranges: [number, number][] = [];
  for (const oid of oids) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] + 1 === oid) last[1] = oid;
    else ranges.push([oid, oid]);
  }
  return ranges;
}

/** A FROM item with one column `"oid"`, of type oid, in ascending order. */
export function oidsFrom(ranges: readonly OidRange[]): string {
  const list = (end: 0 | 1): string => `'{${ranges.map((range) => range[end]).join(',')}}'::pg_catalog.int8[]`;
  return (
    `(SELECT "run"::pg_catalog.oid AS "oid" FROM ROWS FROM (pg_catalog.unnest(${list(0)}), pg_catalog.unnest(${list(1)})) AS "runs" ("first", "last"), ` +
    'pg_catalog.generate_series("first", "last") AS "run") AS "listed"'
  );
}
