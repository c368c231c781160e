// Where the sequences stand that columns of exported tables own (serial, identity). Their values were read with the schema; here they are
// put to the columns, for whoever imports into tables whose sequences have other names.
import type { Catalog } from '../../model/catalog.js';
import type { ExportedSequence } from '../../model/export.js';
import type { Session } from '../../pg/session.js';

const query = `
  SELECT tn.nspname AS schema, t.relname AS table, a.attname AS column, n.nspname, s.relname
    FROM pg_depend d
    JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_namespace n ON n.oid = s.relnamespace
    JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace tn ON tn.oid = t.relnamespace
    JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
   WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjid = ANY ($1)
   ORDER BY tn.nspname, t.relname, a.attnum, s.oid`;

interface Owned extends Record<string, unknown> {
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  readonly nspname: string;
  readonly relname: string;
}

/** The sequences of these tables (OIDs) whose values the catalog has: one for a column. */
export async function readSequences(
  session: Session,
  { catalog, tables }: { readonly catalog: Catalog; readonly tables: readonly number[] },
): Promise<readonly ExportedSequence[]> {
  const values = valuesOf(catalog);
  const found = new Map<string, ExportedSequence>();
  for (const { schema, table, column, nspname, relname } of await session.query<Owned>(query, [tables])) {
    const value = values.get(JSON.stringify([nspname, relname]));
    const owner = JSON.stringify([schema, table, column]);
    if (value !== undefined && !found.has(owner)) found.set(owner, { schema, table, column, ...value });
  }
  return [...found.values()];
}

function valuesOf({ objects, steps }: Catalog): ReadonlyMap<string, Pick<ExportedSequence, 'lastValue' | 'isCalled'>> {
  return new Map(
    steps.flatMap(({ object, facet, statements }) => {
      const named = objects[object];
      const value = facet === 'value' ? readSetval(statements[0] ?? '') : undefined;
      if (named === undefined || value === undefined) return [];
      return [[JSON.stringify([named.schema, named.name]), value] as const];
    }),
  );
}

/** Where the sequence stands after a statement of the schema's facet 'value', which ends with `, 42, true)`. */
export function readSetval(statement: string): Pick<ExportedSequence, 'lastValue' | 'isCalled'> | undefined {
  const value = /, (-?\d{1,19}), (true|false)\)$/.exec(statement);
  return value === null ? undefined : { lastValue: BigInt(value[1] ?? 0), isCalled: value[2] === 'true' };
}
