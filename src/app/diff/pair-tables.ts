// Which tables of two snapshots are compared with each other, whether their rows can be, and which of their chunks have to be read for it.
// Pure: from manifests and catalogs.
import type { Catalog, CatalogTable } from '../../model/catalog.js';
import type { Manifest, StoredChunk, TableEntry } from '../../model/manifest.js';
import { haveText } from './text-of-rows.js';

/** What is known of one of the two before any row is read. */
export interface Side {
  readonly manifest: Manifest;
  readonly catalog: Catalog;
}

/** A chunk, the table it is of, and which of the two has it. */
export interface ChunkOf {
  readonly side: 'a' | 'b';
  readonly chunk: StoredChunk;
  readonly table: TableEntry;
}

/** A table, or all partitions of one whose rows may be in another of them after a restore. */
export interface TablePair {
  readonly schema: string;
  readonly name: string;
  /** Its rows are pieces of large objects. */
  readonly largeObjects: boolean;
  /** Empty where the archive does not have it. */
  readonly a: readonly TableEntry[];
  readonly b: readonly TableEntry[];
}

/** What has to be done to compare the rows of a pair. */
export type RowPlan =
  /** They cannot be compared. */
  | { readonly reason: string }
  /** Chunks that the other side has, too, cancel each other; these are left. */
  | { readonly a: readonly ChunkOf[]; readonly b: readonly ChunkOf[] };

/** All tables of both, by schema and name; large objects last. The planner's statistics are no rows of anybody. */
export function pairTables(a: Side, b: Side): readonly TablePair[] {
  const roots = new Set([...rootsOf(a.catalog), ...rootsOf(b.catalog)]);
  const [inA, inB] = [groupTables(a, roots), groupTables(b, roots)];
  const pairs = [...new Set([...inA.keys(), ...inB.keys()])].map((key): TablePair => {
    const { schema = '', name = '', largeObjects = false } = inA.get(key) ?? inB.get(key) ?? {};
    return { schema, name, largeObjects, a: inA.get(key)?.entries ?? [], b: inB.get(key)?.entries ?? [] };
  });
  return pairs.sort(
    (one, other) =>
      Number(one.largeObjects) - Number(other.largeObjects) || compareText(one.schema, other.schema) || compareText(one.name, other.name),
  );
}

/** By code units: the same everywhere. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function nameKey({ schema = '', name }: { readonly schema?: string; readonly name: string }): string {
  return JSON.stringify([schema, name]);
}

/** Partitioned tables that rows are loaded through: in which partition a row lies depends on OIDs, or was left open. */
function rootsOf({ objects, tables }: Catalog): readonly string[] {
  return tables.flatMap(({ loadInto }) => {
    const root = loadInto === undefined ? undefined : objects[loadInto];
    return root === undefined ? [] : [nameKey(root)];
  });
}

interface Group {
  readonly schema: string;
  readonly name: string;
  readonly largeObjects: boolean;
  readonly entries: TableEntry[];
}

function groupTables({ manifest, catalog }: Side, roots: ReadonlySet<string>): ReadonlyMap<string, Group> {
  const groups = new Map<string, Group>();
  for (const entry of manifest.tables) {
    if (entry.statistics) continue;
    const largeObjects = entry.largeObjects !== undefined;
    const { schema = '', name } = largeObjects ? entry : standsFor(entry, catalog, roots);
    const key = largeObjects ? 'large objects' : nameKey({ schema, name });
    const group = groups.get(key) ?? { schema, name, largeObjects, entries: [] };
    group.entries.push(entry);
    groups.set(key, group);
  }
  return groups;
}

/** The table, or the topmost of those it is a partition of that its rows are loaded through in one of the two archives. */
function standsFor(
  table: Pick<TableEntry, 'schema' | 'name' | 'object'>,
  { objects }: Catalog,
  roots: ReadonlySet<string>,
): { readonly schema?: string; readonly name: string } {
  let found: { readonly schema?: string; readonly name: string } = table;
  for (let above = objects[table.object]; above !== undefined; above = objects[above.partitionOf ?? -1]) {
    if (roots.has(nameKey(above))) found = above;
  }
  return found;
}

