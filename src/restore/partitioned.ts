// Which partitioned tables of a target may be truncated with their partitions. A foreign key to or from a partitioned table lets TRUNCATE
// do with the partitions only if that table is in the same statement; and that takes the rows of all its partitions.
import type { CatalogTable } from '../model/catalog.js';
import { qualifiedName } from '../pg/quote.js';
import type { Session } from '../pg/session.js';

/** The partitioned tables whose rows are all in these tables, quoted. One with a partition besides (a new one, say) is not: its rows
 *  are nobody's to take. */
export async function partitionedByThese(
  session: Session,
  tables: readonly Pick<CatalogTable, 'schema' | 'name'>[],
): Promise<readonly string[]> {
  const rows = await session.query<{ schema: string; name: string }>(
    `SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'p' AND EXISTS (SELECT FROM pg_partition_tree(c.oid) t WHERE t.isleaf AND t.relid <> c.oid)
        AND NOT EXISTS (
              SELECT FROM pg_partition_tree(c.oid) t JOIN pg_class l ON l.oid = t.relid JOIN pg_namespace ln ON ln.oid = l.relnamespace
               WHERE l.relkind <> 'p'
                 AND NOT EXISTS (SELECT FROM unnest($1::text[], $2::text[]) o (schema, name) WHERE o.schema = ln.nspname AND o.name = l.relname))
      ORDER BY 1, 2`,
    [tables.map(({ schema }) => schema), tables.map(({ name }) => name)],
  );
  return rows.map(({ schema, name }) => qualifiedName(schema, name));
}
