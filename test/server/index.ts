// Real PostgreSQL servers for tests and for the demo: databases on servers that the whole run shares, and servers of one's own. This is
// the one module to import; the files beside it are its parts.
import { sharedServer } from './broker.js';
import type { Version } from './version.js';

export { connect, databaseUrl, patience, type TestClient } from './connect.js';
export { startAfterCrash } from './crashed.js';
export { createDatabase, type DatabaseOptions, openDatabase, type TestDatabase, uniqueName } from './database.js';
export { type ServerOptions, startEmbedded as startServer, type TestServer } from './embedded.js';
export { type EventuallyOptions, eventually, processExists } from './eventually.js';
export { createRole, type RoleOptions, type TestRole } from './role.js';
export { type StandbyServer, startStandby } from './standby.js';
export { defaultVersion, oldestHere, requestedVersions, type Version, versions } from './version.js';

/** Superuser's URL of the shared server, to its database `postgres` or whichever TIDEMARK_TEST_DATABASE_URL names. */
export async function serverUrl(version?: Version): Promise<string> {
  return (await sharedServer(version)).url;
}
