// A cheap fingerprint of the catalogs that make up a schema: it changes with every DDL statement, and not when rows are written,
// vacuumed or analyzed or when temporary tables come and go. The deparse functions see the catalogs of now, everything else those of
// the snapshot; equal fingerprints at both ends of reading say that the two were the same.
import type { Server } from './kind.js';

/** Rows of temporary and TOAST relations do not matter. */
const lasting = (relation: string): string =>
  `${relation} IN (SELECT oid FROM pg_class WHERE relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^pg_(toast|temp_|toast_temp_)'))`;
const lastingNamespace = (namespace: string): string =>
  `${namespace} NOT IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^pg_(toast|temp_|toast_temp_)')`;

interface Part {
  readonly catalog: string;
  /** Integer that stands for the row beside its xmin. */
  readonly id?: string;
  readonly where?: string;
  readonly since?: number;
}

// The xmin of a catalog row changes with every update of it, except for the updates in place by which VACUUM and ANALYZE store their
// figures (heap_inplace_update). Left out: what only counts or measures (pg_statistic), large objects (data; all of
// them is read in the snapshot), shared catalogs but for what is this database's of them.
const parts: readonly Part[] = [
  { catalog: 'pg_class', where: lastingNamespace('relnamespace') },
  { catalog: 'pg_attribute', id: 'attrelid::int8 * 65536 + attnum', where: lasting('attrelid') },
  { catalog: 'pg_attrdef', where: lasting('adrelid') },
  { catalog: 'pg_index', id: 'indexrelid::int8', where: lasting('indrelid') },
  { catalog: 'pg_inherits', id: 'inhrelid::int8 * 4294967296 + inhparent::int8', where: lasting('inhrelid') },
  { catalog: 'pg_sequence', id: 'seqrelid::int8', where: lasting('seqrelid') },
  { catalog: 'pg_partitioned_table', id: 'partrelid::int8', where: lasting('partrelid') },
  { catalog: 'pg_foreign_table', id: 'ftrelid::int8' },
  { catalog: 'pg_constraint', where: `(conrelid = 0 OR ${lasting('conrelid')})` },
  { catalog: 'pg_trigger', where: lasting('tgrelid') },
  { catalog: 'pg_rewrite', where: lasting('ev_class') },
  { catalog: 'pg_policy', where: lasting('polrelid') },
  { catalog: 'pg_type', where: lastingNamespace('typnamespace') },
  { catalog: 'pg_enum' },
  { catalog: 'pg_range', id: 'rngtypid::int8' },
  { catalog: 'pg_proc', where: lastingNamespace('pronamespace') },
  { catalog: 'pg_aggregate', id: 'aggfnoid::oid::int8' },
  { catalog: 'pg_namespace', where: `nspname !~ '^pg_(toast|temp_|toast_temp_)'` },
  { catalog: 'pg_extension' },
  { catalog: 'pg_init_privs', id: 'classoid::int8 * 4294967296 + objoid::int8 + objsubid' },
  { catalog: 'pg_default_acl' },
  {
    catalog: 'pg_description',
    id: 'classoid::int8 * 4294967296 + objoid::int8 + objsubid',
    where: `classoid <> 'pg_largeobject'::regclass`,
  },
  { catalog: 'pg_seclabel', id: 'classoid::int8 * 4294967296 + objoid::int8 + objsubid' },
  // Other dependencies change together with a row of the object; these alone can change by themselves.
  {
    catalog: 'pg_depend',
    id: 'objid::int8 * 4294967296 + refobjid::int8 + refobjsubid',
    where: `(deptype IN ('e', 'x') OR (classid = 'pg_class'::regclass AND deptype IN ('a', 'i')
      AND objid IN (SELECT oid FROM pg_class WHERE relkind = 'S' AND relpersistence <> 't')))`,
  },
  { catalog: 'pg_collation' },
  { catalog: 'pg_conversion' },
  { catalog: 'pg_language' },
  { catalog: 'pg_am' },
  { catalog: 'pg_cast' },
  { catalog: 'pg_transform' },
  { catalog: 'pg_operator' },
  { catalog: 'pg_opfamily' },
  { catalog: 'pg_opclass' },
  { catalog: 'pg_amop' },
  { catalog: 'pg_amproc' },
  { catalog: 'pg_ts_parser' },
  { catalog: 'pg_ts_template' },
  { catalog: 'pg_ts_dict' },
  { catalog: 'pg_ts_config' },
  { catalog: 'pg_ts_config_map', id: 'mapcfg::int8 * 4294967296 + maptokentype * 65536 + mapseqno' },
  { catalog: 'pg_foreign_data_wrapper' },
  { catalog: 'pg_foreign_server' },
  { catalog: 'pg_event_trigger' },
  { catalog: 'pg_publication' },
  { catalog: 'pg_publication_rel' },
  { catalog: 'pg_publication_namespace', since: 150000 },
  { catalog: 'pg_statistic_ext' },
];

