// Where a use case connects: what its caller gave, filled up from the environment. Only app and cli read the environment.
import { TidemarkError } from '../model/errors.js';
import { refuseUnknownOptions } from '../model/option-names.js';
import { type ConnectionSettings, connectionSettingNames, resolveConnection } from '../pg/settings.js';

/** A database: a `postgres://` URL, a database name, settings, or undefined for DATABASE_URL and the PG* variables. */
export type Database = string | ConnectionSettings | undefined;

/** @param role what sessions become after connecting
 *  @throws TidemarkError USAGE for what cannot be read, and for settings that lack where to, or have a name that none has */
export function connectionOf(database: Database, role?: string): ConnectionSettings {
  const connection = typeof database === 'object' ? checked(database) : resolveConnection(database, process.env);
  return role === undefined ? connection : { ...connection, role };
}

function checked(settings: ConnectionSettings): ConnectionSettings {
  refuseUnknownOptions(settings, connectionSettingNames, 'connect');
  for (const name of ['host', 'port', 'user', 'database'] as const) {
    if (settings[name] !== undefined) continue;
    throw new TidemarkError('USAGE', `connect: the settings have no ${name}`, {
      hint: 'give host, port, user and database; or a URL or keyword string, and what it leaves out is taken from the environment',
    });
  }
  return settings;
}
