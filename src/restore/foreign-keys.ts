// Foreign keys of tables that are there already while rows go into them: the order in which they are satisfied, and the check of those
// that the rows of one snapshot do not satisfy by themselves. Foreign keys that a restore makes are ordinary steps.
import type { TableName } from '../model/catalog.js';
import { TidemarkError } from '../model/errors.js';
import type { Session } from '../pg/session.js';

/** Whether triggers can be set aside while rows are loaded: superuser, or from 15 on by GRANT SET ON PARAMETER. */
export async function maySetAsideTriggers(session: Session): Promise<boolean> {
  const granted = session.version >= 150000 ? ` OR has_parameter_privilege('session_replication_role', 'SET')` : '';
  const { may } = await session.one<{ may: boolean }>(
    `SELECT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)${granted} AS may`,
  );
  return may;
}

/** A foreign key from one of the tables; `check` finds a row that it forbids. */
interface ForeignKey {
  readonly conname: string;
  readonly from: string;
  readonly to: string;
  readonly check: string;
}

const key = ({ schema, name }: TableName): string => JSON.stringify([schema, name]);

/** Foreign keys of the target from these tables. A key to a partitioned table has a row for each partition beside its own: only its own
 *  counts. Temporal keys (18) are left to the server. */
async function readForeignKeys(session: Session, tables: readonly TableName[]): Promise<readonly ForeignKey[]> {
  return session.query<ForeignKey & Record<string, unknown>>(
    `SELECT c.conname, json_build_array(fn.nspname, f.relname)::text AS "from", json_build_array(tn.nspname, t.relname)::text AS "to",
            format('SELECT 1 FROM ONLY %I.%I f WHERE %s AND NOT EXISTS (SELECT FROM %I.%I t WHERE %s) LIMIT 1',
                   fn.nspname, f.relname, k.present, tn.nspname, t.relname, k.equal) AS "check"
       FROM pg_constraint c
       JOIN pg_class f ON f.oid = c.conrelid JOIN pg_namespace fn ON fn.oid = f.relnamespace
       JOIN pg_class t ON t.oid = c.confrelid JOIN pg_namespace tn ON tn.oid = t.relnamespace
       CROSS JOIN LATERAL (
         SELECT string_agg(format('f.%I IS NOT NULL', fa.attname), ' AND ') AS present,
                string_agg(format('t.%I OPERATOR(%I.%s) f.%I', ta.attname, opn.nspname, op.oprname, fa.attname), ' AND ') AS equal
           FROM unnest(c.conkey, c.confkey, c.conpfeqop) AS u (fnum, tnum, opoid)
           JOIN pg_attribute fa ON fa.attrelid = c.conrelid AND fa.attnum = u.fnum
           JOIN pg_attribute ta ON ta.attrelid = c.confrelid AND ta.attnum = u.tnum
           JOIN pg_operator op ON op.oid = u.opoid JOIN pg_namespace opn ON opn.oid = op.oprnamespace) k
      WHERE c.contype = 'f' AND c.convalidated AND (to_jsonb(c) ->> 'conperiod') IS DISTINCT FROM 'true'
        AND NOT EXISTS (SELECT FROM pg_constraint p WHERE p.oid = c.conparentid AND p.conrelid = c.conrelid)
        AND (fn.nspname, f.relname) IN (SELECT * FROM unnest($1::text[], $2::text[]))
      ORDER BY c.oid`,
    [tables.map(({ schema }) => schema), tables.map(({ name }) => name)],
  );
}

/** Checks foreign keys to tables that no rows were put into: those of tables that were loaded together hold, since the rows come from
 *  one snapshot.
 *  @throws TidemarkError TARGET_MISMATCH naming the first that does not hold */
export async function checkForeignKeys(session: Session, loaded: readonly TableName[]): Promise<void> {
  const names = new Set(loaded.map(key));
  for (const { conname, from, to, check } of await readForeignKeys(session, loaded)) {
    if (names.has(normal(to))) continue;
    if ((await session.query(check)).length === 0) continue;
    const [table, referenced] = [from, to].map((text) => (JSON.parse(text) as string[]).join('.'));
    throw new TidemarkError(
      'TARGET_MISMATCH',
      `restore rows of table ${table}: some refer to rows that are not in ${referenced} (${conname})`,
      {
        hint: `restore ${referenced}, too`,
      },
    );
  }
}

/** json_build_array puts a space where JSON.stringify does not. */
function normal(json: string): string {
  return JSON.stringify(JSON.parse(json));
}

/** The tables so that those referred to come first; where foreign keys go in a circle, in the order given.
 *  @param more pairs of which the second is to come first, too */
export async function inForeignKeyOrder<T extends TableName>(
  session: Session,
  tables: readonly T[],
  more: readonly (readonly [TableName, TableName])[] = [],
): Promise<readonly T[]> {
  const keys = await readForeignKeys(session, tables);
  return referredFirst(tables, [
    ...keys.map(({ from, to }) => [normal(from), normal(to)] as const),
    ...more.map(([later, earlier]) => [key(later), key(earlier)] as const),
  ]);
}

/** Pure part of `inForeignKeyOrder`: depth first. @param edges from referring to referred table, each as a JSON array of schema and name */
export function referredFirst<T extends TableName>(
  tables: readonly T[],
  edges: readonly (readonly [from: string, to: string])[],
): readonly T[] {
  const byKey = new Map(tables.map((table) => [key(table), table]));
  const referred = new Map<string, string[]>();
  // A table that refers to itself would be taken for one whose turn has come.
  for (const [from, to] of edges) if (from !== to) referred.set(from, [...(referred.get(from) ?? []), to]);
  const ordered = new Set<T>();
  const begun = new Set<string>();
  for (const first of byKey.keys()) {
    // A stack of its own: a chain of foreign keys may be longer than the call stack.
    const stack = [first];
    for (let at = stack.at(-1); at !== undefined; at = stack.at(-1)) {
      const next = begun.has(at) ? undefined : referred.get(at)?.filter((to) => byKey.has(to) && !begun.has(to));
      begun.add(at);
      if (next !== undefined && next.length > 0) {
        stack.push(...next);
        continue;
      }
      stack.pop();
      const table = byKey.get(at);
      if (table !== undefined) ordered.add(table);
    }
  }
  return [...ordered];
}
