// Indexes of tables, partitioned tables and materialized views that do not stand under a constraint (those are kinds/constraint.ts).
import { z } from 'zod';
import { qualifiedName } from '../../pg/quote.js';
import { backsConstraint, chargeIndex, indexColumns, indexRow, indexSteps } from '../index-parts.js';
import { defineKind, key } from '../kind.js';
import { inTablespace, isUserRelation } from '../relation-sql.js';

const row = indexRow.extend({
  definition: z.string(),
  nspname: z.string(),
  indrelid: z.number(),
  relname: z.string(),
});

export const tableIndex = defineKind<z.infer<typeof row>>({
  name: 'index',
  // An index that is not valid is what a failed CREATE INDEX CONCURRENTLY left; that of a partitioned table lacks a partition's index,
  // and will again.
  query: () => `SELECT pg_get_indexdef(ic.oid) AS definition, n.nspname, i.indrelid, c.relname, ${indexColumns('i', 'ic')}
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
    const ddl = `INDEX ${qualifiedName(row.nspname, row.indexname)}`;
    return [
      {
        key: own,
        kind: 'index',
        schema: row.nspname,
        name: row.indexname,
        parent: key('pg_class', row.indrelid),
        steps: [
          { key: own, facet: 'definition', section: 'post-data', statements: () => inTablespace(row.spcname, row.definition) },
          ...indexSteps(own, row, row),
        ],
        ddl,
        charge: chargeIndex(own),
      },
    ];
  },
});
