// Schemas of publications (FOR TABLES IN SCHEMA, from 15 on). They belong to the publication, as its tables do.
import * as z from 'zod';
import { quoteIdentifier } from '../../pg/quote.js';
import { defineKind, key } from '../kind.js';
import { isNotMember } from '../ours.js';

const row = z.object({ oid: z.number(), pnpubid: z.number(), pnnspid: z.number(), pubname: z.string(), nspname: z.string() });

const query = `
  SELECT m.oid, m.pnpubid, m.pnnspid, p.pubname, n.nspname
    FROM pg_publication_namespace m
    JOIN pg_publication p ON p.oid = m.pnpubid
    JOIN pg_namespace n ON n.oid = m.pnnspid
   WHERE ${isNotMember('pg_publication', 'p.oid')} AND ${isNotMember('pg_publication_namespace', 'm.oid')}
   ORDER BY m.oid`;
const none = `SELECT 0 AS oid, 0 AS pnpubid, 0 AS pnnspid, '' AS pubname, '' AS nspname WHERE false`;

export const publicationSchema = defineKind<z.infer<typeof row>>({
  name: 'publication schema',
  only: ['pg_publication'],
  row,
  query: ({ version }) => (version >= 150000 ? query : none),
  objects({ oid, pnpubid, pnnspid, pubname, nspname }) {
    const self = key('pg_publication_namespace', oid);
    const publication = `PUBLICATION ${quoteIdentifier(pubname)}`;
    const schema = quoteIdentifier(nspname);
    const parent = key('pg_publication', pnpubid);
    const needs = [parent, key('pg_namespace', pnnspid)];
    const add = `ALTER ${publication} ADD TABLES IN SCHEMA ${schema}`;
    return [
      {
        key: self,
        kind: 'publication schema',
        name: `${nspname} in ${pubname}`,
        parent,
        steps: [{ key: self, facet: 'definition', section: 'post-data', needs, statements: () => [add] }],
        ddl: `${publication} SCHEMA ${schema}`,
      },
    ];
  },
});
