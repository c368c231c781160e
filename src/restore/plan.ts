// What a restore does, as data: pure, from a catalog, the rows that are there and the mode. The same plan is printed by a dry run and
// executed (app/restore/restore-snapshot.ts); which of its post-data steps may run at once is schedule.ts's decision.
import type { Catalog, CatalogTable, Step, TableName } from '../model/catalog.js';
import type { StoredChunk } from '../model/manifest.js';
import { qualifiedName, quoteIdentifier } from '../pg/quote.js';
import type { GlobalsAction } from './globals.js';
import { type Staging, stageLargeObjects } from './large-objects.js';
import { planDrops, planTruncate, type Statement } from './plan-drops.js';
import { planAnalyze, planStatistics, type StatisticsOf } from './plan-statistics.js';
import { anyRelation } from './schedule.js';
import { type StatisticsPlace, stageStatistics, statisticsStaging } from './statistics.js';

/** The rows of one table. */
export interface TableLoad {
  readonly schema: string;
  readonly name: string;
  /** Where its members are in the archive: the same word in catalog and manifest. */
  readonly directory: string;
  /** `COPY ... FROM STDIN ...`: the same for every chunk. */
  readonly sql: string;
  /** The table was there before its rows, with triggers and foreign keys: that of an extension. */
  readonly triggersAside?: true;
  /** The rows are pieces of large objects, and go into those from where COPY puts them. */
  readonly staging?: Staging;
  /** They are no rows of a table: pieces of large objects, or statistics. */
  readonly table: boolean;
  /** Object that the rows are in then, or `anyRelation`; absent where they are no rows of a table. */
  readonly fills?: number;
  readonly rows: bigint;
  readonly rawBytes: bigint;
  /** Absent where the archive comes from a pipe: they are taken as they come. */
  readonly chunks?: readonly StoredChunk[];
  /** The other archive that has them, as in the manifest. */
  readonly in?: number;
}

/** What whoever sends a chunk has to know of it. */
export function deliveryOf(load: TableLoad): Pick<TableLoad, 'sql' | 'staging' | 'triggersAside'> & { readonly what: string } {
  const { sql, staging, triggersAside } = load;
  const more = { ...(staging === undefined ? {} : { staging }), ...(triggersAside === undefined ? {} : { triggersAside }) };
  return { sql, what: describeLoad(load), ...more };
}

/** What it loads are rows of tables, or of large objects: not statistics. */
export function countsRows({ table, staging }: TableLoad): boolean {
  return table || staging !== undefined;
}

/** For messages: `rows of table public.events`. */
export function describeLoad({ schema, name, staging, table }: TableLoad): string {
  if (table) return `rows of table ${schema}.${name}`;
  return staging === undefined ? 'planner statistics' : 'pieces of large objects';
}

export type Action =
  /** Roles and tablespaces of the server. */
  | GlobalsAction
  | { readonly action: 'drop database'; readonly database: string; readonly force: boolean }
  | { readonly action: 'create database'; readonly database: string; readonly staging: boolean }
  /** Everything up to 'commit' is one transaction on one session. */
  | { readonly action: 'begin' | 'commit' }
  /** Loads exactly the rows of the archive: no trigger adds to them, no foreign key asks for their order. */
  | { readonly action: 'set triggers aside' | 'restore triggers' }
  /** Removes what an interrupted restore made. */
  | { readonly action: 'wipe'; readonly extensions: readonly string[] }
  | { readonly action: 'mark' | 'unmark' }
  | { readonly action: 'drop' | 'truncate'; readonly statements: readonly Statement[] }
  /** One after the other, in this order. */
  | { readonly action: 'pre-data' | 'large objects' | 'values' | 'privileges' | 'refresh'; readonly steps: readonly Step[] }
  /** Of large tables, while they are filled and indexed. */
  | { readonly action: 'hold autovacuum'; readonly tables: readonly TableName[] }
  | { readonly action: 'release autovacuum' }
  | { readonly action: 'rows'; readonly loads: readonly TableLoad[] }
  /** Several at a time where there are several sessions. */
  | { readonly action: 'post-data'; readonly steps: readonly Step[] }
  /** Where they wait until all that they are of is there. */
  | { readonly action: 'stage statistics'; readonly statements: readonly string[] }
  | { readonly action: 'statistics'; readonly place: StatisticsPlace; readonly relations: readonly StatisticsOf[] }
  /** But for those that got statistics. */
  | { readonly action: 'analyze'; readonly tables: readonly TableName[] }
  /** Foreign keys that were not checked while the rows came. */
  | { readonly action: 'check foreign keys'; readonly tables: readonly TableName[] }
  /** Of the database itself: owner, comment, privileges, settings. */
  | { readonly action: 'database properties'; readonly statements: readonly string[] }
  | { readonly action: 'swap'; readonly from: string; readonly to: string };

