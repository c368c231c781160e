// Text search parsers: five functions, of which the one for headlines is optional. They have no owner and no privileges.
import * as z from 'zod';
import { qualifiedName } from '../../pg/quote.js';
import { defineKind, key } from '../kind.js';
import { isNotMember, isUserSchema } from '../ours.js';

const row = z.object({
  oid: z.number(),
  nspname: z.string(),
  prsname: z.string(),
  prsstart: z.string(),
  prstoken: z.string(),
  prsend: z.string(),
  prsheadline: z.string().nullable(),
  prslextype: z.string(),
});

export const textSearchParser = defineKind({
  name: 'text search parser',
  only: ['pg_ts_parser'],
  row,
  query: () => `
    SELECT p.oid, n.nspname, p.prsname, p.prsstart::text, p.prstoken::text, p.prsend::text,
           CASE WHEN p.prsheadline <> 0 THEN p.prsheadline::text END AS prsheadline, p.prslextype::text
      FROM pg_ts_parser p
      JOIN pg_namespace n ON n.oid = p.prsnamespace
     WHERE ${isUserSchema('n')} AND ${isNotMember('pg_ts_parser', 'p.oid')}
     ORDER BY p.oid`,
  objects({ oid, nspname, prsname, prsstart, prstoken, prsend, prsheadline, prslextype }) {
    const self = key('pg_ts_parser', oid);
    const ddl = `TEXT SEARCH PARSER ${qualifiedName(nspname, prsname)}`;
    const headline = prsheadline === null ? '' : `HEADLINE = ${prsheadline}, `;
    const create = `CREATE ${ddl} (START = ${prsstart}, GETTOKEN = ${prstoken}, END = ${prsend}, ${headline}LEXTYPES = ${prslextype})`;
    return [
      {
        key: self,
        kind: 'text search parser',
        schema: nspname,
        name: prsname,
        ddl,
        steps: [{ key: self, facet: 'definition', section: 'pre-data', statements: () => [create] }],
      },
    ];
  },
});
