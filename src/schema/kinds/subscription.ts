// Subscriptions. They are restored disabled and unconnected: two databases that follow the same slot would each lose half of the changes.
// The password of the connection string stays away unless secrets are asked for; what is left out is listed.
import * as z from 'zod';
import { TidemarkError } from '../../model/errors.js';
import { quoteIdentifier, quoteLiteral } from '../../pg/quote.js';
import { defineKind, key, type ObjectDraft, type Server } from '../kind.js';
import { isNotMember } from '../ours.js';
import { separateConninfo } from '../secrets.js';

const row = z.object({
  oid: z.number(),
  subname: z.string(),
  rolname: z.string(),
  subenabled: z.boolean(),
  /** Null: this role may not read it. */
  subconninfo: z.string().nullable(),
  /** Null: NONE. */
  subslotname: z.string().nullable(),
  subpublications: z.array(z.string()),
  /** Option to value, as CREATE SUBSCRIPTION takes them; those that the server knows. */
  options: z.record(z.string(), z.string()),
  /** Changes that are to be skipped. */
  skips: z.boolean(),
});
type Row = z.infer<typeof row>;

/** Options with the catalog's expression and the first version that has them. The default of streaming changed with 18, so all are said.
 *  https://www.postgresql.org/docs/current/sql-createsubscription.html */
const options: readonly (readonly [name: string, expression: string, since: number])[] = [
  ['binary', 's.subbinary::text', 0],
  ['streaming', `CASE s.substream::text WHEN 'p' THEN 'parallel' WHEN 't' THEN 'on' WHEN 'true' THEN 'on' ELSE 'off' END`, 0],
  ['synchronous_commit', 's.subsynccommit', 0],
  ['two_phase', `(s.subtwophasestate <> 'd')::text`, 150000],
  ['disable_on_error', 's.subdisableonerr::text', 150000],
  ['password_required', 's.subpasswordrequired::text', 160000],
  ['run_as_owner', 's.subrunasowner::text', 160000],
  ['origin', 's.suborigin', 160000],
  ['failover', 's.subfailover::text', 170000],
];

function query({ version, readsSubscriptions }: Server): string {
  const pairs = options.filter(([, , since]) => version >= since).map(([name, expression]) => `'${name}', ${expression}`);
  return `
    SELECT s.oid, s.subname, pg_get_userbyid(s.subowner) AS rolname, s.subenabled, ${readsSubscriptions ? 's.subconninfo' : 'NULL'} AS subconninfo,
           s.subslotname, s.subpublications, json_build_object(${pairs.join(', ')}) AS options,
           ${version >= 150000 ? `s.subskiplsn <> '0/0'` : 'false'} AS skips
      FROM pg_subscription s
     WHERE s.subdbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()) AND ${isNotMember('pg_subscription', 's.oid')}
     ORDER BY s.oid`;
}

interface Carried extends Pick<ObjectDraft, 'absent'> {
  readonly open: string;
  readonly told: readonly string[];
}

/** The connection string as it is carried. */
function carried({ subname, subconninfo }: Row, { secrets = false }: Server): Carried {
  if (subconninfo === null) {
    if (!secrets) return { open: '', told: [], absent: 'its connection string cannot be read by this role' };
    throw new TidemarkError('PERMISSION_DENIED', `read subscription ${subname}: this role may not see its connection string`, {
      hint: 'connect as a superuser or as a member of pg_read_all_data, or go without --secrets',
    });
  }
  if (secrets) return { open: subconninfo, told: [] };
  const separated = separateConninfo(subconninfo);
  if (separated === undefined) {
    return { open: '', told: [], absent: 'where the password in its connection string ends cannot be told: --secrets takes it along' };
  }
  const told = separated.secrets.map((name) => `the ${name} in its connection string is a secret: --secrets takes it along`);
  return { open: separated.open, told };
}

export const subscription = defineKind<Row>({
  name: 'subscription',
  only: ['pg_subscription'],
  row,
  query,
  objects(row, server) {
    const { oid, subname, rolname, subslotname, subpublications, subenabled, skips } = row;
    const self = key('pg_subscription', oid);
    const ddl = `SUBSCRIPTION ${quoteIdentifier(subname)}`;
    const { open, told, absent } = carried(row, server);
    const settings = [
      'connect = false',
      `slot_name = ${subslotname === null ? 'NONE' : quoteLiteral(subslotname)}`,
      ...Object.entries(row.options).map(([name, value]) => `${name} = ${quoteLiteral(value)}`),
    ];
    const create =
      `CREATE ${ddl} CONNECTION ${quoteLiteral(open)} PUBLICATION ${subpublications.map(quoteIdentifier).join(', ')} ` +
      `WITH (${settings.join(', ')})`;
    const leftOut = [
      ...told,
      ...(subenabled ? ['it is enabled in the source, and restored disabled'] : []),
      ...(skips ? ['the transaction that it is to skip is not carried'] : []),
    ];
    return [
      {
        key: self,
        kind: 'subscription',
        name: subname,
        steps: [{ key: self, facet: 'definition', section: 'post-data', statements: () => [create] }],
        ddl,
        owner: rolname,
        leftOut,
        ...(absent === undefined ? {} : { absent }),
      },
    ];
  },
});
