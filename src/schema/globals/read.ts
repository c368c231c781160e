// Reads what belongs to the whole server: roles, memberships, privileges on parameters, tablespaces. Plain reads of shared catalogs in
// the snapshot's transaction, by role names instead of OIDs. The password hashes are only asked for where that is wanted.
import { TidemarkError } from '../../model/errors.js';
import type { GlobalRole, Globals, Label, Membership, ParameterPrivileges, Tablespace } from '../../model/globals.js';
import type { LeftOut } from '../../model/manifest.js';
import { parameterName } from '../../pg/globals-sql.js';
import { quoteIdentifier } from '../../pg/quote.js';
import { allPrivileges, asGrantors, changeAcl, type Exploded, explodedSql, itemsOf, rolesOf } from '../facets/acl.js';
import { orderMemberships } from './order.js';

interface Queryable {
  query<Row extends Record<string, unknown>>(text: string): Promise<Row[]>;
}

export interface ReadGlobals {
  /** `server_version_num` */
  readonly version: number;
  /** Takes the password hashes along. */
  readonly passwords: boolean;
}

function labelsSql(catalog: string, oid: string): string {
  return `(SELECT coalesce(json_agg(json_build_object('provider', l.provider, 'label', l.label) ORDER BY l.provider), '[]')
             FROM pg_shseclabel l WHERE l.classoid = '${catalog}'::regclass AND l.objoid = ${oid})`;
}

/** pg_roles has the settings for all databases, and instead of a password asterisks. */
function rolesQuery({ passwords }: ReadGlobals): string {
  return `
    SELECT r.rolname, r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin, r.rolreplication, r.rolbypassrls, r.rolconnlimit,
           r.rolvaliduntil::text AS rolvaliduntil, r.oid = 10 AS bootstrap, ${passwords ? 'a.rolpassword,' : ''}
           shobj_description(r.oid, 'pg_authid') AS comment, ${labelsSql('pg_authid', 'r.oid')} AS labels,
           to_json(coalesce(r.rolconfig, '{}')) AS settings
      FROM pg_roles r ${passwords ? 'JOIN pg_authid a ON a.oid = r.oid' : ''}
     WHERE r.rolname !~ '^pg_' ORDER BY r.rolname COLLATE "C"`;
}

const everyRoleQuery = `SELECT to_json(setconfig) AS settings FROM pg_db_role_setting WHERE setdatabase = 0 AND setrole = 0`;

interface MembershipRow extends Record<string, unknown> {
  readonly roleid: number;
  readonly memberid: number;
  readonly role: string | null;
  readonly member: string | null;
  readonly grantor: string | null;
  readonly admin_option: boolean;
  readonly inherit_option: boolean | null;
  readonly set_option: boolean | null;
}

/** A role could be dropped while it was granted to another one, in old versions: rows without their role stayed. Memberships among the
 *  server's own roles are there on every server. Only what the bootstrap superuser granted needs nobody before it. */
function membershipsQuery({ version }: ReadGlobals): string {
  const options = version >= 160000 ? 'm.inherit_option, m.set_option' : 'NULL::boolean AS inherit_option, NULL::boolean AS set_option';
  return `
    SELECT m.roleid, m.member AS memberid, r.rolname AS role, u.rolname AS member, m.admin_option, ${options},
           ${version >= 160000 ? 'g.rolname' : 'NULL::name'} AS grantor
      FROM pg_auth_members m
      LEFT JOIN pg_roles r ON r.oid = m.roleid
      LEFT JOIN pg_roles u ON u.oid = m.member
      LEFT JOIN pg_roles g ON g.oid = m.grantor AND g.oid <> 10
     WHERE NOT coalesce(r.rolname ~ '^pg_' AND u.rolname ~ '^pg_', false)
     ORDER BY r.rolname COLLATE "C", u.rolname COLLATE "C", g.rolname COLLATE "C", m.roleid, m.member`;
}

interface ParameterRow extends Record<string, unknown> {
  readonly parname: string;
  readonly owner: string;
  readonly base: readonly Exploded[];
  readonly actual: readonly Exploded[];
}

const parametersQuery = `
  SELECT p.parname, pg_get_userbyid(10) AS owner, ${explodedSql(`acldefault('p', 10)`)} AS base, ${explodedSql('p.paracl')} AS actual
    FROM pg_parameter_acl p ORDER BY p.parname COLLATE "C"`;

interface TablespaceRow extends Record<string, unknown> {
  readonly spcname: string;
  readonly owner: string;
  readonly location: string;
  readonly options: readonly string[];
  readonly comment: string | null;
  readonly labels: readonly Label[];
  readonly base: readonly Exploded[];
  readonly actual: readonly Exploded[];
}

/** The path of a tablespace inside of the data directory is relative. */
const tablespacesQuery = `
  SELECT t.spcname, pg_get_userbyid(t.spcowner) AS owner, regexp_replace(pg_tablespace_location(t.oid), '^pg_tblspc/.*', '') AS location,
         to_json(coalesce(t.spcoptions, '{}')) AS options, shobj_description(t.oid, 'pg_tablespace') AS comment,
         ${labelsSql('pg_tablespace', 't.oid')} AS labels, ${explodedSql(`acldefault('t', t.spcowner)`)} AS base,
         ${explodedSql(`coalesce(t.spcacl, acldefault('t', t.spcowner))`)} AS actual
    FROM pg_tablespace t WHERE t.spcname !~ '^pg_' ORDER BY t.spcname COLLATE "C"`;

