// The objects of a catalog that the options of pg_dump ask for: --table, --schema, --extension, what they exclude, and what the
// switches --no-... leave out. Pure: a catalog goes in, a smaller one comes out, with a list of what could not come along. Patterns are
// read by pattern.ts. See https://www.postgresql.org/docs/current/app-pgdump.html
import type { Catalog } from '../model/catalog.js';
import type { LeftOut } from '../model/manifest.js';
import { choose, choosesAll, matchesRelation, type Patterns, refuseUnmatched } from './choose.js';
import { leftOutOf } from './left-out.js';
import { type Omission, omit } from './omit.js';
import type { Pattern } from './pattern.js';
import { reach } from './reach.js';
import { renumber } from './renumber.js';

export interface Selection extends Patterns {
  /** What is left out of all objects, or altogether. */
  readonly omissions?: ReadonlySet<Omission>;
}

/** Selects as pg_dump does, and more where its selection would not restore:
 *
 *  - `tables` (-t) chooses tables, views, materialized views, sequences and foreign tables, with indexes, constraints, triggers and all
 *    else that belongs to them; `schemas` (-n) chooses the schemas with all that lies in them. Together, `tables` alone counts.
 *  - `excludeTables` (-T) and `excludeSchemas` (-N) win over both; excludeSchemas has no effect with `tables`.
 *  - `extensions` (-e) and `excludeExtensions` choose among extensions alone. One that a chosen object needs comes along unless it is
 *    excluded.
 *  - Partitions go with their partitioned table, in and out, unlike pg_dump's -t and -T, and like its --table-and-children and
 *    --exclude-table-and-children: the rows of a partitioned table lie in its partitions. Inheritance children do not.
 *  - What the chosen objects need is taken along: schemas, extensions, types, functions, collations, sequences, and what those need;
 *    casts whose types and function are in, as their use leaves no trace.
 *    Tables and views are not: a step that needs one that is not in (a foreign key, a view, an ATTACH PARTITION) is left out,
 *    so is all that needs it in turn, and each is in `leftOut` with the reason. So is what needs an excluded object.
 *
 *  The ids of the result are indexes again. Without patterns, everything is in and `leftOut` is empty.
 *  @throws TidemarkError PATTERN_UNMATCHED for a pattern of `tables`, `schemas` or `extensions` that matches nothing */
export function selectSteps(whole: Catalog, selection: Selection): { readonly catalog: Catalog; readonly leftOut: readonly LeftOut[] } {
  const catalog = omit(whole, selection.omissions ?? new Set());
  if (choosesAll(catalog, selection)) return { catalog, leftOut: [] };
  const standing = choose(catalog, selection);
  const reached = reach(catalog, standing);
  const leftOut = leftOutOf(catalog, reached, standing);
  const { objects, blocked } = reached;
  const steps = catalog.steps.filter((step) => objects.has(step.object) && !blocked.has(step));
  const acted = new Set(steps.map((step) => step.object));
  const had = new Set(catalog.steps.map((step) => step.object));
  const isIn = (id: number): boolean => {
    const object = catalog.objects[id];
    if (object === undefined || !objects.has(id)) return false;
    if (had.has(id)) return acted.has(id);
    // Made by its parent's statement: there where the parent is.
    return object.parent === undefined || isIn(object.parent);
  };
  return { catalog: renumber(catalog, { objects: catalog.objects.filter(({ id }) => isIn(id)), steps }), leftOut };
}

/** The objects that patterns of --exclude-table-data match, with the partitions of partitioned tables: `CatalogTable.object` of those
 *  whose rows are to stay away, and sequences, views and partitioned tables among them.
 *  @throws TidemarkError PATTERN_UNMATCHED for a pattern that matches nothing */
export function matchTables({ objects }: Pick<Catalog, 'objects'>, patterns: readonly Pattern[]): ReadonlySet<number> {
  refuseUnmatched('table', patterns, (pattern) => objects.some((object) => matchesRelation(objects, object, pattern)));
  const isMatched = (id: number): boolean => {
    const object = objects[id];
    if (object === undefined) return false;
    return (
      patterns.some((pattern) => matchesRelation(objects, object, pattern)) ||
      (object.partitionOf !== undefined && isMatched(object.partitionOf))
    );
  };
  return new Set(objects.filter(({ id }) => isMatched(id)).map(({ id }) => id));
}
