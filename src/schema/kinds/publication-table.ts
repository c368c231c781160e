// Tables of publications, with column lists and row filters. They belong to the publication, not to the table: choosing a table is not
// choosing to publish it, and a publication comes along without the tables that were not chosen.
import * as z from 'zod';
import { qualifiedName, quoteIdentifier } from '../../pg/quote.js';
import { defineKind, key } from '../kind.js';
import { isNotMember } from '../ours.js';

const row = z.object({
  oid: z.number(),
  prpubid: z.number(),
  prrelid: z.number(),
  pubname: z.string(),
  nspname: z.string(),
  relname: z.string(),
  /** Null: all columns, also those that are added later. */
  columns: z.array(z.string()).nullable(),
  filter: z.string().nullable(),
});

const filters = `
  CASE WHEN r.prattrs IS NOT NULL THEN ARRAY(
    SELECT a.attname::text FROM unnest(r.prattrs::int2[]) WITH ORDINALITY AS p (attnum, place)
      JOIN pg_attribute a ON a.attrelid = r.prrelid AND a.attnum = p.attnum ORDER BY p.place) END AS columns,
  pg_get_expr(r.prqual, r.prrelid) AS filter`;

export const publicationTable = defineKind<z.infer<typeof row>>({
  name: 'publication table',
  only: ['pg_publication'],
  row,
  query: ({ version }) => `
    SELECT r.oid, r.prpubid, r.prrelid, p.pubname, n.nspname, c.relname, ${version >= 150000 ? filters : 'NULL AS columns, NULL AS filter'}
      FROM pg_publication_rel r
      JOIN pg_publication p ON p.oid = r.prpubid
      JOIN pg_class c ON c.oid = r.prrelid
      JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE ${isNotMember('pg_publication', 'p.oid')} AND ${isNotMember('pg_publication_rel', 'r.oid')}
     ORDER BY r.oid`,
  objects({ oid, prpubid, prrelid, pubname, nspname, relname, columns, filter }) {
    const self = key('pg_publication_rel', oid);
    const publication = `PUBLICATION ${quoteIdentifier(pubname)}`;
    const table = qualifiedName(nspname, relname);
    const list = columns === null ? '' : ` (${columns.map(quoteIdentifier).join(', ')})`;
    // ONLY: children are members of their own. The deparsed filter has no parentheses where it is a single operator or function.
    const add = `ALTER ${publication} ADD TABLE ONLY ${table}${list}${filter === null ? '' : ` WHERE (${filter})`}`;
    const parent = key('pg_publication', prpubid);
    const needs = [parent, key('pg_class', prrelid)];
    return [
      {
        key: self,
        kind: 'publication table',
        name: `${nspname}.${relname} in ${pubname}`,
        parent,
        steps: [{ key: self, facet: 'definition', section: 'post-data', needs, statements: () => [add] }],
        ddl: `${publication} TABLE ${table}`,
      },
    ];
  },
});
