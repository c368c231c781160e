// Access methods of tables and indexes. Their handlers are functions in C: the target needs the library. They have no owner and no
// privileges.
import * as z from 'zod';
import { quoteIdentifier } from '../../pg/quote.js';
import { defineKind, key } from '../kind.js';
import { routineName } from '../operator-sql.js';
import { firstNormalOid, isNotMember } from '../ours.js';

const row = z.object({
  oid: z.number(),
  amname: z.string(),
  amtype: z.enum(['i', 't']),
  handler: z.string(),
});

const types = { i: 'INDEX', t: 'TABLE' } as const;

export const accessMethod = defineKind({
  name: 'access-method',
  only: ['pg_am'],
  row,
  query: () => `
    SELECT a.oid, a.amname, a.amtype, ${routineName('a.amhandler')} AS handler
      FROM pg_am a
     WHERE a.oid >= ${firstNormalOid} AND ${isNotMember('pg_am', 'a.oid')}
     ORDER BY a.oid`,
  objects({ oid, amname, amtype, handler }) {
    const self = key('pg_am', oid);
    const ddl = `ACCESS METHOD ${quoteIdentifier(amname)}`;
    const create = `CREATE ${ddl} TYPE ${types[amtype]} HANDLER ${handler}`;
    return [
      {
        key: self,
        kind: 'access-method',
        name: amname,
        ddl,
        steps: [{ key: self, facet: 'definition', section: 'pre-data', statements: () => [create] }],
      },
    ];
  },
});
