// Indexes of tables, partitioned tables and materialized views that do not stand under a constraint (those are kinds/constraint.ts).
import * as z from 'zod';
import { qualifiedName, quoteIdentifier } from '../../pg/quote.js';
import { attachedBelow, backsConstraint, chargeIndex, indexColumns, indexIdentity, indexRow, indexSteps, maker } from '../index-parts.js';
import { defineKind, type Key, key } from '../kind.js';
import { inTablespace, isUserRelation } from '../relation-sql.js';

const row = indexRow.extend({
  definition: z.string(),
  nspname: z.string(),
  indrelid: z.number(),
  relname: z.string(),
  /** The indexes below a valid index of a partitioned table that has foreign partitions; else null. */
  besideforeign: z.array(indexIdentity).nullable(),
});
type Row = z.infer<typeof row>;

/** Foreign tables have no indexes, so that the index of a partitioned table would wait for theirs for ever, not valid, if it were put
 *  together from those of the partitions. Made last and without ONLY it passes over them, and takes those that are there. */
function makeLast({ definition, indexname, besideforeign }: Row): { readonly definition: string; readonly needs: readonly Key[] } {
  const start = `CREATE INDEX ${quoteIdentifier(indexname)} ON `;
  if (besideforeign === null || !definition.startsWith(`${start}ONLY `)) return { definition, needs: [] };
  return { definition: `${start}${definition.slice(`${start}ONLY `.length)}`, needs: besideforeign.map(maker) };
}

export const tableIndex = defineKind<Row>({
  name: 'index',
  only: ['pg_class:i', 'pg_class:I'],
  // An index that is not valid is what a failed CREATE INDEX CONCURRENTLY left; that of a partitioned table lacks a partition's index,
  // and will again.
  query: (server) => `SELECT pg_get_indexdef(ic.oid) AS definition, n.nspname, i.indrelid, c.relname, ${indexColumns('i', 'ic', server)},
    CASE WHEN c.relkind = 'p' AND i.indisvalid AND EXISTS (SELECT FROM pg_foreign_table) THEN
      CASE WHEN EXISTS (SELECT FROM pg_partition_tree(c.oid) t JOIN pg_foreign_table f ON f.ftrelid = t.relid)
        THEN coalesce(${attachedBelow('ic.oid')}, '[]') END END AS besideforeign
  FROM pg_index i
  JOIN pg_class ic ON ic.oid = i.indexrelid
  JOIN pg_class c ON c.oid = i.indrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE i.indisready AND (i.indisvalid OR c.relkind = 'p') AND NOT (${backsConstraint('ic.oid')})
    AND ${isUserRelation('c', 'n')}
  ORDER BY ic.oid`,
  row,
  objects(row) {
    const own = key('pg_class', row.indexrelid);
    const { definition, needs } = makeLast(row);
    const ddl = `INDEX ${qualifiedName(row.nspname, row.indexname)}`;
    return [
      {
        key: own,
        kind: 'index',
        schema: row.nspname,
        name: row.indexname,
        parent: key('pg_class', row.indrelid),
        steps: [
          { key: own, facet: 'definition', section: 'post-data', needs, statements: () => inTablespace(row.spcname, definition) },
          ...indexSteps(own, row, row),
        ],
        ddl,
        charge: chargeIndex(own),
      },
    ];
  },
});