export type Plan = readonly Action[];

/** The part of a table's manifest entry that is needed: absent altogether where the manifest comes last. */
export interface TableRows {
  readonly rows: bigint;
  readonly rawBytes: bigint;
  readonly chunks: readonly StoredChunk[];
  readonly in?: number;
}

export interface PlanOptions {
  /** What comes before the rows is made. */
  readonly schema: boolean;
  readonly data: boolean;
  /** What comes after them is made. Default: as `schema`. */
  readonly postData?: boolean;
  /** False leaves out ANALYZE. */
  readonly analyze?: boolean;
  /** The archive's statistics are restored where it has some, which come by this place; absent: as if it had none. */
  readonly statistics?: StatisticsPlace;
  /** `--clean`: drop first; with `ifExists` what is missing is no error. */
  readonly clean?: { readonly ifExists: boolean };
  readonly truncate?: boolean;
  /** Quoted names of partitioned tables to be truncated with the partitions. */
  readonly truncateWhole?: readonly string[];
  /** Rows of a table. Undefined for a table without an entry; absent for a pipe. */
  readonly rowsOf?: (table: CatalogTable) => TableRows | undefined;
  /** The tables as they are in the archive, before rows of some were left out. Default: those of the catalog. */
  readonly archived?: readonly CatalogTable[];
  /** Objects (by id) that the target has already: nothing is done to them. */
  readonly present?: ReadonlySet<number>;
  /** Keeps autovacuum away from large tables meanwhile: where the database is ours alone. With `schema` only. */
  readonly holdAutovacuum?: boolean;
  /** Rows go into tables that were there before: with triggers set aside or, where the role may not do that, in the order that the
   *  foreign keys want. */
  readonly into?: { readonly triggersAside: boolean; readonly order: readonly CatalogTable[] };
}

/** The actions inside of the target database, in order. */
export function planContents(catalog: Catalog, options: PlanOptions): Plan {
  const { schema, data, postData = schema, into, present = new Set() } = options;
  const steps = stepsByPhase(catalog, present);
  // Rows that came in an earlier restore are as good.
  const refreshes = data || !schema;
  const place = options.statistics;
  const analyze = data && options.analyze !== false;
  const { truncate = false, archived = catalog.tables } = options;
  const scope = { data, postData, refreshes, truncate, analyze, archived, present };
  const statistics = place === undefined ? [] : planStatistics(catalog, scope);
  const wanted = (into?.order ?? catalog.tables).filter((table) => (table.statistics ? statistics.length > 0 : data));
  const loads = planLoads({ ...catalog, tables: wanted }, options);
  const names = loads.filter(({ table }) => table).map(({ schema, name }) => ({ schema, name }));
  const aside = into?.triggersAside ?? false;
  const actions: Action[] = [];
  if (options.clean) actions.push({ action: 'drop', statements: planDrops(catalog, { ...options.clean, present, data }) });
  if (schema) actions.push({ action: 'pre-data', steps: steps['pre-data'] });
  if (options.truncate) actions.push({ action: 'truncate', statements: planTruncate(catalog, options.truncateWhole) });
  if (data && steps['large objects'].length > 0) actions.push({ action: 'large objects', steps: steps['large objects'] });
  if (aside) actions.push({ action: 'set triggers aside' });
  const held = options.holdAutovacuum && schema ? large(loads) : [];
  if (held.length > 0) actions.push({ action: 'hold autovacuum', tables: held });
  if (place !== undefined && statistics.length > 0) {
    const statements = catalog.tables.flatMap((table) => (table.statistics ? stageStatistics(place, table) : []));
    actions.push({ action: 'stage statistics', statements });
  }
  if (data || loads.length > 0) actions.push({ action: 'rows', loads });
  if (data) actions.push({ action: 'values', steps: steps.values });
  if (aside) actions.push({ action: 'restore triggers' }, { action: 'check foreign keys', tables: names });
  const last = steps['event triggers'];
  if (postData) actions.push({ action: 'post-data', steps: steps['post-data'] });
  if (held.length > 0) actions.push({ action: 'release autovacuum' });
  if (postData) {
    actions.push({ action: 'privileges', steps: refreshes ? steps.privileges : [...steps.privileges, ...last] });
    if (refreshes) actions.push({ action: 'refresh', steps: [...steps.refresh, ...last] });
  }
  if (place !== undefined && statistics.length > 0) actions.push({ action: 'statistics', place, relations: statistics });
  if (analyze) actions.push({ action: 'analyze', tables: planAnalyze(catalog, names, postData ? steps.refresh : []) });
  return actions;
}

