// Foreign servers. Their options can be read by everybody who can connect to the source, so they are no secrets (secrets.ts).
import * as z from 'zod';
import { quoteIdentifier, quoteLiteral } from '../../pg/quote.js';
import { genericOptions, optionsClause, optionsSql } from '../generic-options.js';
import { defineKind, key } from '../kind.js';
import { firstNormalOid, isNotMember } from '../ours.js';

const row = z.object({
  oid: z.number(),
  srvname: z.string(),
  rolname: z.string(),
  srvtype: z.string().nullable(),
  srvversion: z.string().nullable(),
  fdwname: z.string(),
  options: genericOptions,
});

export const server = defineKind<z.infer<typeof row>>({
  name: 'server',
  only: ['pg_foreign_server'],
  row,
  query: () => `
    SELECT s.oid, s.srvname, pg_get_userbyid(s.srvowner) AS rolname, s.srvtype, s.srvversion, w.fdwname, ${optionsSql('s.srvoptions')} AS options
      FROM pg_foreign_server s
      JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
     WHERE s.oid >= ${firstNormalOid} AND ${isNotMember('pg_foreign_server', 's.oid')}
     ORDER BY s.oid`,
  objects({ oid, srvname, rolname, srvtype, srvversion, fdwname, options }) {
    const self = key('pg_foreign_server', oid);
    const ddl = `SERVER ${quoteIdentifier(srvname)}`;
    const create = [
      `CREATE ${ddl}`,
      srvtype === null ? '' : ` TYPE ${quoteLiteral(srvtype)}`,
      srvversion === null ? '' : ` VERSION ${quoteLiteral(srvversion)}`,
      ` FOREIGN DATA WRAPPER ${quoteIdentifier(fdwname)}`,
      optionsClause(options),
    ].join('');
    const steps = [{ key: self, facet: 'definition', section: 'pre-data', statements: () => [create] }] as const;
    return [{ key: self, kind: 'server', name: srvname, steps, ddl, grant: `FOREIGN ${ddl}`, owner: rolname }];
  },
});
