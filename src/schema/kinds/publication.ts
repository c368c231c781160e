// Publications. What is published by them, tables and schemas, are objects of their own (publication-table.ts, publication-schema.ts).
import * as z from 'zod';
import { quoteIdentifier, quoteLiteral } from '../../pg/quote.js';
import { defineKind, key } from '../kind.js';
import { firstNormalOid, isNotMember } from '../ours.js';

const row = z.object({
  oid: z.number(),
  pubname: z.string(),
  rolname: z.string(),
  puballtables: z.boolean(),
  /** `insert, update`; may be empty. */
  publish: z.string(),
  pubviaroot: z.boolean(),
  /** n none, s stored; null: before 18. */
  pubgencols: z.enum(['n', 's']).nullable(),
});

const generated = { n: 'none', s: 'stored' } as const;

export const publication = defineKind<z.infer<typeof row>>({
  name: 'publication',
  only: ['pg_publication'],
  row,
  query: ({ version }) => `
    SELECT p.oid, p.pubname, pg_get_userbyid(p.pubowner) AS rolname, p.puballtables, p.pubviaroot,
           concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
                     CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END) AS publish,
           ${version >= 180000 ? 'p.pubgencols' : 'NULL'} AS pubgencols
      FROM pg_publication p
     WHERE p.oid >= ${firstNormalOid} AND ${isNotMember('pg_publication', 'p.oid')}
     ORDER BY p.oid`,
  objects({ oid, pubname, rolname, puballtables, publish, pubviaroot, pubgencols }) {
    const self = key('pg_publication', oid);
    const ddl = `PUBLICATION ${quoteIdentifier(pubname)}`;
    // Each option is said, also where it is the default of today.
    const options = [
      `publish = ${quoteLiteral(publish)}`,
      `publish_via_partition_root = ${pubviaroot}`,
      ...(pubgencols === null ? [] : [`publish_generated_columns = ${generated[pubgencols]}`]),
    ];
    const create = `CREATE ${ddl}${puballtables ? ' FOR ALL TABLES' : ''} WITH (${options.join(', ')})`;
    const steps = [{ key: self, facet: 'definition', section: 'post-data', statements: () => [create] }] as const;
    return [{ key: self, kind: 'publication', name: pubname, steps, ddl, owner: rolname }];
  },
});
