// Extensions. Their members come with CREATE EXTENSION; no kind emits them. No version is asked for: the target's own is the one whose
// libraries it has. Extensions made by initdb (plpgsql) are in every database and are left out.
import * as z from 'zod';
import { quoteIdentifier } from '../../pg/quote.js';
import { defineKind, key } from '../kind.js';
import { firstNormalOid } from '../ours.js';

const row = z.object({ oid: z.number(), extname: z.string(), nspname: z.string(), extnamespace: z.number() });

export const extension = defineKind({
  name: 'extension',
  only: ['pg_extension'],
  row,
  query: () => `
    SELECT e.oid, e.extname, n.nspname, e.extnamespace
      FROM pg_extension e
      JOIN pg_namespace n ON n.oid = e.extnamespace
     WHERE e.oid >= ${firstNormalOid}
     ORDER BY e.oid`,
  objects({ oid, extname, nspname, extnamespace }) {
    const self = key('pg_extension', oid);
    const name = quoteIdentifier(extname);
    const create = `CREATE EXTENSION IF NOT EXISTS ${name} WITH SCHEMA ${quoteIdentifier(nspname)}`;
    return [
      {
        key: self,
        kind: 'extension',
        name: extname,
        ddl: `EXTENSION ${name}`,
        steps: [
          { key: self, facet: 'definition', section: 'pre-data', needs: [key('pg_namespace', extnamespace)], statements: () => [create] },
        ],
      },
    ];
  },
});
