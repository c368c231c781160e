// Casts. They have no schema, no owner and no privileges; those between built-in types are the user's, too, where their OID says so.
// Expressions do not depend on the cast that they use but on its function, or on nothing: priority.ts has casts as early as can be, and
// `usedThrough` tells the graph whose users may mean the cast. The cast of a range to its own multirange is the range's (range.ts).
import * as z from 'zod';
import { defineKind, key } from '../kind.js';
import { firstNormalOid, isNotMember } from '../ours.js';

const row = z.object({
  oid: z.number(),
  source: z.string(),
  target: z.string(),
  castfunc: z.number(),
  /** With argument types; null where there is no function. */
  signature: z.string().nullable(),
  /** f with a function, i by the types' input and output, b binary */
  castmethod: z.enum(['f', 'i', 'b']),
  /** e explicit, a assignment, i implicit */
  castcontext: z.enum(['e', 'a', 'i']),
});

const contexts = { e: '', a: ' AS ASSIGNMENT', i: ' AS IMPLICIT' } as const;

function method({ castmethod, signature }: z.infer<typeof row>): string {
  if (castmethod === 'i') return 'WITH INOUT';
  return castmethod === 'b' ? 'WITHOUT FUNCTION' : `WITH FUNCTION ${signature}`;
}

export const cast = defineKind({
  name: 'cast',
  only: ['pg_cast'],
  row,
  query: () => `
    SELECT c.oid, format_type(c.castsource, NULL) AS source, format_type(c.casttarget, NULL) AS target, c.castfunc::oid AS castfunc,
           CASE WHEN c.castfunc <> 0 THEN c.castfunc::regprocedure::text END AS signature, c.castmethod, c.castcontext
      FROM pg_cast c
     WHERE c.oid >= ${firstNormalOid} AND ${isNotMember('pg_cast', 'c.oid')}
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_cast'::regclass AND d.objid = c.oid AND d.deptype = 'i')
     ORDER BY c.oid`,
  objects(cast) {
    const self = key('pg_cast', cast.oid);
    const name = `(${cast.source} AS ${cast.target})`;
    const create = `CREATE CAST ${name} ${method(cast)}${contexts[cast.castcontext]}`;
    return [
      {
        key: self,
        kind: 'cast',
        name,
        ddl: `CAST ${name}`,
        ...(cast.castfunc === 0 ? {} : { usedThrough: [key('pg_proc', cast.castfunc)] }),
        // Its function may have to wait for a primary key (a body in the SQL standard's form), its type may be such a view's row.
        steps: [{ key: self, facet: 'definition', section: 'pre-data', statements: () => [create], split: { cost: 7, early: null } }],
      },
    ];
  },
});
