// Operator families. Each is made by a statement of its own, also one that CREATE OPERATOR CLASS made implicitly, so that its owner,
// schema and comment can be what they are. Its loose members are operator-family-member.ts.
import * as z from 'zod';
import { qualifiedName, quoteIdentifier } from '../../pg/quote.js';
import { defineKind, key } from '../kind.js';
import { isNotMember, isUserSchema } from '../ours.js';

const row = z.object({
  oid: z.number(),
  nspname: z.string(),
  opfname: z.string(),
  owner: z.string(),
  amname: z.string(),
});

export const operatorFamily = defineKind({
  name: 'operator-family',
  only: ['pg_opfamily'],
  row,
  query: () => `
    SELECT f.oid, n.nspname, f.opfname, pg_get_userbyid(f.opfowner) AS owner, a.amname
      FROM pg_opfamily f
      JOIN pg_namespace n ON n.oid = f.opfnamespace
      JOIN pg_am a ON a.oid = f.opfmethod
     WHERE ${isUserSchema('n')} AND ${isNotMember('pg_opfamily', 'f.oid')}
     ORDER BY f.oid`,
  objects({ oid, nspname, opfname, owner, amname }) {
    const self = key('pg_opfamily', oid);
    const ddl = `OPERATOR FAMILY ${qualifiedName(nspname, opfname)} USING ${quoteIdentifier(amname)}`;
    return [
      {
        key: self,
        kind: 'operator-family',
        schema: nspname,
        name: `${opfname} USING ${amname}`,
        ddl,
        owner,
        steps: [{ key: self, facet: 'definition', section: 'pre-data', statements: () => [`CREATE ${ddl}`] }],
      },
    ];
  },
});
