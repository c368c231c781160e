// Reads the rows: plans ranges over the tables, has the workers read them, appends what they send, and keeps the accounts that the
// manifest is made of.
import type { ArchiveWriter } from '../../archive/writer.js';
import { TidemarkError } from '../../model/errors.js';
import type { EventListener } from '../../model/events.js';
import type { StoredChunk, TableEntry } from '../../model/manifest.js';
import { qualifiedName } from '../../pg/quote.js';
import { copyLargeObjects, describeRange } from '../../snapshot/large-objects.js';
import type { RangeTask } from '../../snapshot/messages.js';
import { type BlockRange, copyStatement, partsOf } from '../../snapshot/ranges.js';
import { copyStatistics } from '../../snapshot/statistics.js';
import type { WorkerPool } from '../../snapshot/worker-pool.js';
import type { SnapshotSchema } from './schema.js';
import type { SettledLevel } from './settle-rows.js';

/** A range, and what it is of. */
export interface PlannedRange extends RangeTask {
  readonly blocks: BlockRange | null;
  readonly object: number;
}

interface Account {
  readonly chunks: StoredChunk[];
  openRanges: number;
  rows: bigint;
  rawBytes: bigint;
}

/** Every range of every table. */
export function planRanges(schema: SnapshotSchema, jobs: number, sampled?: SettledLevel['sampled']): readonly PlannedRange[] {
  const parts = partsOf(schema.toRead, jobs, ({ described, table: { extensionCondition = '' } }) => {
    // The condition may be any, and is not to be joined with another.
    const divisible = described.heap && extensionCondition === '';
    return { ...described, divisible };
  });
  const tables = parts.map(({ table: { table, described }, range, blocks, bytes }) => {
    const { schema, name, format, directory, object, extensionCondition: filter = '' } = table;
    const columns = table.columns.map((column) => column.name);
    const rows = sampled?.get(object);
    const foreign = described.relkind === 'f';
    const statement = copyStatement({ schema, name, columns, format, foreign, filter }, blocks);
    return {
      statement,
      format,
      table: qualifiedName(schema, name),
      // Nobody here knows how large a foreign table is.
      ...(!foreign && { bytes }),
      directory,
      range,
      ...(rows && { sampled: rows }),
      blocks,
      object,
    };
  });
  return [...tables, ...planStatistics(schema), ...planLargeObjects(schema)].map((range, id) => ({ ...range, id }));
}

/** After the tables: there is no telling how long the tables' ranges take, and these are many. */
function planLargeObjects({ largeObjects }: SnapshotSchema): Omit<PlannedRange, 'id'>[] {
  if (largeObjects === undefined) return [];
  const { format, directory, object } = largeObjects.table;
  return largeObjects.ranges.map((range) => {
    const statement = copyLargeObjects(range, format);
    return { statement, format, table: describeRange(range), directory, range: range.name, blocks: null, object };
  });
}

function planStatistics({ statistics }: SnapshotSchema): Omit<PlannedRange, 'id'>[] {
  if (statistics === undefined) return [];
  const { format, directory, object } = statistics.table;
  return statistics.ranges.map((oids, range) => {
    const statement = copyStatistics(oids, statistics.version);
    return { statement, format, table: 'planner statistics', directory, range, blocks: null, object };
  });
}

interface Reading {
  readonly pool: Pick<WorkerPool, 'read'>;
  readonly writer: ArchiveWriter;
  readonly level: number;
  /** Until then rows are read, but none are written: what comes before them in the archive may still be on its way. */
  readonly begun?: Promise<unknown>;
  readonly emit: EventListener;
}

/** @param ranges all that is to be read of the schema's tables, with ids that are indexes
 *  @returns the manifest's entry of every table of the catalog, in its order */
export async function readRows(
  schema: SnapshotSchema,
  ranges: readonly PlannedRange[],
  { pool, writer, level, begun, emit }: Reading,
): Promise<TableEntry[]> {
  const accounts = new Map<number, Account>();
  for (const { object } of ranges) {
    const account = accounts.get(object);
    if (account) account.openRanges += 1;
    else accounts.set(object, { chunks: [], openRanges: 1, rows: 0n, rawBytes: 0n });
  }
  const names = new Map(schema.catalog.tables.map((table) => [table.object, table]));
  let rows = 0n;
  let rawBytes = 0n;
  let compressedBytes = 0n;
  await pool.read(ranges, level, {
    async chunk({ task, rows: chunkRows, member }) {
      const { object, blocks } = ranges[task.id] as PlannedRange;
      await begun;
      const stored = await writer.append(member);
      const account = accounts.get(object) as Account;
      account.chunks.push({ ...stored, rows: chunkRows, range: blocks });
      account.rows += chunkRows;
      account.rawBytes += stored.rawBytes;
      if (object !== schema.statistics?.table.object) rows += chunkRows;
      rawBytes += stored.rawBytes;
      compressedBytes += stored.length;
      emit({ type: 'progress', rows, rawBytes, compressedBytes });
    },
    done(task) {
      const { object } = ranges[task.id] as PlannedRange;
      const account = accounts.get(object) as Account;
      account.openRanges -= 1;
      const table = names.get(object);
      if (account.openRanges === 0 && table) {
        emit({ type: 'table', schema: table.schema, name: table.name, rows: account.rows, rawBytes: account.rawBytes });
      }
    },
  });
  return schema.catalog.tables.map((table) => entryOf(table, accounts.get(table.object)));
}

function entryOf(table: SnapshotSchema['catalog']['tables'][number], account: Account | undefined): TableEntry {
  if (account === undefined && table.withoutData === undefined && !table.elsewhere) {
    throw new TidemarkError('INTERNAL', `read the rows of ${qualifiedName(table.schema, table.name)}: the table was not planned`);
  }
  // Members come in the order of arrival; by number they are in the order of the heap. A number of more digits is a larger one.
  const chunks = (account?.chunks ?? []).toSorted((a, b) => a.member.length - b.member.length || (a.member < b.member ? -1 : 1));
  const { loadInto: _onlyInCatalog, extensionCondition: _also, elsewhere: _and, ...entry } = table;
  return { ...entry, rows: account?.rows ?? 0n, rawBytes: account?.rawBytes ?? 0n, chunks };
}
