// A role of a test's own. Roles belong to the whole server, so each has a name that no other test file has.
import pg from 'pg';
import { sharedServer } from './broker.js';
import { withSession } from './connect.js';
import { uniqueName } from './database.js';
import type { Version } from './version.js';

export interface RoleOptions {
  readonly version?: Version;
  /** As CREATE ROLE takes them. Default LOGIN. */
  readonly attributes?: string;
  /** Superuser's URL of a server to make it on instead of a shared one. */
  readonly server?: string;
}

export interface TestRole extends AsyncDisposable {
  readonly name: string;
  /** The same database as in `url`, as this role. */
  as(url: string): string;
  /** Drops it; what depends on it must be gone, so make it before the database that it is used in. */
  drop(): Promise<void>;
}

/** Makes a role, with a password equal to its name. */
export async function createRole(options: RoleOptions = {}): Promise<TestRole> {
  const server = options.server ?? (await sharedServer(options.version)).url;
  const name = uniqueName();
  const role = pg.escapeIdentifier(name);
  await withSession(server, (client) =>
    client.query(`CREATE ROLE ${role} PASSWORD ${pg.escapeLiteral(name)} ${options.attributes ?? 'LOGIN'}`),
  );
  const drop = async (): Promise<void> => {
    await withSession(server, (client) => client.query(`DROP ROLE IF EXISTS ${role}`));
  };
  const as = (url: string): string => {
    const other = new URL(url);
    other.username = name;
    other.password = name;
    return other.href;
  };
  return { name, as, drop, [Symbol.asyncDispose]: drop };
}