/** Subscriptions are looked at where their connection strings may be read. */
type FingerprintServer = Pick<Server, 'version'> & Partial<Pick<Server, 'readsSubscriptions'>>;

/** One query, one row `{ fingerprint }`: a text that is the same as long as no DDL was committed. In a REPEATABLE READ transaction it
 *  tells the state of the snapshot, so compare it with one that another session (READ COMMITTED) reads after introspection. Sums of
 *  hashes, so the order of rows does not matter. */
export function fingerprintQuery({ version, readsSubscriptions = false }: FingerprintServer): string {
  const selects = parts
    .filter(({ since = 0 }) => version >= since)
    .map(
      ({ catalog, id = 'oid::int8', where = 'true' }) =>
        `SELECT '${catalog}' AS catalog, count(*) AS rows,
           coalesce(sum(hashint8extended(${id}, xmin::text::int8)::numeric), 0) AS hash FROM ${catalog} WHERE ${where}`,
    );
  // Roles are called by name in owners and privileges; pg_authid itself is for superusers only. Those that this database has nothing
  // of may come and go.
  selects.push(`SELECT 'pg_roles', count(*), coalesce(sum(hashtextextended(rolname::text, oid::int8)::numeric), 0) FROM pg_roles
    WHERE oid IN (SELECT refobjid FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass
                     AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database()))`);
  // The view shows each role what it may see; nobody but superusers has the catalog itself.
  selects.push(`SELECT 'pg_user_mappings', count(*),
      coalesce(sum(hashtextextended(concat_ws(' ', srvid, umuser, umoptions), umid::int8)::numeric), 0) FROM pg_user_mappings`);
  // Without its connection string no subscription is carried.
  if (readsSubscriptions) {
    selects.push(`SELECT 'pg_subscription', count(*), coalesce(sum(hashtextextended(s::text, s.oid::int8)::numeric), 0) FROM pg_subscription s
      WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`);
  }
  return `SELECT md5(string_agg(catalog || ' ' || rows || ' ' || hash, ',' ORDER BY catalog)) AS fingerprint
    FROM (${selects.join('\n    UNION ALL ')}) AS parts`;
}

interface Queryable {
  query<Row extends Record<string, unknown>>(text: string): Promise<Row[]>;
}

/** Whether no DDL was committed from the moment of the view to now: sure, and dear only where somebody writes.
 *  @param inView in the REPEATABLE READ transaction, at any time
 *  @param fresh a session that sees what is there now */
export async function sameDefinitions(
  inView: Queryable,
  fresh: Queryable,
  server: FingerprintServer & Pick<Server, 'inRecovery'>,
): Promise<boolean> {
  if (!server.inRecovery && (await readVisible(fresh)) === (await readVisible(inView))) return true;
  const [before, after] = await Promise.all([readFingerprint(inView, server), readFingerprint(fresh, server)]);
  return before === after;
}

/** Which transactions can be seen: where that is the same, so is every row of every catalog. That of a standby does not say which were in
 *  progress: its list of them is empty always. https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT */
async function readVisible(session: Queryable): Promise<string | undefined> {
  const [row] = await session.query<{ visible: string }>('SELECT pg_current_snapshot()::text AS visible');
  return row?.visible;
}

/** Runs `fingerprintQuery`. */
export async function readFingerprint(session: Queryable, server: FingerprintServer): Promise<string> {
  const [row] = await session.query<{ fingerprint: string }>(fingerprintQuery(server));
  return row?.fingerprint ?? '';
}
