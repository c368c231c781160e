// Chooses the parts of a database that settings are tried on, and their order: whoever reads only the first so many of them has read of
// each table in proportion to its size, and from all over it. Pure.
import type { CopyFormat } from '../../model/catalog.js';
import { qualifiedName } from '../../pg/quote.js';
import { type BlockRange, copyStatement, splitTable } from '../../snapshot/ranges.js';
import type { DescribedTable } from '../../snapshot/tables.js';
import type { SnapshotSchema } from '../snapshot/schema.js';

/** A part of a table, small enough to be read in an instant. */
export interface Pick {
  readonly table: SnapshotSchema['toRead'][number];
  /** null: all of it. */
  readonly blocks: BlockRange | null;
  /** About so many bytes of it on the server's disk, with TOAST. */
  readonly tableBytes: number;
}

/** Of one pick: as much as the largest chunk that is tried, else that would never be filled. */
const mostPickBytes = 16n << 20n;
const leastPickBytes = 4n << 20n;
/** A small database gives each of the workers some picks all the same. */
const picksPerWorker = 4n;
/** What cannot be split is left out where it is larger than so many picks: reading it would take all the time. */
const mostPicksWhole = 4n;

/** @param workers of the trial with the most of them */
export function choosePicks({ toRead }: SnapshotSchema, workers: number): readonly Pick[] {
  const bySize = toRead.filter(({ described }) => described.bytes > 0n).toSorted((a, b) => Number(b.described.bytes - a.described.bytes));
  const bytes = bySize.reduce((sum, { described }) => sum + described.bytes, 0n);
  const target = within(bytes / (picksPerWorker * BigInt(workers)), leastPickBytes, mostPickBytes);
  const placed = bySize.flatMap((table, rank) => {
    const parts = partsOf(table, target);
    // Each table begins at another place, so that thousands of one pick each are not all in the middle.
    const offset = scattered(rank);
    return scatter(parts).map((pick, i) => ({ pick, at: (i + offset) / parts.length }));
  });
  return placed.toSorted((a, b) => a.at - b.at).map(({ pick }) => pick);
}

function partsOf(table: SnapshotSchema['toRead'][number], target: bigint): readonly Pick[] {
  const { described } = table;
  const ranges = divisible(table) ? splitTable(described, target) : null;
  if (ranges === null)
    return described.bytes > target * mostPicksWhole ? [] : [{ table, blocks: null, tableBytes: Number(described.bytes) }];
  return ranges.map((blocks) => ({ table, blocks, tableBytes: bytesOf(blocks, described) }));
}

function divisible({ table, described }: SnapshotSchema['toRead'][number]): boolean {
  return described.heap && (table.extensionCondition ?? '') === '';
}

function bytesOf([first, end]: BlockRange, { blocks, bytes }: DescribedTable): number {
  return Number((((end ?? blocks) - first) * bytes) / blocks);
}

function within(value: bigint, least: bigint, most: bigint): bigint {
  return value < least ? least : value > most ? most : value;
}

/** The same items in an order in which the first so many come from all over the list: by their number read from its lowest bit upwards. */
function scatter<Item>(items: readonly Item[]): readonly Item[] {
  return items
    .map((item, i) => ({ item, at: scattered(i) }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** 0, 1/2, 1/4, 3/4, 1/8, ...: van der Corput's sequence. */
function scattered(n: number): number {
  let value = 0;
  for (let rest = n, weight = 0.5; rest > 0; rest = Math.floor(rest / 2), weight /= 2) value += (rest % 2) * weight;
  return value;
}

/** The statement that reads a pick. @param format of all tables, or that of each */
export function statementOf(
  { table: { table, described }, blocks }: Pick,
  format: CopyFormat | 'auto',
): { statement: string; format: CopyFormat } {
  const { schema, name, extensionCondition: filter = '' } = table;
  const settled = format === 'auto' ? table.format : format;
  const columns = table.columns.map((column) => column.name);
  const foreign = described.relkind === 'f';
  return { statement: copyStatement({ schema, name, columns, format: settled, foreign, filter }, blocks), format: settled };
}

/** For messages and locks. */
export function nameOf({ table: { table } }: Pick): string {
  return qualifiedName(table.schema, table.name);
}
