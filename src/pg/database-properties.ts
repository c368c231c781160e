// What belongs to a database itself rather than to its contents: owner, comment, privileges, connection limit, settings. Read from one
// database and given as statements for another, so that the one that takes its place behaves the same.
import type { DatabaseProperties } from '../model/catalog.js';
import { quoteIdentifier, quoteLiteral } from './quote.js';
import type { Session } from './session.js';

/** Undefined where there is no such database. */
export async function readProperties(session: Session, name: string): Promise<DatabaseProperties | undefined> {
  const rows = await session.query<{ properties: DatabaseProperties }>(
    `SELECT json_build_object(
       'owner', pg_get_userbyid(d.datdba), 'comment', shobj_description(d.oid, 'pg_database'),
       'labels', (SELECT coalesce(json_agg(json_build_object('provider', l.provider, 'label', l.label) ORDER BY l.provider), '[]')
                    FROM pg_shseclabel l WHERE l.classoid = 'pg_database'::regclass AND l.objoid = d.oid),
       'datconnlimit', d.datconnlimit, 'datistemplate', d.datistemplate,
       'tablespace', (SELECT spcname FROM pg_tablespace t WHERE t.oid = d.dattablespace),
       'privileges', CASE WHEN d.datacl IS NULL THEN NULL ELSE (
         SELECT coalesce(json_agg(json_build_object('grantee', CASE WHEN a.grantee <> 0 THEN pg_get_userbyid(a.grantee) END,
                                                    'privilege', a.privilege_type, 'grantable', a.is_grantable)), '[]')
           FROM aclexplode(d.datacl) a) END,
       'settings', (
         SELECT coalesce(json_agg(json_build_object('role', CASE WHEN s.setrole <> 0 THEN pg_get_userbyid(s.setrole) END,
                                                    'config', s.setconfig)), '[]')
           FROM pg_db_role_setting s WHERE s.setdatabase = d.oid)) AS properties
     FROM pg_database d WHERE d.datname = $1`,
    [name],
  );
  return rows[0]?.properties;
}

/** The roles that the statements name: they must exist. */
export function rolesOf({ owner, privileges, settings }: DatabaseProperties): readonly string[] {
  const named = [owner, ...(privileges ?? []).map(({ grantee }) => grantee), ...settings.map(({ role }) => role)];
  return [...new Set(named.filter((role) => role !== null))];
}

/** Statements that give a database these properties, except its tablespace, which is chosen when it is made. */
export function propertyStatements(name: string, properties: DatabaseProperties): readonly string[] {
  const { owner, comment, labels, datconnlimit, datistemplate, privileges, settings } = properties;
  const database = quoteIdentifier(name);
  const grants = privileges?.map(({ grantee, privilege, grantable }) => {
    const to = grantee === null ? 'PUBLIC' : quoteIdentifier(grantee);
    return `GRANT ${privilege} ON DATABASE ${database} TO ${to}${grantable ? ' WITH GRANT OPTION' : ''}`;
  });
  return [
    ...(owner === null ? [] : [`ALTER DATABASE ${database} OWNER TO ${quoteIdentifier(owner)}`]),
    `COMMENT ON DATABASE ${database} IS ${comment === null ? 'NULL' : quoteLiteral(comment)}`,
    ...labels.map(({ provider, label }) => {
      return `SECURITY LABEL FOR ${quoteIdentifier(provider)} ON DATABASE ${database} IS ${quoteLiteral(label)}`;
    }),
    `ALTER DATABASE ${database} WITH CONNECTION LIMIT ${datconnlimit}`,
    ...(datistemplate ? [`ALTER DATABASE ${database} WITH IS_TEMPLATE true`] : []),
    ...(grants === undefined
      ? []
      : [
          `REVOKE ALL ON DATABASE ${database} FROM ${['PUBLIC', ...(owner === null ? [] : [quoteIdentifier(owner)])].join(', ')}`,
          ...grants,
        ]),
    ...settings.flatMap(({ role, config }) =>
      config.map((entry) => {
        const where = role === null ? `DATABASE ${database}` : `ROLE ${quoteIdentifier(role)} IN DATABASE ${database}`;
        return `ALTER ${where} ${settingClause(entry)}`;
      }),
    ),
  ];
}

/** Settings whose stored value is a list of quoted identifiers: written back as one literal each, or the list becomes one name.
 *  (GUC_LIST_QUOTE in the server; https://www.postgresql.org/docs/current/runtime-config-client.html) */
const lists: ReadonlySet<string> = new Set([
  'search_path',
  'temp_tablespaces',
  'local_preload_libraries',
  'session_preload_libraries',
  'shared_preload_libraries',
  'unix_socket_directories',
  'oauth_validator_libraries',
  'output_plugin_libraries',
]);

/** `search_path=a, "B c"` -> `SET "search_path" TO 'a', 'B c'` */
export function settingClause(entry: string): string {
  const at = entry.indexOf('=');
  const name = entry.slice(0, at);
  const value = entry.slice(at + 1);
  const quoted = name.split('.').map(quoteIdentifier).join('.');
  return `SET ${quoted} TO ${lists.has(name.toLowerCase()) ? splitList(value).map(quoteLiteral).join(', ') : quoteLiteral(value)}`;
}

/** Elements of a list as the server stores it: bare or in double quotes, which are doubled within. An empty list is one empty element. */
function splitList(value: string): readonly string[] {
  const elements = [...value.matchAll(/"((?:[^"]|"")*)"|([^\s,"]+)/g)].map(
    ([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare ?? '',
  );
  return elements.length === 0 ? [''] : elements;
}
