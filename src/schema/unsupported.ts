// Finds what no kind has claimed: every object of the user in every catalog that a dump can hold, compared with the keys of the drafts.
// So an object of a kind that tidemark does not know is an error that names it, never silence.
import { TidemarkError } from '../model/errors.js';
import { firstUserOid } from './depend.js';
import { membersOf } from './family-members.js';
import type { Key, Server } from './kind.js';
import { key } from './kind.js';
import { type Mark, mayBe } from './marks.js';

interface Source {
  readonly catalog: string;
  /** FROM and WHERE; gives the OID as the expression `oid`. */
  readonly from: string;
  readonly oid: string;
  /** True for what is left out and told, but is no error. */
  readonly ignored?: string;
  /** Why, where that is not that it is not valid. */
  readonly reason?: string;
  readonly since?: number;
  /** As of a kind. */
  readonly only?: readonly Mark[];
}

const notSystem = (namespace: string): string =>
  `${namespace} NOT IN (SELECT oid FROM pg_namespace WHERE nspname = 'information_schema' OR nspname ~ '^pg_(toast|temp_|toast_temp_)')`;
const notInternal = (catalog: string, oid: string): string =>
  `NOT EXISTS (SELECT FROM pg_depend i WHERE i.classid = '${catalog}'::regclass AND i.objid = ${oid} AND i.deptype = 'i')`;
/** By the list in listQuery(), which is short and made once. */
const notMember = (catalog: string, oid: string): string =>
  `${oid} NOT IN (SELECT e.objid FROM members e WHERE e.classid = '${catalog}'::regclass)`;
/** What belongs to a table of an extension is not a member itself, and cannot be told from what the extension made. */
const relation = (oid: string, condition: string): string =>
  `JOIN pg_class r ON r.oid = ${oid} WHERE ${notSystem('r.relnamespace')} AND ${notMember('pg_class', 'r.oid')} AND ${condition}`;

const simple = (catalog: Mark, namespace?: string, more?: string): Source => ({
  ...everywhere(catalog, namespace, more),
  only: [catalog],
});

const everywhere = (catalog: string, namespace?: string, more?: string): Source => ({
  catalog,
  from: `${catalog} o WHERE ${[namespace ? notSystem(`o.${namespace}`) : 'true', more ?? 'true'].join(' AND ')}`,
  oid: 'o.oid',
});

/** What hangs on a table of an extension and was not made by the extension, as far as one can tell: neither when any of its members became
 *  one (rows of pg_depend are not updated), nor before the last of them. */
const addedToMember = (catalog: string, relation: string, more = 'true'): Source => ({
  catalog,
  from: `${catalog} o JOIN pg_depend e ON e.classid = 'pg_class'::regclass AND e.objid = o.${relation} AND e.deptype = 'e'
    WHERE ${more}
      AND NOT EXISTS (SELECT FROM pg_depend m WHERE m.refclassid = e.refclassid AND m.refobjid = e.refobjid AND m.deptype = 'e'
        AND (m.objid > o.${oidOf(catalog)} OR m.xmin::text IN (SELECT d.xmin::text FROM pg_depend d
          WHERE d.classid = '${classOf(catalog)}'::regclass AND d.objid = o.${oidOf(catalog)} AND d.deptype <> 'e')))`,
  oid: `o.${oidOf(catalog)}`,
  only: ['members'],
  ignored: 'true',
  reason: 'its table belongs to an extension, which makes it anew without this',
});
const oidOf = (catalog: string): string => (catalog === 'pg_index' ? 'indexrelid' : 'oid');
const classOf = (catalog: string): string => (catalog === 'pg_index' ? 'pg_class' : catalog);

/** What can be dumped, catalog by catalog. Left out is what another object makes: row, array and multirange types, range constructors,
 *  clones of triggers and constraints on partitions, internal triggers, bodies of views. */
