// Which rows are read in which statement. Pure.
import type { CatalogTable } from '../../model/catalog.js';
import { qualifiedName } from '../../pg/quote.js';
import { copyLargeObjects, describeRange } from '../../snapshot/large-objects.js';
import type { RangeTask } from '../../snapshot/messages.js';
import { type BlockRange, copyStatement, partsOf } from '../../snapshot/ranges.js';
import { copyStatistics } from '../../snapshot/statistics.js';
import type { DescribedTable } from '../../snapshot/tables.js';
import type { SnapshotSchema } from './schema.js';
import type { SettledLevel } from './settle-rows.js';

/** A range, and which blocks of its table it is. */
export interface PlannedRange extends RangeTask {
  readonly blocks: BlockRange | null;
}

/** What rows are read of. */
export type Readable = Pick<SnapshotSchema, 'largeObjects' | 'statistics'> & {
  readonly toRead: readonly {
    readonly table: Omit<CatalogTable, 'object'>;
    readonly described: DescribedTable;
  }[];
};

/** Every range of every table.
 *  @param sampled by the directories of their tables */
export function planRanges(schema: Readable, jobs: number, sampled?: SettledLevel['sampled']): readonly PlannedRange[] {
  const parts = partsOf(schema.toRead, jobs, ({ described, table: { extensionCondition = '' } }) => {
    // The condition may be any, and is not to be joined with another.
    const divisible = described.heap && extensionCondition === '';
    return { divisible, ...described };
  });
  const tables = parts.map(({ table: { table, described }, range, blocks, bytes }) => {
    const { schema, name, format, directory, extensionCondition: filter = '' } = table;
    const columns = table.columns.map((column) => column.name);
    const rows = sampled?.get(directory);
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
    };
  });
  return [...tables, ...planStatistics(schema), ...planLargeObjects(schema)].map((range, id) => ({ id, ...range }));
}

/** After the tables: there is no telling how long the tables' ranges take, and these are many. */
function planLargeObjects({ largeObjects }: Readable): Omit<PlannedRange, 'id'>[] {
  if (largeObjects === undefined) return [];
  const { format, directory } = largeObjects.table;
  return largeObjects.ranges.map((range) => {
    const statement = copyLargeObjects(range, format);
    return { statement, format, table: describeRange(range), directory, range: range.name, blocks: null };
  });
}

function planStatistics({ statistics }: Readable): Omit<PlannedRange, 'id'>[] {
  if (statistics === undefined) return [];
  const { format, directory } = statistics.table;
  return statistics.ranges.map((oids, range) => {
    const statement = copyStatistics(oids, statistics.version);
    return { statement, format, table: 'planner statistics', directory, range, blocks: null };
  });
}
