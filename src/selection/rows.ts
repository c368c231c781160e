// Which rows of the chosen tables are in, and into which table they are loaded: --exclude-table-data, --load-via-partition-root. Pure.
import type { Catalog, CatalogTable, Step } from '../model/catalog.js';
import type { Pattern } from './pattern.js';
import { renumberSteps } from './sections.js';
import { matchTables } from './select.js';

/** Tables whose rows are not to be copied say so; materialized views whose rows are not wanted stay unpopulated, and so do those that
 *  read them.
 *  @throws TidemarkError PATTERN_UNMATCHED for a pattern that matches nothing */
export function excludeRows(catalog: Catalog, patterns: readonly Pattern[]): Catalog {
  if (patterns.length === 0) return catalog;
  const excluded = matchTables(catalog, patterns);
  const unpopulated = readersOf(catalog, excluded);
  return {
    ...catalog,
    steps: renumberSteps(catalog.steps.filter((step) => step.facet !== 'refresh' || !unpopulated.has(step))),
    tables: catalog.tables.map((table) =>
      table.withoutData === undefined && excluded.has(table.object) ? { ...table, withoutData: 'excluded' } : table,
    ),
  };
}

/** The steps of materialized views among these objects, and those that need them. */
function readersOf({ objects, steps }: Catalog, excluded: ReadonlySet<number>): ReadonlySet<Step> {
  const readers = new Set<Step>();
  // Needs have smaller ids.
  for (const step of steps) {
    const itself = excluded.has(step.object) && objects[step.object]?.kind === 'materialized view';
    if (itself || step.needs.some((need) => readers.has(steps[need] as Step))) readers.add(step);
  }
  return readers;
}

/** Rows of partitions go into the topmost partitioned table above them that is in the catalog: on the target they may belong to other
 *  partitions. */
export function loadViaRoots(catalog: Catalog): Catalog {
  const rootOf = ({ object }: CatalogTable): number | undefined => {
    let root = catalog.objects[object]?.partitionOf;
    for (let above = root; above !== undefined; above = catalog.objects[above]?.partitionOf) root = above;
    return root;
  };
  return {
    ...catalog,
    tables: catalog.tables.map((table) => {
      const root = rootOf(table);
      return root === undefined ? table : { ...table, loadInto: root };
    }),
  };
}