/** @returns what there is, and what of it could not be carried
 *  @throws TidemarkError PERMISSION_DENIED where passwords are wanted and the role may not read them */
export async function readGlobals(
  session: Queryable,
  options: ReadGlobals,
): Promise<{ readonly globals: Globals; readonly leftOut: readonly LeftOut[] }> {
  if (options.passwords && !(await mayReadPasswords(session))) {
    throw new TidemarkError('PERMISSION_DENIED', 'read the passwords of roles: this role may not read pg_authid', {
      hint: 'connect as a superuser, or go without --role-passwords',
    });
  }
  const roles = await session.query<Omit<GlobalRole, 'bootstrap'> & { bootstrap: boolean }>(rolesQuery(options));
  const [everyRole] = await session.query<{ settings: readonly string[] }>(everyRoleQuery);
  const memberships = sortMemberships(await session.query<MembershipRow>(membershipsQuery(options)));
  const parameters = options.version < 150000 ? [] : (await session.query<ParameterRow>(parametersQuery)).map(parameter);
  const tablespaces = (await session.query<TablespaceRow>(tablespacesQuery)).map(tablespace);
  return {
    globals: {
      roles: roles.map(({ bootstrap, ...role }) => ({ ...role, ...(bootstrap ? { bootstrap } : {}) })),
      settings: everyRole?.settings ?? [],
      memberships: memberships.carried,
      parameters: parameters.map(({ carried }) => carried).filter(({ statements }) => statements.length > 0),
      tablespaces: tablespaces.map(({ carried }) => carried),
    },
    leftOut: [...memberships.leftOut, ...[...parameters, ...tablespaces].flatMap(({ leftOut }) => leftOut)],
  };
}

/** Superusers may, and whoever was granted that. */
export async function mayReadPasswords(session: Queryable): Promise<boolean> {
  const rows = await session.query<{ may: boolean }>(
    `SELECT has_column_privilege('pg_authid', 'rolpassword', 'SELECT') AND has_column_privilege('pg_authid', 'oid', 'SELECT') AS may`,
  );
  return rows[0]?.may === true;
}

function sortMemberships(rows: readonly MembershipRow[]): {
  readonly carried: readonly Membership[];
  readonly leftOut: readonly LeftOut[];
} {
  const leftOut: LeftOut[] = [];
  const known = rows.flatMap((row): Membership[] => {
    const { role, member, grantor, admin_option: admin, inherit_option: inherit, set_option: set } = row;
    if (role !== null && member !== null) return [{ role, member, grantor, admin, inherit, set }];
    const gone = role === null ? row.roleid : row.memberid;
    const name = `of ${member ?? row.memberid} in ${role ?? row.roleid}`;
    leftOut.push({ kind: 'membership', name, reason: `the role with OID ${gone} does not exist any more` });
    return [];
  });
  const { memberships, unreachable } = orderMemberships(known);
  for (const { role, member, grantor } of unreachable) {
    leftOut.push({ kind: 'membership', name: `of ${member} in ${role}`, reason: `${grantor}, who granted it, has no ADMIN OPTION` });
  }
  return { carried: memberships, leftOut };
}

interface Privileges {
  readonly statements: readonly string[];
  readonly roles: readonly string[];
  readonly leftOut: readonly LeftOut[];
}

function privileges(
  { owner, base, actual }: Pick<ParameterRow, 'owner' | 'base' | 'actual'>,
  { on, type }: { readonly on: string; readonly type: 'p' | 't' },
): Privileges {
  const { items, gone } = itemsOf(actual);
  const target = { on: `ON ${on}`, all: allPrivileges(type), owner };
  const statements = changeAcl({ target, base: itemsOf(base).items, actual: items });
  return {
    statements: asGrantors(statements, owner),
    roles: rolesOf(statements, owner),
    leftOut: [...gone].map((oid) => ({ kind: 'privilege', name: on, reason: `the role with OID ${oid} does not exist any more` })),
  };
}

function parameter(row: ParameterRow): { readonly carried: ParameterPrivileges; readonly leftOut: readonly LeftOut[] } {
  const { leftOut, ...rest } = privileges(row, { on: `PARAMETER ${parameterName(row.parname)}`, type: 'p' });
  return { carried: { name: row.parname, ...rest }, leftOut };
}

function tablespace(row: TablespaceRow): { readonly carried: Tablespace; readonly leftOut: readonly LeftOut[] } {
  const { spcname, owner, location, options, comment, labels } = row;
  const { leftOut, statements, roles } = privileges(row, { on: `TABLESPACE ${quoteIdentifier(spcname)}`, type: 't' });
  return { carried: { spcname, owner, location, options, comment, labels, privileges: statements, roles }, leftOut };
}
