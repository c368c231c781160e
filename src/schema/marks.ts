// What there is in a database at all, as far as that spares us questions: most databases have tables, indexes and a few functions, and
// nothing in most of the other catalogs. One query tells; kinds and the search for what is unsupported ask only where there is something.
import { firstNormalOid, isUserSchema } from './ours.js';

/** Catalogs of which some row has an OID that initdb did not give, or any row at all where initdb makes none. */
const plain = {
  pg_amop: `oid >= ${firstNormalOid}`,
  pg_amproc: `oid >= ${firstNormalOid}`,
  pg_am: `oid >= ${firstNormalOid}`,
  pg_cast: `oid >= ${firstNormalOid}`,
  pg_default_acl: 'true',
  pg_event_trigger: 'true',
  pg_extension: `oid >= ${firstNormalOid} OR extconfig IS NOT NULL`,
  pg_foreign_data_wrapper: `oid >= ${firstNormalOid}`,
  pg_foreign_server: 'true',
  pg_inherits: 'true',
  pg_language: `oid >= ${firstNormalOid}`,
  pg_largeobject_metadata: 'true',
  pg_policy: 'true',
  pg_publication: 'true',
  pg_seclabel: 'true',
  pg_subscription: 'subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())',
  pg_transform: `oid >= ${firstNormalOid}`,
  pg_trigger: 'true',
  // initdb makes two, of this view.
  pg_rewrite: `ev_type <> '1' AND ev_class <> 'pg_catalog.pg_settings'::regclass`,
} as const;

/** Catalogs whose rows have a schema: OID or schema is the user's. */
const inSchemas = {
  pg_collation: 'collnamespace',
  pg_conversion: 'connamespace',
  pg_operator: 'oprnamespace',
  pg_opclass: 'opcnamespace',
  pg_opfamily: 'opfnamespace',
  pg_statistic_ext: 'stxnamespace',
  pg_ts_config: 'cfgnamespace',
  pg_ts_dict: 'dictnamespace',
  pg_ts_parser: 'prsnamespace',
  pg_ts_template: 'tmplnamespace',
} as const;

/** Those that hold objects of several kinds: for these the letter says which. Arrays of others have `-`, and shells the letter p. */
const lettered = {
  pg_class: { namespace: 'relnamespace', letter: 'relkind' },
  pg_proc: { namespace: 'pronamespace', letter: 'prokind' },
  pg_type: {
    namespace: 'typnamespace',
    letter: `CASE WHEN NOT o.typisdefined THEN 'p'
      WHEN o.typtype = 'b' AND EXISTS (SELECT FROM pg_type e WHERE e.oid = o.typelem AND e.typarray = o.oid) THEN '-' ELSE o.typtype END`,
  },
} as const;

type Letter<Catalog extends string, Letters extends string> = `${Catalog}:${Letters}`;

/** The name of a catalog, with or without a letter; `foreign keys`, `members` (relations of extensions) and what is set to DEPEND ON
 *  EXTENSION are by themselves. */
export type Mark =
  | keyof typeof plain
  | keyof typeof inSchemas
  | keyof typeof lettered
  | Letter<'pg_class', 'r' | 'p' | 'f' | 'v' | 'm' | 'S' | 'c' | 'i' | 'I'>
  | Letter<'pg_proc', 'f' | 'w' | 'p' | 'a'>
  | Letter<'pg_type', 'b' | 'd' | 'e' | 'p' | 'r'>
  | 'foreign keys'
  | 'extension dependencies'
  | 'members';

const own = (namespace: string): string => `oid >= ${firstNormalOid} OR ${namespace} = ANY (ARRAY(SELECT s.oid FROM spaces s))`;

const marked = (mark: string, catalog: string, where: string): string =>
  `SELECT '${mark}' AS mark WHERE EXISTS (SELECT FROM ${catalog} WHERE ${where})`;

const query = `
  WITH spaces AS MATERIALIZED (SELECT n.oid FROM pg_namespace n WHERE ${isUserSchema('n')})
  ${[
    ...Object.entries(plain).map(([catalog, where]) => marked(catalog, catalog, where)),
    ...Object.entries(inSchemas).map(([catalog, namespace]) => marked(catalog, catalog, own(namespace))),
    ...Object.entries(lettered).map(
      ([catalog, { namespace, letter }]) => `SELECT DISTINCT '${catalog}:' || (${letter})::text FROM ${catalog} o WHERE ${own(namespace)}`,
    ),
    marked('foreign keys', 'pg_constraint', `contype = 'f'`),
    marked('extension dependencies', 'pg_depend', `deptype = 'x'`),
    marked('members', 'pg_depend', `classid = 'pg_class'::regclass AND objid >= ${firstNormalOid} AND deptype = 'e'`),
  ].join('\n   UNION ALL ')}`;

/** What is there, in the view of the transaction. */
export type Marks = ReadonlySet<string>;

export async function readMarks(session: { query<Row extends Record<string, unknown>>(text: string): Promise<Row[]> }): Promise<Marks> {
  return new Set((await session.query<{ mark: string }>(query)).flatMap(({ mark }) => [mark, mark.replace(/:.*/, '')]));
}

/** Whether there may be something of a sort that is only there with one of these marks. */
export function mayBe(only: readonly Mark[] | undefined, marks: Marks | undefined): boolean {
  return marks === undefined || only === undefined || only.some((mark) => marks.has(mark));
}
