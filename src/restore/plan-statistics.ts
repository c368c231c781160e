// What the planner is to know after a restore, as data: pure. Which of the archive's statistics are put in (tables' with their rows,
// materialized views' once they are filled, indexes' where they are made, or stay over rows that were replaced), and what is analyzed
// where there were none. How, is the matter of statistics.ts and analyze.ts.
import { type Catalog, type CatalogObject, type CatalogTable, isTable, type Step, type TableName } from '../model/catalog.js';

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
  /** What gets rows is analyzed if it has no statistics by then. */
  readonly analyze: boolean;
  /** The tables as they are in the archive, before rows of some were left out. */
  readonly archived: readonly CatalogTable[];
  /** Objects (by id) that nothing is done to. */
  readonly present: ReadonlySet<number>;
}

const tables = new Set(['table', 'foreign table']);

/** Empty where the catalog has no statistics. Without those that are of other rows than the table is going to have. */
export function planStatistics(
  catalog: Catalog,
  { data, postData, refreshes, truncate, analyze, archived, present }: StatisticsScope,
): readonly StatisticsOf[] {
  const there = catalog.tables.some(({ statistics, withoutData }) => statistics === true && withoutData === undefined);
  if (!there) return [];
  const filled = postData && refreshes;
  const others = new Set([...present, ...leftEmpty(catalog, archived), ...(data && analyze ? leftToAnalyze(catalog) : [])]);
  return catalog.objects.flatMap(({ id, kind, schema, name, parent }): StatisticsOf[] => {
    if (schema === undefined || parent !== undefined || others.has(id)) return [];
    const view = kind === 'materialized view';
    if (!view && !tables.has(kind)) return [];
    const itself = view ? filled : data;
    const indexes = filled || (truncate && !view);
    return itself || indexes ? [{ schema, name, itself, indexes }] : [];
  });
}

/** Tables whose rows the archive has, and nobody wants. */
function leftEmpty(catalog: Pick<Catalog, 'tables'>, archived: readonly CatalogTable[]): readonly number[] {
  const withRows = new Set(archived.filter(({ withoutData }) => withoutData === undefined).map(({ directory }) => directory));
  return catalog.tables.flatMap(({ object, directory, withoutData }) =>
    withoutData !== undefined && withRows.has(directory) ? object : [],
  );
}

/** Tables that get rows, and of which ANALYZE knows more: with extended statistics, which no server takes, on themselves or on what they are
 *  partitions of; and partitions whose rows may go to others. */
function leftToAnalyze(catalog: Catalog): readonly number[] {
  const loaded = catalog.tables.filter((table) => isTable(table) && table.withoutData === undefined);
  const filled = new Set<number>();
  for (const { object } of loaded) {
    for (let id: number | undefined = object; id !== undefined; id = catalog.objects[id]?.partitionOf) filled.add(id);
  }
  return [
    ...extendedOf(catalog).flatMap(({ parent }) => (parent !== undefined && filled.has(parent) ? parent : [])),
    ...loaded.flatMap(({ object, loadInto }) => (loadInto === undefined ? [] : object)),
  ];
}

function extendedOf({ objects }: Pick<Catalog, 'objects'>): readonly CatalogObject[] {
  return objects.filter(({ kind }) => kind === 'statistics');
}

/** How many extended statistics these tables have, which stay empty where the tables are not analyzed. */
export function countExtended(catalog: Pick<Catalog, 'objects'>, relations: readonly TableName[]): number {
  const names = new Set(relations.map(({ schema, name }) => JSON.stringify([schema, name])));
  return extendedOf(catalog).filter(({ parent }) => {
    const table = parent === undefined ? undefined : catalog.objects[parent];
    return table !== undefined && names.has(JSON.stringify([table.schema, table.name]));
  }).length;
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
