// The catalogs themselves as a judge: rows of a database without OIDs, in a form that is equal for two databases with the same schema.
// Holds what pg_dump does not print or loses: whether something is local or inherited, valid, enabled, populated, and in which order
// columns lie. Independent of the queries in src/schema on purpose.
import type { TestDatabase } from '../server/index.js';

const user = (namespace: string): string =>
  `${namespace} IN (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')`;
const grants = (acl: string, kind: string, owner: string): string =>
  `(SELECT json_agg(DISTINCT concat_ws(' ', grantor::regrole, grantee::regrole, privilege_type, is_grantable))
      FROM aclexplode(coalesce(${acl}, acldefault('${kind}', ${owner}))))`;
const identity = (classid: string, objid: string, subid = '0'): string =>
  `(SELECT concat_ws(' ', type, identity) FROM pg_identify_object(${classid}, ${objid}, ${subid}))`;
/** Options of foreign data wrappers: the order says nothing. */
const sorted = (options: string): string => `(SELECT json_agg(o ORDER BY o) FROM unnest(${options}) o)`;
const relation = 'c.oid::regclass::text';

/** By name. Left out: connoinherit of keys, which says nothing and is different after ATTACH PARTITION; the encoding of a collation,
 *  which CREATE COLLATION chooses; comments on what is no more; the place of columns in a child that has some from its parents
 *  only: CREATE TABLE ... INHERITS puts those first, wherever they were when the parent got them later. */