const sources: readonly Source[] = [
  everywhere('pg_namespace', undefined, `nspname !~ '^pg_(toast|temp_|toast_temp_)'`),
  simple('pg_extension'),
  simple('pg_language'),
  simple('pg_am'),
  simple('pg_cast', undefined, notInternal('pg_cast', 'o.oid')),
  simple('pg_transform'),
  simple('pg_foreign_data_wrapper'),
  simple('pg_foreign_server'),
  { catalog: 'pg_user_mapping', from: 'pg_user_mappings o', oid: 'o.umid', only: ['pg_foreign_server'] },
  simple('pg_event_trigger'),
  simple('pg_publication'),
  { ...everywhere('pg_publication_rel'), only: ['pg_publication'] },
  { ...everywhere('pg_publication_namespace'), only: ['pg_publication'], since: 150000 },
  simple('pg_subscription', undefined, 'subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())'),
  simple('pg_default_acl'),
  simple('pg_collation', 'collnamespace'),
  simple('pg_conversion', 'connamespace'),
  simple('pg_operator', 'oprnamespace', 'oprcode <> 0'),
  simple('pg_opfamily', 'opfnamespace'),
  simple('pg_opclass', 'opcnamespace'),
  simple('pg_ts_parser', 'prsnamespace'),
  simple('pg_ts_template', 'tmplnamespace'),
  simple('pg_ts_dict', 'dictnamespace'),
  simple('pg_ts_config', 'cfgnamespace'),
  simple('pg_statistic_ext', 'stxnamespace', notMember('pg_class', 'o.stxrelid')),
  simple('pg_proc', 'pronamespace', notInternal('pg_proc', 'o.oid')),
  simple(
    'pg_type',
    'typnamespace',
    `(typrelid = 0 OR typrelid IN (SELECT oid FROM pg_class WHERE relkind = 'c')) AND typtype <> 'm'
      AND o.oid NOT IN (SELECT e.typarray FROM pg_type e)`,
  ),
  {
    ...simple(
      'pg_class',
      'relnamespace',
      `relkind NOT IN ('c', 't')
    AND o.oid NOT IN (SELECT x.indexrelid FROM pg_index x JOIN members e ON e.classid = 'pg_class'::regclass AND e.objid = x.indrelid)`,
    ),
    ignored: `EXISTS (SELECT FROM pg_index x WHERE x.indexrelid = o.oid AND NOT (x.indisvalid AND x.indisready) AND o.relkind = 'i')`,
  },
  { catalog: 'pg_rewrite', from: `pg_rewrite o ${relation('o.ev_class', `o.ev_type <> '1'`)}`, oid: 'o.oid', only: ['pg_rewrite'] },
  {
    catalog: 'pg_trigger',
    from: `pg_trigger o ${relation('o.tgrelid', 'NOT o.tgisinternal AND o.tgparentid = 0')}`,
    oid: 'o.oid',
    only: ['pg_trigger'],
  },
  { catalog: 'pg_policy', from: `pg_policy o ${relation('o.polrelid', 'true')}`, oid: 'o.oid', only: ['pg_policy'] },
  {
    catalog: 'pg_constraint',
    from: `pg_constraint o ${relation(
      'o.conrelid',
      `o.conparentid = 0 AND o.contype NOT IN ('t', 'n') AND (o.conislocal OR o.contype <> 'c')`,
    )}`,
    oid: 'o.oid',
  },
  {
    catalog: 'pg_constraint',
    from: `pg_constraint o WHERE o.contypid <> 0 AND ${notSystem('o.connamespace')} AND ${notMember('pg_type', 'o.contypid')}`,
    oid: 'o.oid',
    only: ['pg_type:d'],
  },
  addedToMember('pg_index', 'indrelid'),
  addedToMember('pg_trigger', 'tgrelid', 'NOT o.tgisinternal'),
  addedToMember('pg_policy', 'polrelid'),
  addedToMember('pg_rewrite', 'ev_class', `o.ev_type <> '1'`),
  addedToMember('pg_statistic_ext', 'stxrelid'),
];

/** Extensions' members are not noted as such. */
function members(server: Server): readonly Source[] {
  if (!server.familyMembers) return [];
  return ['pg_amop', 'pg_amproc'].map((catalog) => ({
    catalog,
    from: `(${membersOf(server)}) o WHERE o.catalog = '${catalog}' AND NOT o.theirs`,
    oid: 'o.oid',
  }));
}

function listQuery(server: Server): string {
  const { version, marks } = server;
  const parts = [...sources, ...members(server)]
    .filter(({ since = 0, only }) => version >= since && mayBe(only, marks))
    .map(
      ({ catalog, from, oid, ignored = 'false', reason = 'it is not valid (CREATE INDEX CONCURRENTLY failed)' }) =>
        `SELECT '${classOf(catalog)}' AS catalog, ${oid}::int8 AS oid, ${ignored} AS ignored, '${reason}' AS reason,
           '${classOf(catalog)}'::regclass AS class FROM ${from}`,
    );
  return `
    WITH members AS MATERIALIZED (SELECT classid, objid FROM pg_depend WHERE deptype = 'e')
    SELECT l.catalog, l.ignored, l.reason, json_agg(l.oid ORDER BY l.oid) AS oids
      FROM (${parts.join('\n    UNION ALL ')}) l
     WHERE l.oid >= ${firstUserOid}
       AND (l.class, l.oid) NOT IN (SELECT m.classid, m.objid FROM members m)
     GROUP BY l.catalog, l.ignored, l.reason
     ORDER BY l.catalog, l.ignored, l.reason`;
}

