// Databases for a while: made under a name that nobody else has, dropped with whatever is connected to them.
import { randomBytes } from 'node:crypto';
import { quoteIdentifier } from '../pg/quote.js';
import { openSession } from '../pg/session.js';
import { type ConnectionSettings, withDatabase } from '../pg/settings.js';

/** What such a database should not have: roles and tablespaces of the source, and subscriptions, which would keep it from being dropped. */
export const notForScratch = { noOwner: true, noPrivileges: true, noSubscriptions: true, noTablespaces: true } as const;

/** Makes an empty database on the same server. @returns the settings to connect to it */
export async function makeDatabase(server: ConnectionSettings): Promise<ConnectionSettings> {
  const name = `tidemark_${process.pid}_${randomBytes(4).toString('hex')}`;
  await using session = await openSession(server, { use: 'write' });
  await session.query(`CREATE DATABASE ${quoteIdentifier(name)} TEMPLATE template0`);
  return withDatabase(server, name);
}

/** Drops a database and ends the sessions on it. */
export async function dropDatabase(server: ConnectionSettings, name: string): Promise<void> {
  await using session = await openSession(server, { use: 'write' });
  await session.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(name)} WITH (FORCE)`);
}
