// A child that has dropped the NOT NULL of its parent, as servers before 18 let it, and may have rows with NULLs. From 18 on there is one
// way to have that: the parent's constraint is not inherited. Its other children keep theirs, as their own.
// https://www.postgresql.org/docs/18/sql-altertable.html#SQL-ALTERTABLE-DESC-ALTER-CONSTRAINT
import { qualifiedName, quoteIdentifier } from '../pg/quote.js';
import type { Session } from '../pg/session.js';

const identifier = '"(?:[^"]|"")+"';
const action = `ALTER COLUMN (${identifier}) DROP NOT NULL`;
const statement = new RegExp(`^ALTER (?:FOREIGN )?TABLE ONLY (${identifier}\\.${identifier})\\s+${action}(?:,\\s+${action})*$`);

/** True for a statement that drops NOT NULLs of parents, on a server that has no such thing: to be run with `dropLeniently`, once all
 *  tables are there, since those that come later would not inherit the constraint either. */
export function needsLeniency({ version }: Session, text: string): boolean {
  return version >= 180000 && statement.test(text);
}

export interface LenientDrop {
  readonly statements: readonly string[];
  /** What becomes of the parents, a line for each constraint. */
  readonly told: readonly string[];
}

/** What to run instead of such a statement. Not ONLY: children of the child have the constraint from it by now. */
export async function dropLeniently(session: Session, text: string): Promise<LenientDrop> {
  const table = statement.exec(text)?.[1] ?? '';
  const statements: string[] = [];
  const told: string[] = [];
  for (const [, column = ''] of text.matchAll(new RegExp(action, 'g'))) {
    // The topmost first: below it, the constraint is then one of their own.
    const constraints = await session.query<{ schema: string; name: string; conname: string }>(
      `WITH RECURSIVE up AS (
         SELECT inhparent AS oid, 1 AS height FROM pg_inherits WHERE inhrelid = to_regclass($1)
          UNION
         SELECT i.inhparent, up.height + 1 FROM up JOIN pg_inherits i ON i.inhrelid = up.oid)
       SELECT n.nspname AS schema, c.relname AS name, k.conname
         FROM up JOIN pg_class c ON c.oid = up.oid JOIN pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'n' AND NOT k.connoinherit
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1] AND a.attname = $2
        GROUP BY n.nspname, c.relname, k.conname ORDER BY max(up.height) DESC`,
      [table, column.slice(1, -1).replaceAll('""', '"')],
    );
    for (const { schema, name, conname } of constraints) {
      statements.push(`ALTER TABLE ${qualifiedName(schema, name)} ALTER CONSTRAINT ${quoteIdentifier(conname)} NO INHERIT`);
      told.push(`table ${schema}.${name}: NOT NULL of column ${column} is not inherited any more, as its child ${table} goes without`);
    }
  }
  return { statements: [...statements, text.replace(' TABLE ONLY ', ' TABLE ')], told };
}
