// Where a use case connects: what its caller gave, filled up from the environment. Only app and cli read the environment.
import { type ConnectionSettings, resolveConnection } from '../pg/settings.js';

/** A database: a `postgres://` URL, a database name, settings, or undefined for DATABASE_URL and the PG* variables. */
export type Database = string | ConnectionSettings | undefined;

/** @param role what sessions become after connecting */
export function connectionOf(database: Database, role?: string): ConnectionSettings {
  const connection = typeof database === 'object' ? database : resolveConnection(database, process.env);
  return role === undefined ? connection : { ...connection, role };
}