const phases = ['pre-data', 'large objects', 'values', 'post-data', 'privileges', 'refresh', 'event triggers'] as const;
type Phase = (typeof phases)[number];

/** Sections first; privileges then, so that nothing that we still do is forbidden by them; refreshes after those, since they run as the
 *  owner of the view, with its privileges; event triggers after all that they would fire for. A step that another one needs earlier is
 *  moved to that one's phase. */
export function stepsByPhase(catalog: Catalog, present: ReadonlySet<number> = new Set()): Readonly<Record<Phase, readonly Step[]>> {
  const ranks = catalog.steps.map(({ object, facet, section }) => {
    if (catalog.objects[object]?.kind === 'event trigger') return phases.indexOf('event triggers');
    if (section === 'data') return phases.indexOf(facet === 'definition' ? 'large objects' : 'values');
    if (facet === 'privilege') return phases.indexOf('privileges');
    if (facet === 'refresh') return phases.indexOf('refresh');
    return phases.indexOf(section === 'post-data' ? 'post-data' : 'pre-data');
  });
  // Needs have smaller ids: from the back, each rank is final when it is looked at.
  for (const step of catalog.steps.toReversed()) {
    const rank = ranks[step.id] ?? 0;
    for (const need of step.needs) ranks[need] = Math.min(ranks[need] ?? rank, rank);
  }
  const at = (rank: number) => catalog.steps.filter(({ id, object }) => ranks[id] === rank && !present.has(object));
  return {
    'pre-data': at(0),
    'large objects': at(1),
    values: at(2),
    'post-data': at(3),
    privileges: at(4),
    refresh: at(5),
    'event triggers': at(6),
  };
}

/** Largest first, so that no worker is left alone with a large one at the end; as given where the order matters. */
export function planLoads(
  { objects, tables }: Pick<Catalog, 'objects' | 'tables'>,
  { rowsOf, into, statistics = 'temporary' }: Pick<PlanOptions, 'rowsOf' | 'into' | 'statistics'>,
): readonly TableLoad[] {
  const loads = tables
    .filter((table) => table.withoutData === undefined)
    .map((table): TableLoad => {
      const { schema, name, directory } = table;
      const stored = rowsOf?.(table);
      const sizes = { rows: stored?.rows ?? 0n, rawBytes: stored?.rawBytes ?? 0n };
      const elsewhere = stored?.in === undefined ? {} : { in: stored.in };
      const chunks = rowsOf ? { chunks: stored?.chunks ?? [], ...elsewhere } : {};
      if (table.largeObjects !== undefined) {
        const { table: into, ...staging } = stageLargeObjects(table);
        return { schema, name, directory, sql: copyInto(into, table), staging, table: false, ...sizes, ...chunks };
      }
      if (table.statistics) {
        return { schema, name, directory, sql: copyInto(statisticsStaging(statistics), table), table: false, ...sizes, ...chunks };
      }
      return {
        schema,
        name,
        directory,
        sql: copySql(loadTarget({ objects }, table)),
        table: true,
        fills: table.loadInto === undefined ? table.object : anyRelation,
        ...(table.extensionCondition === undefined ? {} : { triggersAside: true as const }),
        ...sizes,
        ...chunks,
      };
    });
  return into ? loads : loads.sort((a, b) => (a.rawBytes === b.rawBytes ? 0 : a.rawBytes < b.rawBytes ? 1 : -1));
}

/** The table under the name of the one that its rows are sent to. */
export function loadTarget({ objects }: Pick<Catalog, 'objects'>, table: CatalogTable): CatalogTable {
  const through = table.loadInto === undefined ? undefined : objects[table.loadInto];
  return through?.schema === undefined ? table : { ...table, schema: through.schema, name: through.name };
}

/** Bytes of rows from which on autovacuum takes longer with a table than it takes to keep it away. */
const heldBytes = 256n << 10n;

/** Those that autovacuum would be at work on before their indexes are there. */
function large(loads: readonly TableLoad[]): readonly TableName[] {
  return loads.filter(({ rawBytes, table }) => rawBytes >= heldBytes && table).map(({ schema, name }) => ({ schema, name }));
}

/** A table without columns has rows, too: an empty line each, and no column list. */
export function copySql({ schema, name, columns, format }: Pick<CatalogTable, 'schema' | 'name' | 'columns' | 'format'>): string {
  return copyInto(qualifiedName(schema, name), { columns, format });
}

function copyInto(into: string, { columns, format }: Pick<CatalogTable, 'columns' | 'format'>): string {
  const list = columns.length === 0 ? '' : ` (${columns.map((column) => quoteIdentifier(column.name)).join(', ')})`;
  return `COPY ${into}${list} FROM STDIN (FORMAT ${format})`;
}
