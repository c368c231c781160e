// User mappings. Their options are where passwords of foreign servers are, so only those that are known to be none are carried, unless
// secrets are asked for; what is left out is listed. Options that the role cannot read are never taken for none.
import * as z from 'zod';
import { TidemarkError } from '../../model/errors.js';
import { quoteIdentifier } from '../../pg/quote.js';
import { genericOptions, optionsClause, optionsSql } from '../generic-options.js';
import { defineKind, key, type ObjectDraft, type Server } from '../kind.js';
import { isNotMember } from '../ours.js';
import { separateOptions } from '../secrets.js';

const row = z.object({
  umid: z.number(),
  srvid: z.number(),
  srvname: z.string(),
  /** Null for PUBLIC. */
  usename: z.string().nullable(),
  readable: z.boolean(),
  options: genericOptions,
  /** The wrapper may refuse a mapping without all its options. */
  demanding: z.boolean(),
});
type Row = z.infer<typeof row>;

/** Validators of PostgreSQL's own wrappers: they look at what is there and ask for nothing. */
const lenient = `('postgresql_fdw_validator', 'postgres_fdw_validator', 'dblink_fdw_validator', 'file_fdw_validator')`;

/** The view pg_user_mappings shows options to the mapped user and, for PUBLIC, to the owner of the server; to others they look like none.
 *  https://www.postgresql.org/docs/current/view-pg-user-mappings.html */
const shown = `(CASE WHEN m.umuser = 0 THEN pg_has_role(s.srvowner, 'USAGE')
                ELSE pg_get_userbyid(m.umuser) = current_user AND (pg_has_role(s.srvowner, 'USAGE') OR has_server_privilege(s.oid, 'USAGE')) END)`;

function query({ readsUserMappings }: Server): string {
  const [from, id] = readsUserMappings ? ['pg_user_mapping', 'oid'] : ['pg_user_mappings', 'umid'];
  const serverId = readsUserMappings ? 'umserver' : 'srvid';
  return `
    SELECT m.${id} AS umid, s.oid AS srvid, s.srvname, CASE WHEN m.umuser <> 0 THEN pg_get_userbyid(m.umuser) END AS usename,
           ${readsUserMappings ? 'true' : shown} AS readable, ${optionsSql('m.umoptions')} AS options,
           w.fdwvalidator <> 0 AND p.proname NOT IN ${lenient} AS demanding
      FROM ${from} m
      JOIN pg_foreign_server s ON s.oid = m.${serverId}
      JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
      LEFT JOIN pg_proc p ON p.oid = w.fdwvalidator
     WHERE ${isNotMember('pg_user_mapping', `m.${id}`)}
     ORDER BY 1`;
}

/** What is carried of the options, and what is told of the others. */
function carried({ readable, options, demanding, usename, srvname }: Row, { secrets = false }: Server): Carried {
  if (!readable) {
    const whose = `options of the user mapping of ${usename ?? 'PUBLIC'} for server ${srvname}`;
    if (!secrets) return { open: [], absent: 'its options cannot be read by this role' };
    throw new TidemarkError('PERMISSION_DENIED', `read the ${whose}: this role may not see them`, {
      hint: 'connect as a superuser or as a member of pg_read_all_data, or go without --secrets',
    });
  }
  if (secrets) return { open: options };
  const separated = separateOptions(options);
  if (separated.secrets.length === 0) return separated;
  const names = separated.secrets.map((name) => `"${name}"`).join(', ');
  const told = `its options ${names} may be secrets: --secrets takes them along`;
  if (demanding) return { open: [], absent: `${told} (without them its foreign data wrapper may refuse it)` };
  return { open: separated.open, leftOut: [told] };
}

interface Carried extends Pick<ObjectDraft, 'leftOut' | 'absent'> {
  readonly open: Row['options'];
}

export const userMapping = defineKind<Row>({
  name: 'user mapping',
  only: ['pg_foreign_server'],
  row,
  query,
  objects(row, server) {
    const { umid, srvid, srvname, usename } = row;
    const self = key('pg_user_mapping', umid);
    const ddl = `USER MAPPING FOR ${usename === null ? 'PUBLIC' : quoteIdentifier(usename)} SERVER ${quoteIdentifier(srvname)}`;
    const { open, ...told } = carried(row, server);
    const create = `CREATE ${ddl}${optionsClause(open)}`;
    const roles = usename === null ? [] : [usename];
    const steps = [{ key: self, facet: 'definition', section: 'pre-data', statements: () => [create], roles }] as const;
    const name = `${usename ?? 'PUBLIC'} at ${srvname}`;
    // A server is not dropped before its mappings are.
    return [{ key: self, kind: 'user mapping', name, parent: key('pg_foreign_server', srvid), steps, ddl, drop: ddl, ...told }];
  },
});