/** Rows of one catalog, by OID. */
export interface ListRow extends Record<string, unknown> {
  readonly catalog: string;
  readonly ignored: boolean;
  readonly reason: string;
  readonly oids: readonly number[];
}

interface UnclaimedRow {
  readonly catalog: string;
  readonly oid: number;
  readonly ignored: boolean;
  readonly reason: string;
}

export interface Unclaimed {
  readonly key: Key;
  readonly kind: string;
  readonly name: string;
  /** For messages: `operator class "public"."x" USING "btree"`. */
  readonly description: string;
  readonly reason: string;
}

interface Queryable {
  query<Row extends Record<string, unknown>>(text: string): Promise<Row[]>;
}

export interface FindOptions {
  readonly listed: readonly ListRow[];
  /** Whether a catalog row is an object, or part of one. */
  isClaimed(row: Key): boolean;
  readonly skipUnsupported: boolean;
}

/** All that could be dumped, claimed or not. */
export function listDumpable(session: Queryable, server: Server): Promise<readonly ListRow[]> {
  return session.query<ListRow>(listQuery(server));
}

/** Names what of it no object claims; `ignored` is what is never dumped but worth a word (an invalid index).
 *  @throws TidemarkError UNSUPPORTED_OBJECT unless `skipUnsupported` */
export async function findUnsupported(
  session: Queryable,
  { listed, isClaimed, skipUnsupported }: FindOptions,
): Promise<{ readonly unsupported: readonly Unclaimed[]; readonly ignored: readonly Unclaimed[] }> {
  const rows = listed.flatMap(({ catalog, ignored, reason, oids }) =>
    oids.filter((oid) => !isClaimed(key(catalog, oid))).map((oid) => ({ catalog, oid, ignored, reason })),
  );
  if (rows.length === 0) return { unsupported: [], ignored: [] };
  const names = await session.query<NameRow>(nameQuery(rows));
  const found = rows.map((row) => ({ row, object: describe(row, names) }));
  const unsupported = found.filter(({ row }) => !row.ignored).map(({ object }) => object);
  if (unsupported.length > 0 && !skipUnsupported) throw unsupportedError(unsupported);
  return { unsupported, ignored: found.filter(({ row }) => row.ignored).map(({ object }) => object) };
}

interface NameRow extends Record<string, unknown> {
  readonly catalog: string;
  readonly oid: number;
  readonly kind: string | null;
  readonly name: string | null;
}

/** Names of the rows. The list goes into the text as JSON of digits and catalog names of ours. */
function nameQuery(rows: readonly UnclaimedRow[]): string {
  const list = JSON.stringify(rows.map(({ catalog, oid }) => ({ catalog, oid })));
  return `
    SELECT l.catalog, l.oid, i.type AS kind, i.identity AS name
      FROM json_to_recordset('${list}') AS l (catalog text, oid oid), pg_identify_object(l.catalog::regclass, l.oid, 0) AS i`;
}

function describe({ catalog, oid, ignored, reason }: UnclaimedRow, names: readonly NameRow[]): Unclaimed {
  const named = names.find((row) => row.catalog === catalog && row.oid === oid);
  const kind = named?.kind ?? catalog;
  const name = named?.name ?? String(oid);
  return {
    key: key(catalog, oid),
    kind,
    name,
    description: `${kind} ${name}`,
    reason: ignored ? reason : 'objects of this kind are not supported',
  };
}

function unsupportedError(objects: readonly Unclaimed[]): TidemarkError {
  const shown = objects.slice(0, 10).map(({ description }) => description);
  const more = objects.length > shown.length ? ` and ${objects.length - shown.length} more` : '';
  return new TidemarkError('UNSUPPORTED_OBJECT', `read the schema: objects of kinds that are not supported: ${shown.join(', ')}${more}`, {
    hint: 'with --skip-unsupported they are left out, with everything that needs them, and listed in the manifest',
    details: { count: objects.length, objects: objects.slice(0, 100).map(({ kind, name }) => ({ kind, name })) },
  });
}
