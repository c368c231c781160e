// What the planner is to know after a restore, as data: pure. Which of the archive's statistics are put in (tables' with their rows,
// materialized views' once they are filled, indexes' where they are made, or stay over rows that were replaced), or what is analyzed
// instead. How, is the matter of statistics.ts and analyze.ts.
import type { Catalog, CatalogObject, Step } from '../model/catalog.js';

/** A table or view whose statistics are wanted: its own, those of its indexes, or both. */
export interface StatisticsOf {
  readonly schema: string;
  readonly name: string;
  readonly itself: boolean;
  readonly indexes: boolean;
}

export interface StatisticsScope {
  readonly data: boolean;
  /** Indexes are made. */
  readonly postData: boolean;
  /** Materialized views are filled. */
  readonly refreshes: boolean;
  readonly truncate: boolean;
  /** Objects (by id) that nothing is done to. */
  readonly present: ReadonlySet<number>;
}

const tables = new Set(['table', 'foreign table']);

/** Empty where the catalog has no statistics. */
export function planStatistics(
  { objects, tables: entries }: Pick<Catalog, 'objects' | 'tables'>,
  { data, postData, refreshes, truncate, present }: StatisticsScope,
): readonly StatisticsOf[] {
  const there = entries.some(({ statistics, withoutData }) => statistics === true && withoutData === undefined);
  if (!there) return [];
  const filled = postData && refreshes;
  return objects.flatMap(({ id, kind, schema, name, parent }): StatisticsOf[] => {
    if (schema === undefined || parent !== undefined || present.has(id)) return [];
    const view = kind === 'materialized view';
    if (!view && !tables.has(kind)) return [];
    const itself = view ? filled : data;
    const indexes = filled || (truncate && !view);
    return itself || indexes ? [{ schema, name, itself, indexes }] : [];
  });
}

/** How many objects there are that only ANALYZE can gather statistics for: no server takes those of CREATE STATISTICS. */
export function countExtended({ objects }: Pick<Catalog, 'objects'>): number {
  return objects.filter(({ kind }) => kind === 'statistics').length;
}

interface TableName {
  readonly schema: string;
  readonly name: string;
}

/** The tables that got rows, partitioned tables instead of their partitions (ANALYZE of one does those, too, and nobody else ever does
 *  the partitioned table itself), and the views that were refreshed. */
export function planAnalyze(catalog: Catalog, loaded: readonly TableName[], refreshes: readonly Step[]): readonly TableName[] {
  const names = new Set(loaded.map(({ schema, name }) => JSON.stringify([schema, name])));
  const chosen = new Set<CatalogObject>();
  for (const table of catalog.tables) {
    if (!names.has(JSON.stringify([table.schema, table.name]))) continue;
    let object = catalog.objects[table.object];
    while (object?.partitionOf !== undefined) object = catalog.objects[object.partitionOf];
    if (object !== undefined) chosen.add(object);
  }
  for (const { object } of refreshes) {
    const view = catalog.objects[object];
    if (view !== undefined) chosen.add(view);
  }
  return [...chosen].flatMap(({ schema, name }) => (schema === undefined ? [] : [{ schema, name }]));
}