function queries(version: number): Readonly<Record<string, string>> {
  const from = (since: number, column: string): string => (version >= since ? `, ${column}` : '');
  return {
    schemas: `SELECT nspname, nspowner::regrole, ${grants('nspacl', 'n', 'nspowner')} FROM pg_namespace WHERE nspname !~ '^pg_'`,
    relations: `SELECT ${relation}, relkind, relpersistence, reloptions, relowner::regrole, relrowsecurity, relforcerowsecurity, relreplident,
        relispopulated, relispartition, pg_get_expr(relpartbound, oid) AS bound, reloftype::regtype, relhasrules,
        (SELECT amname FROM pg_am WHERE oid = relam) AS am, (SELECT spcname FROM pg_tablespace WHERE oid = reltablespace) AS spc,
        (SELECT reloptions FROM pg_class WHERE oid = c.reltoastrelid) AS toast,
        ${grants('relacl', 'r', 'relowner')} AS acl, pg_get_partkeydef(oid) AS partkey
      FROM pg_class c WHERE ${user('relnamespace')}`,
    columns: `SELECT ${relation}, CASE WHEN bool_and(attislocal OR relispartition) OVER child THEN row_number() OVER (child ORDER BY attnum) END AS place, CASE WHEN relkind NOT IN ('i', 'I') THEN attname END AS attname,
        format_type(atttypid, atttypmod) AS type, attnotnull, attidentity, attgenerated, attstorage, attcompression,
        coalesce(attstattarget, -1) AS target, attislocal, attinhcount, attoptions, ${sorted('attfdwoptions')} AS fdw, attcollation::regcollation, attacl,
        pg_get_expr(adbin, adrelid) AS default
      FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
      WHERE attnum > 0 AND NOT attisdropped AND ${user('relnamespace')} WINDOW child AS (PARTITION BY a.attrelid)`,
    inheritance: `SELECT inhrelid::regclass, inhparent::regclass, row_number() OVER (PARTITION BY inhrelid ORDER BY inhseqno), inhdetachpending
      FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE ${user('relnamespace')}`,
    constraints: `SELECT conname, conrelid::regclass, contypid::regtype, contype, condeferrable, condeferred, convalidated, conislocal,
        coninhcount, contype NOT IN ('p', 'u', 'x') AND connoinherit AS connoinherit, conindid::regclass, pg_get_constraintdef(oid) AS definition,
        (SELECT conname FROM pg_constraint p WHERE p.oid = c.conparentid) AS parent${from(18, 'conenforced')}${from(18, 'conperiod')}
      FROM pg_constraint c WHERE ${user('connamespace')}`,
    indexes: `SELECT ${relation}, pg_get_indexdef(indexrelid) AS definition, indisvalid, indisready, indisclustered, indisreplident, indisunique,
        indisprimary, indisexclusion, indimmediate
      FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE ${user('relnamespace')}`,
    triggers: `SELECT ${relation}, tgname, tgenabled, pg_get_triggerdef(t.oid) AS definition, tgconstraint <> 0 AS constraint,
        (SELECT p.tgrelid::regclass FROM pg_trigger p WHERE p.oid = t.tgparentid) AS parent
      FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid WHERE tgname !~ '_ConstraintTrigger_' AND ${user('relnamespace')}`,
    keyTriggers: `SELECT ${relation}, tgenabled, tgfoid::regproc, tgdeferrable, tginitdeferred, count(*)
      FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid WHERE tgname ~ '_ConstraintTrigger_' AND ${user('relnamespace')}
      GROUP BY 1, 2, 3, 4, 5`,
    rules: `SELECT ${relation}, rulename, ev_enabled, is_instead, pg_get_ruledef(r.oid) AS definition
      FROM pg_rewrite r JOIN pg_class c ON c.oid = ev_class WHERE ${user('relnamespace')}`,
    policies: `SELECT ${relation}, polname, polcmd, polpermissive, polroles::regrole[], pg_get_expr(polqual, polrelid) AS using,
        pg_get_expr(polwithcheck, polrelid) AS check
      FROM pg_policy JOIN pg_class c ON c.oid = polrelid WHERE ${user('relnamespace')}`,
    routines: `SELECT p.oid::regprocedure, prokind, proowner::regrole, ${grants('proacl', 'f', 'proowner')} AS acl, prosrc, probin, procost, prorows,
        provolatile, proparallel, prosecdef, proleakproof, proisstrict, proconfig, pg_get_function_arguments(p.oid) AS arguments,
        pg_get_function_result(p.oid) AS result, pg_get_function_sqlbody(p.oid) AS body, to_jsonb(a) - '{aggfnoid,aggsortop,aggtranstype,aggmtranstype}'::text[] AS aggregate,
        aggtranstype::regtype, aggmtranstype::regtype, aggsortop::regoperator
      FROM pg_proc p LEFT JOIN pg_aggregate a ON aggfnoid = p.oid WHERE ${user('pronamespace')}`,
    types: `SELECT t.oid::regtype, typtype, typowner::regrole, ${grants('typacl', 'T', 'typowner')} AS acl, typcategory, typispreferred, typisdefined,
        typdelim, typlen, typbyval, typalign, typstorage, typnotnull, typbasetype::regtype, typtypmod, typcollation::regcollation, coalesce(pg_get_expr(typdefaultbin, 0), typdefault) AS default,
        typinput::regproc, typoutput::regproc, typreceive::regproc, typsend::regproc, typmodin::regproc, typmodout::regproc,
        typanalyze::regproc, typelem::regtype, typarray::regtype,
        (SELECT json_agg(enumlabel ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid) AS labels
      FROM pg_type t WHERE ${user('typnamespace')}`,
    ranges: `SELECT rngtypid::regtype, rngsubtype::regtype, rngmultitypid::regtype, rngcollation::regcollation, rngcanonical::regproc,
        rngsubdiff::regproc, (SELECT opcname FROM pg_opclass WHERE oid = rngsubopc) AS opclass
      FROM pg_range WHERE rngtypid >= 16384`,
    sequences: `SELECT ${relation}, seqtypid::regtype, seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle
      FROM pg_sequence JOIN pg_class c ON c.oid = seqrelid WHERE ${user('relnamespace')}`,
    collations: `SELECT to_jsonb(c) - '{oid,collnamespace,collowner,collencoding}'::text[] AS c, collnamespace::regnamespace, collowner::regrole
      FROM pg_collation c WHERE ${user('collnamespace')}`,
    statistics: `SELECT pg_get_statisticsobjdef(s.oid) AS definition, stxowner::regrole, coalesce(stxstattarget, -1) AS target
      FROM pg_statistic_ext s WHERE ${user('stxnamespace')}`,
    eventTriggers: `SELECT evtname, evtevent, evtowner::regrole, evtfoid::regproc, evtenabled, evttags FROM pg_event_trigger WHERE oid >= 16384`,
    casts: `SELECT castsource::regtype, casttarget::regtype, castfunc::regprocedure, castcontext, castmethod FROM pg_cast WHERE oid >= 16384`,
    conversions: `SELECT connamespace::regnamespace, conname, conowner::regrole, conforencoding, contoencoding, conproc::regprocedure, condefault
      FROM pg_conversion WHERE ${user('connamespace')}`,
    transforms: `SELECT trftype::regtype, (SELECT lanname FROM pg_language l WHERE l.oid = trflang), trffromsql::regprocedure, trftosql::regprocedure
      FROM pg_transform WHERE oid >= 16384`,
    textSearchParsers: `SELECT prsnamespace::regnamespace, prsname, prsstart::regproc, prstoken::regproc, prsend::regproc, prsheadline::regproc,
        prslextype::regproc
      FROM pg_ts_parser WHERE ${user('prsnamespace')}`,
    textSearchTemplates: `SELECT tmplnamespace::regnamespace, tmplname, tmplinit::regproc, tmpllexize::regproc
      FROM pg_ts_template WHERE ${user('tmplnamespace')}`,
    textSearchDictionaries: `SELECT d.oid::regdictionary, dictowner::regrole, dictinitoption, ${identity(`'pg_ts_template'::regclass`, 'dicttemplate')}
      FROM pg_ts_dict d WHERE ${user('dictnamespace')}`,
    textSearchConfigurations: `SELECT c.oid::regconfig, cfgowner::regrole, ${identity(`'pg_ts_parser'::regclass`, 'cfgparser')}
      FROM pg_ts_config c WHERE ${user('cfgnamespace')}`,
    textSearchMappings: `SELECT mapcfg::regconfig, maptokentype, row_number() OVER (PARTITION BY mapcfg, maptokentype ORDER BY mapseqno), mapdict::regdictionary
      FROM pg_ts_config_map JOIN pg_ts_config c ON c.oid = mapcfg WHERE ${user('cfgnamespace')}`,
    wrappers: `SELECT fdwname, fdwowner::regrole, fdwhandler::regproc, fdwvalidator::regproc, ${sorted('fdwoptions')}, ${grants('fdwacl', 'F', 'fdwowner')} AS acl
      FROM pg_foreign_data_wrapper`,
    servers: `SELECT srvname, srvowner::regrole, srvtype, srvversion, ${sorted('srvoptions')}, ${grants('srvacl', 'S', 'srvowner')} AS acl,
        (SELECT fdwname FROM pg_foreign_data_wrapper w WHERE w.oid = srvfdw) AS wrapper
      FROM pg_foreign_server`,
    userMappings: `SELECT usename, srvname, ${sorted('umoptions')} FROM pg_user_mappings`,
    foreignTables: `SELECT ftrelid::regclass, ${sorted('ftoptions')}, (SELECT srvname FROM pg_foreign_server s WHERE s.oid = ftserver) AS server FROM pg_foreign_table`,
    publications: `SELECT to_jsonb(p) - '{oid,pubowner}'::text[] AS publication, pubowner::regrole FROM pg_publication p`,
    published: `SELECT p.pubname, prrelid::regclass${from(15, 'pg_get_expr(prqual, prrelid) AS filter')}${from(
      15,
      `(SELECT json_agg(attname ORDER BY attname) FROM pg_attribute WHERE attrelid = prrelid AND attnum = ANY (prattrs)) AS columns`,
    )}
      FROM pg_publication_rel JOIN pg_publication p ON p.oid = prpubid`,
    ...(version < 15
      ? {}
      : {
          publishedSchemas: `SELECT p.pubname, pnnspid::regnamespace FROM pg_publication_namespace JOIN pg_publication p ON p.oid = pnpubid`,
        }),
    // Restored disabled; the state of two-phase commit follows from that.
    subscriptions: `SELECT to_jsonb(s) - '{oid,subdbid,subowner,subenabled,subskiplsn,subtwophasestate}'::text[] AS subscription,
        subowner::regrole, to_jsonb(s) ->> 'subtwophasestate' <> 'd' AS twophase
      FROM pg_subscription s JOIN pg_database d ON d.oid = subdbid WHERE datname = current_database()`,
    operators: `SELECT o.oid::regoperator, oprowner::regrole, oprcode::regprocedure, oprcom::regoperator, oprnegate::regoperator, oprrest::regproc,
        oprjoin::regproc, oprcanhash, oprcanmerge, oprresult::regtype
      FROM pg_operator o WHERE ${user('oprnamespace')}`,
    operatorFamilies: `SELECT ${identity(`'pg_opfamily'::regclass`, 'f.oid')} AS family, opfowner::regrole FROM pg_opfamily f WHERE oid >= 16384`,
    operatorClasses: `SELECT ${identity(`'pg_opclass'::regclass`, 'c.oid')} AS class, ${identity(`'pg_opfamily'::regclass`, 'opcfamily')} AS family,
        opcowner::regrole, opcdefault, opcintype::regtype, opckeytype::regtype
      FROM pg_opclass c WHERE oid >= 16384`,
    operatorMembers: `SELECT ${identity(`'pg_opfamily'::regclass`, 'amopfamily')} AS family, amoplefttype::regtype, amoprighttype::regtype,
        amopstrategy, amoppurpose, amopopr::regoperator, ${identity(`'pg_opfamily'::regclass`, 'amopsortfamily')} AS sortfamily,
        (SELECT amname FROM pg_am a WHERE a.oid = amopmethod) AS am
      FROM pg_amop WHERE oid >= 16384`,
    functionMembers: `SELECT ${identity(`'pg_opfamily'::regclass`, 'amprocfamily')} AS family, amproclefttype::regtype, amprocrighttype::regtype,
        amprocnum, amproc::regprocedure
      FROM pg_amproc WHERE oid >= 16384`,
    accessMethods: `SELECT amname, amhandler::regproc, amtype FROM pg_am`,
    languages: `SELECT lanname, lanowner::regrole, lanispl, lanpltrusted, lanplcallfoid::regproc, laninline::regproc, lanvalidator::regproc,
        ${grants('lanacl', 'l', 'lanowner')} AS acl
      FROM pg_language`,
    extensions: `SELECT extname, extnamespace::regnamespace, extversion FROM pg_extension`,
    defaultPrivileges: `SELECT defaclrole::regrole, defaclobjtype, ${grants('defaclacl', 'r', 'defaclrole')},
        (SELECT nspname FROM pg_namespace n WHERE n.oid = defaclnamespace) FROM pg_default_acl`,
    // By CASE, as the server would otherwise describe each of the thousands of built-in objects first.
    comments: `SELECT ${identity('classoid', 'objoid', 'objsubid')}, description FROM pg_description
      WHERE CASE WHEN objoid >= 16384 OR classoid = 'pg_namespace'::regclass THEN pg_describe_object(classoid, objoid, objsubid) IS NOT NULL END`,
    largeObjects: `SELECT oid, lomowner::regrole, ${grants('lomacl', 'L', 'lomowner')} AS acl FROM pg_largeobject_metadata`,
    // Of built-in objects, and of columns of the system: what is not as initdb left it.
    builtInPrivileges: `SELECT ${identity('i.classid', 'i.objid', 'i.objsubid')}, ${grants('i.acl', 'r', '10')}
      FROM (SELECT 'pg_class'::regclass AS classid, oid AS objid, 0 AS objsubid, relacl AS acl FROM pg_class WHERE oid < 16384
        UNION ALL SELECT 'pg_class'::regclass, attrelid, attnum, attacl FROM pg_attribute WHERE attrelid < 16384 OR attnum < 0
        UNION ALL SELECT 'pg_proc'::regclass, oid, 0, proacl FROM pg_proc WHERE oid < 16384
        UNION ALL SELECT 'pg_type'::regclass, oid, 0, typacl FROM pg_type WHERE oid < 16384) i
        LEFT JOIN pg_init_privs p ON p.classoid = i.classid AND p.objoid = i.objid AND p.objsubid = i.objsubid
      WHERE i.acl IS NOT NULL AND i.acl IS DISTINCT FROM p.initprivs`,
    dependencies: `SELECT DISTINCT ${identity('classid', 'objid', 'objsubid')} AS from, ${identity('refclassid', 'refobjid', 'refobjsubid')} AS to, deptype
      FROM pg_depend WHERE objid >= 16384`,
  };
}

