// Foreign key constraints. Those of partitions that come from the partitioned table's are made by it (conparentid) and are left out.
import * as z from 'zod';
import { qualifiedName, quoteIdentifier } from '../../pg/quote.js';
import { attachedBelow, attachKeys, indexIdentity } from '../index-parts.js';
import { defineKind, key } from '../kind.js';
import { isUserRelation } from '../relation-sql.js';

const row = z.object({
  oid: z.number(),
  conname: z.string(),
  definition: z.string(),
  nspname: z.string(),
  conrelid: z.number(),
  relname: z.string(),
  relkind: z.string(),
  attachedbelow: z.array(indexIdentity).nullable(),
  /** Of a partition: the foreign keys to the same table of the partitioned tables that it belongs to. */
  above: z.array(z.number()).nullable(),
});

export const foreignKey = defineKind<z.infer<typeof row>>({
  name: 'foreign key',
  only: ['foreign keys'],
  query: () => `SELECT k.oid, k.conname, pg_get_constraintdef(k.oid) AS definition, n.nspname, k.conrelid, c.relname, c.relkind,
    CASE WHEN f.relkind = 'p' THEN ${attachedBelow('k.conindid')} END AS attachedbelow,
    CASE WHEN c.relispartition THEN
      (SELECT json_agg(a.oid::int8 ORDER BY a.oid)
         FROM pg_partition_ancestors(k.conrelid) p
         JOIN pg_constraint a ON a.conrelid = p.relid AND a.contype = 'f' AND a.conparentid = 0 AND a.confrelid = k.confrelid
        WHERE p.relid <> k.conrelid) END AS above
  FROM pg_constraint k
  JOIN pg_class c ON c.oid = k.conrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_class f ON f.oid = k.confrelid
  WHERE k.contype = 'f' AND k.conparentid = 0 AND ${isUserRelation('c', 'n')}
  ORDER BY k.oid`,
  row,
  objects(row) {
    const own = key('pg_constraint', row.oid);
    const table = qualifiedName(row.nspname, row.relname);
    const name = quoteIdentifier(row.conname);
    // The foreign key of a partitioned table cannot be made with ONLY: it is made on all the partitions at once.
    const only = row.relkind === 'p' ? '' : 'ONLY ';
    return [
      {
        key: own,
        kind: 'foreign key',
        schema: row.nspname,
        name: row.conname,
        parent: key('pg_class', row.conrelid),
        steps: [
          {
            key: own,
            facet: 'definition',
            section: 'post-data',
            // The index of a partitioned table that is referenced must be valid, and is not before all partitions have theirs.
            // A partition's own comes after those from above, which would else be merged with it, and it would be its own no more.
            needs: [...attachKeys(row.attachedbelow), ...(row.above ?? []).map((oid) => key('pg_constraint', oid))],
            statements: () => [`ALTER TABLE ${only}${table} ADD CONSTRAINT ${name} ${row.definition}`],
          },
        ],
        ddl: `CONSTRAINT ${name} ON ${table}`,
      },
    ];
  },
});
