// Which rows of the chosen tables are in, and into which table they are loaded: --exclude-table-data, --load-via-partition-root. Pure.
import type { Catalog, CatalogTable } from '../model/catalog.js';
import type { Pattern } from './pattern.js';
import { matchTables } from './select.js';

/** Tables whose rows are not to be copied say so.
 *  @throws TidemarkError PATTERN_UNMATCHED for a pattern that matches nothing */
export function excludeRows(catalog: Catalog, patterns: readonly Pattern[]): Catalog {
  if (patterns.length === 0) return catalog;
  const excluded = matchTables(catalog, patterns);
  return {
    ...catalog,
    tables: catalog.tables.map((table) =>
      table.withoutData === undefined && excluded.has(table.object) ? { ...table, withoutData: 'excluded' } : table,
    ),
  };
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
