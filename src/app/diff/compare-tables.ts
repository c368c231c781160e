// The rows of all tables of two archives: which of them have to be read is known before the first one is.
import type { EventListener } from '../../model/events.js';
import { compareRows, type LeftChunks, type RowComparison, type RowLimits, type RowSamples, readsOf } from './compare-rows.js';
import type { OpenedSide } from './opened-side.js';
import { type ChunkOf, pairTables, planRows, rowsIn, type TablePair } from './pair-tables.js';
import { NotAsText } from './text-of-rows.js';

/** The rows of a table of either. */
export interface TableDiff {
  readonly schema: string;
  readonly name: string;
  /** Absent where the archive does not have the table, or not its rows. */
  readonly rowsBefore?: bigint;
  readonly rowsAfter?: bigint;
  /** Rows that one has more often than the other. Absent where they could not be compared. */
  readonly added?: bigint;
  readonly removed?: bigint;
  /** False also where that is not known. */
  readonly equal: boolean;
  /** Why the rows could not be compared. */
  readonly reason?: string;
  /** Where `rows` asked for them and there is a difference. */
  readonly samples?: RowSamples;
  /** The rows are pieces of large objects. */
  readonly largeObjects?: true;
}

export interface TableOptions {
  readonly limits: RowLimits;
  readonly onEvent?: EventListener | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** By schema and name. @throws TidemarkError ARCHIVE_CORRUPT, ARCHIVE_TRUNCATED, ARCHIVE_MISSING_PART, STORE_ERROR */
export async function compareTables(
  a: OpenedSide,
  b: OpenedSide,
  { limits, onEvent, signal }: TableOptions,
): Promise<readonly TableDiff[]> {
  const plans = pairTables(a, b).map((pair) => ({ pair, plan: planRows(pair, { a, b }) }));
  const read = plans.flatMap(({ plan }) => ('reason' in plan || readsOf(plan, limits) === 0 ? [] : [plan]));
  await a.openOthers(read.flatMap((plan) => plan.a));
  await b.openOthers(read.flatMap((plan) => plan.b));
  onEvent?.({ type: 'plan', ...workOf(read, limits), exact: false });
  const done = { rows: 0n, rawBytes: 0n, compressedBytes: 0n };
  const passed = ({ chunk }: ChunkOf): void => {
    done.rows += chunk.rows;
    done.rawBytes += chunk.rawBytes;
    done.compressedBytes += chunk.length;
    onEvent?.({ type: 'progress', ...done });
    signal?.throwIfAborted();
  };
  const sides = { a, b };
  const source = { codec: a.reader.codec, bytesOf: (chunk: ChunkOf) => sides[chunk.side].bytesOf(chunk), passed };
  const tables: TableDiff[] = [];
  for (const { pair, plan } of plans) {
    if ('reason' in plan) tables.push({ ...tableOf(pair), equal: false, reason: plan.reason });
    else tables.push(await compareTable(pair, () => compareRows(plan, source, limits)));
  }
  return tables;
}

async function compareTable(pair: TablePair, compare: () => Promise<RowComparison>): Promise<TableDiff> {
  try {
    return rowsOf(pair, await compare());
  } catch (error) {
    if (!(error instanceof NotAsText)) throw error;
    return { ...tableOf(pair), equal: false, reason: error.message };
  }
}

function workOf(
  plans: readonly LeftChunks[],
  limits: RowLimits,
): { readonly tables: number; readonly rows: bigint; readonly bytes: bigint } {
  let rows = 0n;
  let bytes = 0n;
  for (const plan of plans) {
    const reads = BigInt(readsOf(plan, limits));
    rows += reads * (rowsIn(plan.a) + rowsIn(plan.b));
    bytes += reads * [...plan.a, ...plan.b].reduce((sum, { chunk }) => sum + chunk.rawBytes, 0n);
  }
  return { tables: plans.length, rows, bytes };
}

function tableOf({ schema, name, largeObjects, a, b }: TablePair): Omit<TableDiff, 'equal'> {
  const [rowsBefore, rowsAfter] = [rowCount(a), rowCount(b)];
  return {
    schema,
    name,
    ...(rowsBefore !== undefined && { rowsBefore }),
    ...(rowsAfter !== undefined && { rowsAfter }),
    ...(largeObjects && { largeObjects }),
  };
}

function rowCount(entries: TablePair['a']): bigint | undefined {
  const stored = entries.filter(({ withoutData }) => withoutData === undefined);
  return stored.length === 0 ? undefined : stored.reduce((sum, { rows }) => sum + rows, 0n);
}

function rowsOf(pair: TablePair, { added, removed, samples }: RowComparison): TableDiff {
  const equal = added === 0n && removed === 0n;
  // A table that one of them does not have differs in the schema, whether or not there are rows in it.
  return { ...tableOf(pair), added, removed, equal, ...(samples && !equal && { samples }) };
}
