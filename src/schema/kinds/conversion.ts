// Conversions between encodings. Only one may be the default of a schema for its two encodings. The function takes an `internal`
// argument, so it is one of C and never waits for anything.
import * as z from 'zod';
import { qualifiedName, quoteLiteral } from '../../pg/quote.js';
import { defineKind, key } from '../kind.js';
import { isNotMember, isUserSchema } from '../ours.js';

const row = z.object({
  oid: z.number(),
  nspname: z.string(),
  conname: z.string(),
  owner: z.string(),
  source: z.string(),
  target: z.string(),
  conproc: z.string(),
  condefault: z.boolean(),
});

export const conversion = defineKind({
  name: 'conversion',
  only: ['pg_conversion'],
  row,
  query: () => `
    SELECT c.oid, n.nspname, c.conname, pg_get_userbyid(c.conowner) AS owner, pg_encoding_to_char(c.conforencoding)::text AS source,
           pg_encoding_to_char(c.contoencoding)::text AS target, c.conproc::text, c.condefault
      FROM pg_conversion c
      JOIN pg_namespace n ON n.oid = c.connamespace
     WHERE ${isUserSchema('n')} AND ${isNotMember('pg_conversion', 'c.oid')}
     ORDER BY c.oid`,
  objects({ oid, nspname, conname, owner, source, target, conproc, condefault }) {
    const self = key('pg_conversion', oid);
    const ddl = `CONVERSION ${qualifiedName(nspname, conname)}`;
    const create = `CREATE ${condefault ? 'DEFAULT ' : ''}${ddl} FOR ${quoteLiteral(source)} TO ${quoteLiteral(target)} FROM ${conproc}`;
    return [
      {
        key: self,
        kind: 'conversion',
        schema: nspname,
        name: conname,
        ddl,
        owner,
        steps: [{ key: self, facet: 'definition', section: 'pre-data', statements: () => [create] }],
      },
    ];
  },
});
