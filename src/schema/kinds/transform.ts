// Transforms of a type for a language: a function each way, of which one may be missing. They have no name, schema, owner or privileges.
// Routines with TRANSFORM FOR TYPE need them; not every server records that in pg_depend, so routine.ts says it.
import * as z from 'zod';
import { quoteIdentifier } from '../../pg/quote.js';
import { defineKind, key } from '../kind.js';
import { firstNormalOid, isNotMember } from '../ours.js';

const row = z.object({
  oid: z.number(),
  type: z.string(),
  lanname: z.string(),
  /** With argument types; null where that direction is left to the language. */
  fromsql: z.string().nullable(),
  tosql: z.string().nullable(),
});

export const transform = defineKind({
  name: 'transform',
  only: ['pg_transform'],
  row,
  query: () => `
    SELECT t.oid, format_type(t.trftype, NULL) AS type, l.lanname,
           CASE WHEN t.trffromsql <> 0 THEN t.trffromsql::regprocedure::text END AS fromsql,
           CASE WHEN t.trftosql <> 0 THEN t.trftosql::regprocedure::text END AS tosql
      FROM pg_transform t
      JOIN pg_language l ON l.oid = t.trflang
     WHERE t.oid >= ${firstNormalOid} AND ${isNotMember('pg_transform', 't.oid')}
     ORDER BY t.oid`,
  objects({ oid, type, lanname, fromsql, tosql }) {
    const self = key('pg_transform', oid);
    const name = `FOR ${type} LANGUAGE ${quoteIdentifier(lanname)}`;
    const directions = [
      ...(fromsql === null ? [] : [`FROM SQL WITH FUNCTION ${fromsql}`]),
      ...(tosql === null ? [] : [`TO SQL WITH FUNCTION ${tosql}`]),
    ];
    const create = `CREATE TRANSFORM ${name} (${directions.join(', ')})`;
    return [
      {
        key: self,
        kind: 'transform',
        name,
        ddl: `TRANSFORM ${name}`,
        steps: [{ key: self, facet: 'definition', section: 'pre-data', statements: () => [create] }],
      },
    ];
  },
});