/** How the rows of a pair are compared. */
export function planRows(pair: TablePair, { a: sideA, b: sideB }: { readonly a: Side; readonly b: Side }): RowPlan {
  const { a, b } = pair;
  const reason =
    missingRows(a, 'a') ?? missingRows(b, 'b') ?? otherForm(a, b, sideA.catalog) ?? otherEncoding(sideA.catalog, sideB.catalog);
  // Of nothing and nothing it does not matter which form it has; and what neither has cannot differ.
  const none = [...a, ...b].every(({ rows, withoutData }) => rows === 0n && withoutData === undefined);
  const neither = a.length > 0 && b.length > 0 && [...a, ...b].every(({ withoutData }) => withoutData !== undefined);
  if (reason !== undefined && !none && !neither) return { reason };
  return leftChunks(a, b);
}

function missingRows(entries: readonly TableEntry[], side: 'a' | 'b'): string | undefined {
  const without = entries.find(({ withoutData }) => withoutData !== undefined);
  if (without === undefined) return undefined;
  return `${side} has ${entries.length > 1 ? `no rows of ${without.schema}.${without.name}` : 'no rows of it'} (${without.withoutData})`;
}

/** Rows of both forms are compared as text, one at a time. */
const longestAsText = 128n << 20n;

function otherForm(a: readonly TableEntry[], b: readonly TableEntry[], { rowEncoding }: Catalog): string | undefined {
  const tables = [...a, ...b];
  const [first, ...more] = tables;
  if (first === undefined) return undefined;
  const form = columnsOf(first);
  if (more.some((table) => columnsOf(table) !== form)) return 'its columns are not the same';
  const other = more.find(({ format }) => format !== first.format);
  if (other === undefined) return undefined;
  const long = tables.some(({ format, chunks }) => format === 'binary' && chunks.some(({ rawBytes }) => rawBytes > longestAsText));
  if (haveText(first.columns) && rowEncoding === undefined && !long) return undefined;
  return `its rows are written as ${first.format} and as ${other.format}`;
}

function columnsOf({ columns }: Pick<CatalogTable, 'columns'>): string {
  return JSON.stringify(columns.map(({ name, type }) => [name, type]));
}

function otherEncoding(a: Catalog, b: Catalog): string | undefined {
  const [first, second] = [a.rowEncoding ?? 'UTF8', b.rowEncoding ?? 'UTF8'];
  return first === second ? undefined : `its rows are in ${first} and in ${second}`;
}

/** Chunks are equal where their frames are: whatever the rest of the table did, these rows are on both sides. */
function leftChunks(
  a: readonly TableEntry[],
  b: readonly TableEntry[],
): { readonly a: readonly ChunkOf[]; readonly b: readonly ChunkOf[] } {
  const spare = new Map<string, number>();
  const all = chunksOf('b', b);
  for (const { chunk } of all) spare.set(identity(chunk), (spare.get(identity(chunk)) ?? 0) + 1);
  const common = new Map<string, number>();
  const inA = chunksOf('a', a).filter(({ chunk }) => {
    const key = identity(chunk);
    const left = spare.get(key) ?? 0;
    if (left === 0) return true;
    spare.set(key, left - 1);
    common.set(key, (common.get(key) ?? 0) + 1);
    return false;
  });
  const inB = all.filter(({ chunk }) => {
    const key = identity(chunk);
    const left = common.get(key) ?? 0;
    common.set(key, left - 1);
    return left <= 0;
  });
  return { a: inA, b: inB };
}

function chunksOf(side: ChunkOf['side'], entries: readonly TableEntry[]): readonly ChunkOf[] {
  return entries.flatMap((table) => table.chunks.map((chunk) => ({ side, chunk, table })));
}

function identity({ sha256, rows, rawBytes }: StoredChunk): string {
  return `${sha256} ${rows} ${rawBytes}`;
}

/** Rows of chunks. */
export function rowsIn(chunks: readonly ChunkOf[]): bigint {
  return chunks.reduce((sum, { chunk }) => sum + chunk.rows, 0n);
}
