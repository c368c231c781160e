// Splits tables into ctid ranges, so that one giant table is read by all workers and a range can be recognised as unchanged by a later
// snapshot. Pure. Boundaries are multiples of a power of two of blocks: they stay where they are while a table grows.
import type { CopyFormat } from '../model/catalog.js';
import { qualifiedName, quoteIdentifier } from '../pg/quote.js';

/** Heap blocks [first, end); end null: to the end of the table. */
export type BlockRange = readonly [first: bigint, end: bigint | null];

export interface TableSize {
  /** Blocks of the table's main fork. */
  readonly blocks: bigint;
  /** Bytes of it and of its TOAST table. */
  readonly bytes: bigint;
}

/** About how much of a table one range holds. Large enough that the cost of a statement does not matter, small enough that workers
 *  finish at about the same time. */
export const rangeBytes = 64n << 20n;

/** The ranges of a table in heap order; null where it is small enough to be read whole. */
export function splitTable({ blocks, bytes }: TableSize, targetBytes = rangeBytes): readonly BlockRange[] | null {
  const step = blocksPerRange({ blocks, bytes }, targetBytes);
  if (blocks <= step) return null;
  const ranges: BlockRange[] = [];
  for (let first = 0n; first < blocks; first += step) ranges.push([first, first + step < blocks ? first + step : null]);
  return ranges;
}

/** Of what each worker has to read, the part that a table read whole may be: workers still finish at about the same time. */
const wholePart = 4n;

/** What is read in one statement. */
export interface Part<Table> {
  readonly table: Table;
  /** Of the parts of this table, in heap order. */
  readonly range: number;
  /** Null: the whole table. */
  readonly blocks: BlockRange | null;
  readonly bytes: bigint;
}

/** In which parts tables are read, the largest first, so that small ones fill the gaps at the end. A table is split only where one worker
 *  might be at it while the others have nothing left to do: the server scans a whole table that is larger than a quarter of shared_buffers
 *  in a small ring of buffers, but ctid ranges go through all of shared_buffers, where they put out what others need, and take up to a fifth
 *  more of its processor time.
 *  https://github.com/postgres/postgres/blob/master/src/backend/storage/buffer/README (Buffer Ring Replacement Strategy)
 *  @param sizeOf its size; `divisible` where it can be read by ctid */
export function partsOf<Table>(
  tables: readonly Table[],
  jobs: number,
  sizeOf: (table: Table) => TableSize & { readonly divisible: boolean },
): readonly Part<Table>[] {
  const sized = tables.map((table) => ({ table, size: sizeOf(table) }));
  const total = sized.reduce((sum, { size }) => sum + size.bytes, 0n);
  const mostWhole = jobs === 1 ? total : total / (wholePart * BigInt(jobs));
  const parts = sized.flatMap(({ table, size }): Part<Table>[] => {
    const ranges = size.divisible && size.bytes > mostWhole ? splitTable(size) : null;
    if (ranges === null) return [{ table, range: 0, blocks: null, bytes: size.bytes }];
    return ranges.map((blocks, range) => ({ table, range, blocks, bytes: rangeBytes }));
  });
  return parts.sort((a, b) => Number(b.bytes - a.bytes));
}

/** About how much of a table a sample holds. */
const sampleBytes = 4n << 20n;

/** Rows that a block has at most: each takes a header of 24 bytes and a pointer of 4, of a page of 8 kB with a header of 24.
 *  https://www.postgresql.org/docs/current/storage-page-layout.html */
const mostRowsInBlock = 291;

/** What of a table a sample reads. */
export interface SampleExtent {
  /** A part from the middle, which is neither the oldest rows nor those that are being written; null where the table is small. */
  readonly range: BlockRange | null;
  /** So many rows of it, where they are so large that a block of them is more than a sample. */
  readonly limit?: number;
}

/** @param estimatedRows of the table; -1 where the server does not know */
export function sampleExtent({ estimatedRows, ...size }: TableSize & { readonly estimatedRows: number }): SampleExtent {
  const { blocks, bytes } = size;
  const step = blocksPerRange(size, sampleBytes);
  const first = (blocks / 2n / step) * step;
  const range: BlockRange | null = blocks <= step ? null : [first, first + step];
  const read = range === null ? bytes : (step * bytes) / blocks;
  if (read <= 2n * sampleBytes) return { range };
  const rows = estimatedRows > 0 ? (estimatedRows * Number(read)) / Number(bytes) : mostRowsInBlock;
  return { range, limit: Math.max(1, Math.floor((rows * Number(sampleBytes)) / Number(read))) };
}

/** The largest power of two of blocks that holds at most `targetBytes`, at least one. Wide TOASTed rows give few blocks a range. */
function blocksPerRange({ blocks, bytes }: TableSize, targetBytes: bigint): bigint {
  let step = 1n;
  while (blocks > 0n && step * 2n * bytes <= targetBytes * blocks) step *= 2n;
  return step;
}

export interface CopyStatement {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly string[];
  readonly format: CopyFormat | 'csv';
  /** COPY reads them only through a query. */
  readonly foreign?: boolean;
  /** A WHERE clause that an extension has for a table of its own, or nothing. */
  readonly filter?: string;
  /** Rows at most. */
  readonly limit?: number | undefined;
}

/** COPY ... TO STDOUT of one range, or of the whole table. ONLY and plain COPY both leave out children, which are tables of their own.
 *  https://www.postgresql.org/docs/current/sql-copy.html */
export function copyStatement(
  { schema, name, columns, format, foreign = false, filter = '', limit }: CopyStatement,
  range: BlockRange | null,
): string {
  const table = qualifiedName(schema, name);
  const list = columns.map(quoteIdentifier).join(', ');
  const where = filter !== '' ? ` ${filter}` : range === null ? '' : ` WHERE ${condition(range)}`;
  const whole = range === null && !foreign && filter === '' && limit === undefined;
  const most = limit === undefined ? '' : ` LIMIT ${limit}`;
  const from = whole ? `${table}${list && ` (${list})`}` : `(SELECT ${list} FROM ONLY ${table}${where}${most})`;
  return `COPY ${from} TO STDOUT (FORMAT ${format})`;
}

function condition([first, end]: BlockRange): string {
  const from = `ctid >= '(${first},0)'::tid`;
  return end === null ? from : `${from} AND ctid < '(${end},0)'::tid`;
}
