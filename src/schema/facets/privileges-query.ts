// One statement that finds every object whose privileges are not those that it was made with, in all catalogs that have privileges:
// by initdb or by an extension (pg_init_privs), else by the built-in default (acldefault).
import { inputTypes } from '../routine.js';
import { type Exploded, explodedSql } from './acl.js';

export interface PrivilegesRow extends Record<string, unknown> {
  readonly classid: string;
  readonly objid: number;
  /** Column number, or 0. */
  readonly objsubid: number;
  readonly attname: string | null;
  /** As acldefault() has it; s for a sequence. */
  readonly type: string;
  readonly nspname: string | null;
  readonly name: string;
  readonly kind: string;
  /** As in `GRANT ... ON <on>`. */
  readonly on: string;
  readonly owner: string;
  readonly actual: readonly Exploded[];
  readonly base: readonly Exploded[];
  /** The extension that it is a member of. */
  readonly extension: number | null;
}

interface Source {
  readonly catalog: string;
  readonly from: string;
  readonly oid: string;
  readonly acl: string;
  readonly owner: string;
  readonly type: string;
  readonly nspname?: string;
  readonly name: string;
  readonly kind: string;
  readonly on: string;
  readonly subid?: string;
  readonly attname?: string;
  /** Read in any case. */
  readonly always?: string;
  readonly where?: string;
}

const relation = `CASE c.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || quote_ident(n.nspname) || '.' || quote_ident(c.relname)`;
const relationKind =
  `CASE c.relkind WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ` +
  `WHEN 'f' THEN 'foreign table' ELSE 'table' END`;
const relationFrom = 'pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace';
const relationKinds = `c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')`;

const sources: readonly Source[] = [
  {
    catalog: 'pg_class',
    from: relationFrom,
    oid: 'c.oid',
    acl: 'c.relacl',
    owner: 'c.relowner',
    type: `CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END`,
    nspname: 'n.nspname',
    name: 'c.relname',
    kind: relationKind,
    on: relation,
    where: relationKinds,
  },
  {
    catalog: 'pg_class',
    // Columns of the system (ctid, xmin), too.
    from: `pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace`,
    oid: 'a.attrelid',
    subid: 'a.attnum',
    attname: 'a.attname',
    acl: 'a.attacl',
    owner: 'c.relowner',
    type: `'c'`,
    nspname: 'n.nspname',
    name: 'c.relname',
    kind: relationKind,
    on: relation,
    where: `NOT a.attisdropped AND ${relationKinds}`,
  },
  {
    catalog: 'pg_proc',
    from: 'pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace',
    oid: 'p.oid',
    acl: 'p.proacl',
    owner: 'p.proowner',
    type: `'f'`,
    nspname: 'n.nspname',
    name: `p.proname || '(' || ${inputTypes} || ')'`,
    kind: `CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END`,
    on: `CASE p.prokind WHEN 'p' THEN 'PROCEDURE ' ELSE 'FUNCTION ' END ||
         quote_ident(n.nspname) || '.' || quote_ident(p.proname) || '(' || ${inputTypes} || ')'`,
  },
  {
    catalog: 'pg_type',
    from: 'pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace',
    oid: 't.oid',
    acl: 't.typacl',
    owner: 't.typowner',
    type: `'T'`,
    nspname: 'n.nspname',
    name: 't.typname',
    kind: `CASE t.typtype WHEN 'c' THEN 'composite' WHEN 'd' THEN 'domain' WHEN 'e' THEN 'enum' WHEN 'r' THEN 'range'
           WHEN 'm' THEN 'multirange' ELSE 'base type' END`,
    on: `'TYPE ' || quote_ident(n.nspname) || '.' || quote_ident(t.typname)`,
  },
  {
    catalog: 'pg_namespace',
    from: 'pg_namespace n',
    oid: 'n.oid',
    acl: 'n.nspacl',
    owner: 'n.nspowner',
    type: `'n'`,
    name: 'n.nspname',
    kind: `'schema'`,
    on: `'SCHEMA ' || quote_ident(n.nspname)`,
    always: `n.nspname = 'public'`,
  },
  {
    catalog: 'pg_language',
    from: 'pg_language l',
    oid: 'l.oid',
    acl: 'l.lanacl',
    owner: 'l.lanowner',
    type: `'l'`,
    name: 'l.lanname',
    kind: `'language'`,
    on: `'LANGUAGE ' || quote_ident(l.lanname)`,
    // Nobody but superusers can use the others, and GRANT refuses them.
    where: 'l.lanpltrusted',
  },
  {
    catalog: 'pg_foreign_data_wrapper',
    from: 'pg_foreign_data_wrapper w',
    oid: 'w.oid',
    acl: 'w.fdwacl',
    owner: 'w.fdwowner',
    type: `'F'`,
    name: 'w.fdwname',
    kind: `'foreign data wrapper'`,
    on: `'FOREIGN DATA WRAPPER ' || quote_ident(w.fdwname)`,
  },
  {
    catalog: 'pg_foreign_server',
    from: 'pg_foreign_server s',
    oid: 's.oid',
    acl: 's.srvacl',
    owner: 's.srvowner',
    type: `'S'`,
    name: 's.srvname',
    kind: `'server'`,
    on: `'FOREIGN SERVER ' || quote_ident(s.srvname)`,
  },
];

/** A list that is NULL is the built-in default, also where pg_init_privs has another one. Where both have none there is nothing to say:
 *  nearly everywhere, so that is found out before anything is joined. */
function sourceSql({ catalog, from, oid, acl, owner, type, nspname, name, kind, on, ...more }: Source): string {
  const { subid = '0', attname = 'NULL', always = 'false', where = 'true' } = more;
  return `
    SELECT '${catalog}' AS classid, '${catalog}'::regclass AS class, ${oid} AS objid, ${subid}::int AS objsubid, ${attname}::text AS attname,
           (${type})::text AS type, ${nspname ?? 'NULL'}::text AS nspname, ${name}::text AS name, ${kind} AS kind, ${on} AS "on",
           ${owner} AS ownerid, ${acl} AS acl, i.initprivs
      FROM ${from}
      LEFT JOIN pg_init_privs i ON i.classoid = '${catalog}'::regclass AND i.objoid = ${oid} AND i.objsubid = ${subid}
     WHERE ${where} AND (${always} OR ${acl}::text IS DISTINCT FROM i.initprivs::text)
       AND (${always} OR ${acl} IS NOT NULL OR ${oid} IN (SELECT x.objoid FROM pg_init_privs x WHERE x.classoid = '${catalog}'::regclass))`;
}

/** Not information_schema: initdb notes in pg_init_privs what it has granted before it makes that one, so nobody can tell what has been
 *  changed there since. pg_dump leaves it alone, too. */
export const privilegesQuery = `
  SELECT o.classid, o.objid, o.objsubid, o.attname, o.type, o.nspname, o.name, o.kind, o."on", pg_get_userbyid(o.ownerid) AS owner,
         ${explodedSql('coalesce(o.acl, acldefault(o.type::"char", o.ownerid))')} AS actual,
         ${explodedSql('coalesce(o.initprivs, acldefault(o.type::"char", o.ownerid))')} AS base,
         (SELECT e.refobjid FROM pg_depend e
           WHERE e.classid = o.class AND e.objid = o.objid AND e.objsubid = 0 AND e.deptype = 'e') AS extension
    FROM (${sources.map(sourceSql).join('\n     UNION ALL')}) o
   WHERE coalesce(o.nspname, o.name) <> 'information_schema'
   ORDER BY o.classid, o.objid, o.objsubid <> 0, o.objsubid`;
