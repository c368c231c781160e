// Which partitions are complete at a height: leaves whose range ends at or before it, at their own level or at one above. Only candidates:
// that their rows are what they were is proven elsewhere (row-fingerprint.ts), so that a wrong guess costs time and nothing else.
import { TidemarkError } from '../model/errors.js';
import type { Session } from '../pg/session.js';
import type { Pattern } from '../selection/pattern.js';

/** One step from a leaf upwards: what a partition is to the partitioned table above it. Columns have PostgreSQL's names. */
export interface PartitionStep extends Record<string, unknown> {
  /** Of the leaf. */
  readonly oid: number;
  /** 1: the leaf itself. */
  readonly level: number;
  /** The partitioned table. */
  readonly nspname: string;
  readonly relname: string;
  readonly partstrat: 'r' | 'l' | 'h';
  readonly partnatts: number;
  /** pg_type.oid of its first key, where that is a column. */
  readonly key_type: number | null;
  /** As pg_get_expr prints it. */
  readonly bound: string;
}

// The tree is read from the catalogs of the snapshot; pg_partition_tree would tell that of now.
const steps = `
WITH RECURSIVE above (oid, level, child, parent) AS (
  SELECT i.inhrelid, 1, i.inhrelid, i.inhparent FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid AND c.relispartition
   WHERE i.inhrelid = ANY ($1)
  UNION ALL
  SELECT a.oid, a.level + 1, i.inhrelid, i.inhparent
    FROM above a JOIN pg_inherits i ON i.inhrelid = a.parent JOIN pg_class c ON c.oid = i.inhrelid AND c.relispartition)
SELECT a.oid, a.level, n.nspname, p.relname, t.partstrat::text, t.partnatts::int, k.atttypid AS key_type, pg_get_expr(c.relpartbound, c.oid) AS bound
  FROM above a
  JOIN pg_class c ON c.oid = a.child
  JOIN pg_class p ON p.oid = a.parent
  JOIN pg_namespace n ON n.oid = p.relnamespace
  JOIN pg_partitioned_table t ON t.partrelid = a.parent
  LEFT JOIN pg_attribute k ON k.attrelid = a.parent AND k.attnum = t.partattrs[0]
 ORDER BY a.oid, a.level`;

/** @param oids of leaves */
export async function readPartitionSteps(session: Session, oids: readonly number[]): Promise<readonly PartitionStep[]> {
  return await session.query<PartitionStep>(steps, [oids]);
}

/** int2, int4, int8, numeric */
const heightTypes = new Set([21, 23, 20, 1700]);

/** The first height that is not in the partition any more; undefined where it has no end, or is no range of heights. */
export function firstHeightAfter({ partstrat, partnatts, key_type, bound }: PartitionStep): bigint | undefined {
  if (partstrat !== 'r' || partnatts !== 1 || key_type === null || !heightTypes.has(key_type)) return undefined;
  const [, sign, whole, fraction = ''] = /^FOR VALUES FROM \(.*\) TO \('?(-?)(\d+)(?:\.(\d+))?'?\)$/.exec(bound) ?? [];
  if (whole === undefined) return undefined;
  const integer = BigInt(`${sign}${whole}`);
  // Rows are below the bound: with one of 10.5 the last is 10, with one of -10.5 it is -11.
  return /[1-9]/.test(fraction) && sign === '' ? integer + 1n : integer;
}

/** The leaves that are complete once the block at `height` has been processed: a range up to, and without, b ends with b - 1.
 *  @throws TidemarkError PATTERN_UNMATCHED for a pattern that names no partitioned table that has such leaves
 *  @returns their OIDs */
export function completedLeaves(
  all: readonly PartitionStep[],
  { patterns, height }: { readonly patterns: readonly Pattern[]; readonly height: bigint },
): ReadonlySet<number> {
  for (const pattern of patterns) {
    if (all.some((step) => matches(pattern, step))) continue;
    throw new TidemarkError(
      'PATTERN_UNMATCHED',
      `take a snapshot: no partitioned table with partitions that are read matches ${pattern.text}`,
      {
        hint: 'name the partitioned table, as in --completed-once public.events',
      },
    );
  }
  const complete = new Map<number, boolean>();
  const found = new Set<number>();
  for (const step of all.toSorted((a, b) => a.level - b.level)) {
    const end = firstHeightAfter(step);
    const below = complete.get(step.oid) === true || (end !== undefined && end <= height + 1n);
    complete.set(step.oid, below);
    if (below && patterns.some((pattern) => matches(pattern, step))) found.add(step.oid);
  }
  return found;
}

function matches({ schema, name }: Pattern, { nspname, relname }: PartitionStep): boolean {
  return name.test(relname) && (schema === undefined || schema.test(nspname));
}
