// Keeps autovacuum away from tables while they are filled and their indexes are made. It would begin to clean up what is still being
// loaded, take processor time and disk from that, and hold a lock that the making of a constraint has to wait for.
import type { TableName } from '../model/catalog.js';
import { qualifiedName } from '../pg/quote.js';
import type { Session } from '../pg/session.js';

/** The parameters that were set on a table, and are to be reset. */
export interface Held {
  readonly table: string;
  readonly parameters: readonly string[];
}

/** Tables that say themselves whether they are to be vacuumed are left as they are. */
const query = `
SELECT n.nspname, c.relname, t.oid IS NOT NULL AND NOT coalesce(t.reloptions::text LIKE '%autovacuum_enabled=%', false) AS toast
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
 WHERE (n.nspname, c.relname) IN (SELECT * FROM unnest($1::name[], $2::name[]))
   AND c.relkind = 'r' AND NOT coalesce(c.reloptions::text LIKE '%autovacuum_enabled=%', false)
 ORDER BY n.nspname, c.relname`;

interface Row extends Record<string, unknown> {
  readonly nspname: string;
  readonly relname: string;
  readonly toast: boolean;
}

/** Tables of a database that is being made, so that nobody but us misses the vacuum. @returns what `releaseAutovacuum` has to undo */
export async function holdAutovacuum(session: Session, tables: readonly TableName[]): Promise<readonly Held[]> {
  const rows = await session.query<Row>(query, [tables.map(({ schema }) => schema), tables.map(({ name }) => name)]);
  const held = rows.map(({ nspname, relname, toast }): Held => {
    const parameters = ['autovacuum_enabled', ...(toast ? ['toast.autovacuum_enabled'] : [])];
    return { table: qualifiedName(nspname, relname), parameters };
  });
  const off = (parameters: Held['parameters']): string => parameters.map((name) => `${name} = off`).join(', ');
  await alter(
    session,
    held.map(({ table, parameters }) => `${table} SET (${off(parameters)})`),
  );
  return held;
}

export async function releaseAutovacuum(session: Session, held: readonly Held[]): Promise<void> {
  await alter(
    session,
    held.map(({ table, parameters }) => `${table} RESET (${parameters.join(', ')})`),
  );
}

/** Tables are altered, and locked, so many at a time. */
const mostTogether = 100;

async function alter(session: Session, changes: readonly string[]): Promise<void> {
  const statements = changes.map((change) => `ALTER TABLE ONLY ${change}`);
  for (let at = 0; at < statements.length; at += mostTogether) await session.queryTogether(statements.slice(at, at + mostTogether));
}