/** Names that hold OIDs: TOAST tables, triggers of keys. */
const volatile = /pg_toast|_ConstraintTrigger_([ac]_)?\d/;

/** Rows of every query as sorted text. */
export async function catalogFacts(db: TestDatabase): Promise<Record<string, string[]>> {
  await using client = await db.connect();
  await client.query(`SET search_path = ''`);
  return await factsFrom(async (text) => (await client.query(text)).rows);
}

/** The same through what runs a query in a session whose search path is empty. */
export async function factsFrom(
  query: <Row extends Record<string, unknown>>(text: string) => Promise<Row[]>,
): Promise<Record<string, string[]>> {
  const [found] = await query<{ version: number }>(`SELECT current_setting('server_version_num')::int / 10000 AS version`);
  const all = Object.entries(queries(found?.version ?? 0));
  const facts: Record<string, string[]> = Object.fromEntries(all.map(([name]) => [name, []]));
  // One statement: the way there and back for each would take as long as the queries.
  const parts = all.map(([name, text]) => `SELECT '${name}' AS name, row_to_json(q)::text AS row FROM (${text}) q`);
  for (const { name, row } of await query<{ name: string; row: string }>(parts.join(' UNION ALL '))) {
    if (!volatile.test(row)) facts[name]?.push(row);
  }
  for (const rows of Object.values(facts)) rows.sort();
  return facts;
}
