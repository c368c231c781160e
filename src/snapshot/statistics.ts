// Reads the planner's statistics as rows: one for each table, materialized view, foreign table and index, and one for each of their columns
// that ANALYZE has looked at. By COPY like rows of tables, so that they are never in memory as a whole; which tables they are of is
// decided elsewhere, how they are restored is restore/statistics.ts's.
// https://www.postgresql.org/docs/current/view-pg-stats.html
import { statisticsDirectory } from '../frame/member-names.js';
import type { CatalogTable, Column } from '../model/catalog.js';
import type { Session } from '../pg/session.js';

/** Values are of the column's type, or of its elements' or its range's, so they travel as the text of an array. `indexname` is null where
 *  it is the table itself. A table's columns have their name; an index's, which the server names as it likes, their number. */
const columns: readonly Column[] = [
  { name: 'version', type: 'integer' },
  { name: 'schemaname', type: 'text' },
  { name: 'tablename', type: 'text' },
  { name: 'indexname', type: 'text' },
  { name: 'relpages', type: 'integer' },
  { name: 'reltuples', type: 'real' },
  { name: 'relallvisible', type: 'integer' },
  { name: 'relallfrozen', type: 'integer' },
  { name: 'attname', type: 'text' },
  { name: 'attnum', type: 'smallint' },
  { name: 'inherited', type: 'boolean' },
  { name: 'null_frac', type: 'real' },
  { name: 'avg_width', type: 'integer' },
  { name: 'n_distinct', type: 'real' },
  { name: 'most_common_vals', type: 'text' },
  { name: 'most_common_freqs', type: 'real[]' },
  { name: 'histogram_bounds', type: 'text' },
  { name: 'correlation', type: 'real' },
  { name: 'most_common_elems', type: 'text' },
  { name: 'most_common_elem_freqs', type: 'real[]' },
  { name: 'elem_count_histogram', type: 'real[]' },
  { name: 'range_length_histogram', type: 'text' },
  { name: 'range_empty_frac', type: 'real' },
  { name: 'range_bounds_histogram', type: 'text' },
];

/** What catalog and manifest have in the place of a table. */
export function statisticsTable(object: number): CatalogTable {
  return { object, directory: statisticsDirectory, schema: 'pg_catalog', name: 'pg_stats', columns, format: 'text', statistics: true };
}

/** What can have statistics, under its lock or, where there is none, as it was a moment ago. */
export interface Analyzable {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
}

/** Tables, partitioned tables, materialized views and foreign tables of users, ordered by schema and name. */
export async function listAnalyzable(session: Session): Promise<readonly Analyzable[]> {
  const rows = await session.query<{ oid: number; nspname: string; relname: string }>(
    `SELECT c.oid, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p', 'm', 'f') AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
      ORDER BY n.nspname, c.relname`,
  );
  return rows.map(({ oid, nspname, relname }) => ({ oid, schema: nspname, name: relname }));
}

/** Which of these tables need no ANALYZE, as autovacuum counts by default: no more than 50 rows and a tenth of all have changed since the
 *  last. Not tables that others inherit from: of those, ANALYZE knows of the others' rows as well. Nor those with statistics that no server
 *  takes.
 *  https://www.postgresql.org/docs/current/routine-vacuuming.html#VACUUM-FOR-STATISTICS */
export async function keepUpToDate(session: Session, oids: readonly number[]): Promise<readonly number[]> {
  const rows = await session.query<{ oid: number }>(
    `SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.oid = ANY ($1) AND NOT c.relhassubclass AND pg_stat_get_mod_since_analyze(c.oid) <= 50 + 0.1 * c.reltuples
        AND NOT EXISTS (SELECT FROM pg_statistic_ext e WHERE e.stxrelid = c.oid)
        AND EXISTS (SELECT FROM pg_stats s WHERE s.schemaname = n.nspname AND s.tablename = c.relname)
      ORDER BY n.nspname, c.relname`,
    [oids],
  );
  return rows.map(({ oid }) => oid);
}

/** Tables that one COPY is of: as many ranges are read at once as there are workers. */
const rangeTables = 1000;

export function splitStatistics(oids: readonly number[]): readonly (readonly number[])[] {
  return Array.from({ length: Math.ceil(oids.length / rangeTables) }, (_, range) =>
    oids.slice(range * rangeTables, (range + 1) * rangeTables),
  );
}

/** COPY of the statistics of these tables, with those of their indexes. pg_stats has only what the role may read. As pg_dump has it,
 *  indexes that are not valid are passed over, since they are not restored, and before 14 no rows at all meant that nobody knew.
 *  https://www.postgresql.org/docs/14/release-14.html (ANALYZE, reltuples) */
export function copyStatistics(oids: readonly number[], version: number): string {
  const own = (first: string): readonly string[] => columns.slice(columns.findIndex(({ name }) => name === first)).map(({ name }) => name);
  const known = (name: string): boolean => version >= 170000 || !name.startsWith('range_');
  const type = new Map(columns.map((column) => [column.name, column.type]));
  const values = own('null_frac').map((name) => (known(name) ? `s.${name}::${type.get(name)}` : 'NULL'));
  const none = own('attname').map((name) => `NULL AS ${name}`);
  return `COPY (
    WITH chosen AS MATERIALIZED (
      SELECT c.oid, c.relkind, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.oid = ANY ('{${oids.join(',')}}'::oid[])),
    relation AS MATERIALIZED (
      SELECT oid, nspname, relname AS tablename, NULL::name AS indexname, relname FROM chosen
       UNION ALL
      SELECT x.oid, t.nspname, t.relname, x.relname, x.relname
        FROM chosen t JOIN pg_index i ON i.indrelid = t.oid JOIN pg_class x ON x.oid = i.indexrelid
       WHERE i.indisready AND (i.indisvalid OR t.relkind = 'p'))
    SELECT ${version} AS version, r.nspname, r.tablename, r.indexname, c.relpages,
           ${version < 140000 ? 'CASE c.reltuples WHEN 0 THEN -1 ELSE c.reltuples END AS reltuples' : 'c.reltuples'},
           c.relallvisible, ${version >= 180000 ? 'c.relallfrozen' : 'NULL AS relallfrozen'}, ${none.join(', ')}
      FROM relation r JOIN pg_class c ON c.oid = r.oid
     UNION ALL
    SELECT ${version}, r.nspname, r.tablename, r.indexname, NULL, NULL, NULL, NULL,
           CASE WHEN r.indexname IS NULL THEN a.attname END, CASE WHEN r.indexname IS NOT NULL THEN a.attnum END, s.inherited,
           ${values.join(', ')}
      FROM relation r JOIN pg_stats s ON s.schemaname = r.nspname AND s.tablename = r.relname
      JOIN pg_attribute a ON a.attrelid = r.oid AND a.attname = s.attname
     ORDER BY 2, 3, 4 NULLS FIRST, 5 NULLS LAST, 9, 10, 11
  ) TO STDOUT (FORMAT text)`;
}
