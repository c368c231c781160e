// The tables that an import loads into: found by name, with what COPY may put into them, and everything that does not fit in one error,
// before the first row.
import type { Column } from '../model/catalog.js';
import { TidemarkError } from '../model/errors.js';
import { qualifiedName } from '../pg/quote.js';
import type { Session } from '../pg/session.js';

/** Rows for a table of the target. */
export interface WantedTarget {
  readonly schema: string;
  readonly name: string;
  /** Through the topmost partitioned table, where it is a partition. */
  readonly viaRoot: boolean;
  /** Of the file. */
  readonly columns: readonly Column[];
  /** Types are to be the same: binary. Names of types are as they would be in the target. */
  readonly sameTypes: boolean;
}

export interface Target {
  readonly schema: string;
  readonly name: string;
  readonly partitioned: boolean;
  /** The topmost partitioned table above it. */
  readonly root: { readonly schema: string; readonly name: string } | undefined;
}

interface TargetColumn extends Column {
  readonly generated: boolean;
}

interface TargetRow extends Record<string, unknown> {
  readonly nspname: string | null;
  readonly relname: string | null;
  readonly relkind: string | null;
  readonly root_schema: string | null;
  readonly root_name: string | null;
  readonly columns: readonly TargetColumn[] | null;
}

const query = `
  SELECT tn.nspname, t.relname, t.relkind::text, rn.nspname AS root_schema, r.relname AS root_name, (
           SELECT json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'generated', a.attgenerated <> ''))
             FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
    FROM unnest($1::text[], $2::text[], $3::bool[]) WITH ORDINALITY AS wanted (schema, name, via_root, place)
    LEFT JOIN pg_namespace n ON n.nspname = wanted.schema
    LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name
    LEFT JOIN pg_class r ON r.oid = pg_partition_root(c.oid) AND r.oid <> c.oid
    LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace
    LEFT JOIN pg_class t ON t.oid = CASE WHEN wanted.via_root THEN coalesce(r.oid, c.oid) ELSE c.oid END
    LEFT JOIN pg_namespace tn ON tn.oid = t.relnamespace
   ORDER BY place`;

/** How many problems a message names. */
const shown = 10;

/** The tables that rows go into, in the order given.
 *  @throws TidemarkError TARGET_MISMATCH listing every table and column that is missing, or cannot take the rows */
export async function findTargets(session: Session, wanted: readonly WantedTarget[]): Promise<readonly Target[]> {
  // Types are compared as text, so they have to be printed as they were for the export.
  await session.query('SET LOCAL quote_all_identifiers = on');
  const rows = await session.query<TargetRow>(query, [
    wanted.map(({ schema }) => schema),
    wanted.map(({ name }) => name),
    wanted.map(({ viaRoot }) => viaRoot),
  ]);
  await session.query('SET LOCAL quote_all_identifiers = off');
  const problems = wanted.flatMap((one, i) => misfits(one, rows[i] as TargetRow));
  if (problems.length > 0) {
    throw new TidemarkError(
      'TARGET_MISMATCH',
      `import rows: the target does not fit: ${problems.slice(0, shown).join('; ')}${problems.length > shown ? '; ...' : ''}`,
      {
        hint: 'make the tables as the export has them (schema.sql is in it), or choose others with --table and --into-schema',
        details: { problems },
      },
    );
  }
  return rows.map(({ nspname, relname, relkind, root_schema: schema, root_name: name }) => ({
    schema: nspname ?? '',
    name: relname ?? '',
    partitioned: relkind === 'p',
    root: schema === null || name === null ? undefined : { schema, name },
  }));
}

function misfits({ schema, name, columns, sameTypes }: WantedTarget, { relkind, columns: found }: TargetRow): readonly string[] {
  const where = `${schema}.${name}`;
  if (relkind === null) return [`there is no table ${where}`];
  if (relkind !== 'r' && relkind !== 'p') return [`${where} is no table`];
  const known = new Map((found ?? []).map((column) => [column.name, column]));
  // Without columns there is no list of them, and COPY would expect all.
  if (columns.length === 0 && (found ?? []).some(({ generated }) => !generated)) return [`${where} has columns, the export has none`];
  return columns.flatMap(({ name: column, type }) => {
    const target = known.get(column);
    if (target === undefined) return [`${where} has no column ${column}`];
    if (target.generated) return [`column ${column} of ${where} is generated`];
    if (sameTypes && bare(target.type) !== bare(type))
      return [`column ${column} of ${where} is ${target.type}, the export has ${type} in binary`];
    return [];
  });
}

/** Without type modifier: the server applies that of the target to whatever comes in. */
function bare(type: string): string {
  return type.replace(/\([\d, -]*\)/, '');
}

/** One statement for all: foreign keys among the tables are then no matter. Nobody's rows but those of the tables go: a partitioned table
 *  goes whole only where rows are put into it, or into all of its partitions (`whole`: quoted names). */
export function truncateSql(targets: readonly Target[], whole: readonly string[]): string {
  const names = targets.map(({ schema, name, partitioned }) => `${partitioned ? '' : 'ONLY '}${qualifiedName(schema, name)}`);
  return `TRUNCATE TABLE ${[...new Set([...names, ...whole])].join(', ')}`;
}
