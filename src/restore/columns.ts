// Whether rows fit the tables that are there already, found out before any is sent: COPY in binary takes bytes of another type without a
// word where their length happens to be right.
import type { CatalogTable, Column } from '../model/catalog.js';
import { TidemarkError } from '../model/errors.js';
import type { Session } from '../pg/session.js';

/** Compares the columns of the archive's tables with the target's: names always, types where the rows are binary.
 *  @throws TidemarkError TARGET_MISMATCH listing what does not fit */
export async function checkColumns(session: Session, tables: readonly CatalogTable[]): Promise<void> {
  // Types are compared as text, so they have to be printed as they were for the archive.
  await session.query('SET quote_all_identifiers = on');
  const rows = await session.query<{ columns: readonly Column[] | null }>(
    `SELECT CASE WHEN c.oid IS NOT NULL THEN (
              SELECT coalesce(json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod))), '[]')
                FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) END AS columns
       FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS wanted (schema, name, place)
       LEFT JOIN pg_namespace n ON n.nspname = wanted.schema
       LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name AND c.relkind IN ('r', 'p', 'f')
      ORDER BY place`,
    [tables.map(({ schema }) => schema), tables.map(({ name }) => name)],
  );
  await session.query('RESET quote_all_identifiers');
  const problems = tables.flatMap((table, at) => mismatches(table, rows[at]?.columns ?? null));
  if (problems.length === 0) return;
  const shown = problems.slice(0, 10);
  throw new TidemarkError(
    'TARGET_MISMATCH',
    `restore rows: the target does not fit: ${shown.join('; ')}${problems.length > 10 ? '; ...' : ''}`,
    {
      hint: 'let the restore make the tables (without --data-only and --truncate), or change them to what the archive has',
      details: { problems },
    },
  );
}

/** What keeps the rows of `table` out of a table with these columns; null: there is no such table. */
export function mismatches(table: CatalogTable, target: readonly Column[] | null): readonly string[] {
  const where = `${table.schema}.${table.name}`;
  if (target === null) return [`there is no table ${where}`];
  const types = new Map(target.map(({ name, type }) => [name, type]));
  return table.columns.flatMap(({ name, type }) => {
    const found = types.get(name);
    if (found === undefined) return [`${where} has no column ${name}`];
    if (table.format === 'binary' && bare(found) !== bare(type))
      return [`column ${name} of ${where} is ${found}, the archive has ${type} in binary`];
    return [];
  });
}

/** Without type modifier: the server applies that of the target to whatever comes in. */
function bare(type: string): string {
  return type.replace(/\([\d, -]*\)/, '');
}
