// Decides which server a test's databases are made on: one that is given, a container, or embedded binaries; and starts each version at
// most once in this process. Whether this process is the test's own or the one that all test files share is broker.ts's business.
import { databaseUrl, withSession } from './connect.js';
import { defaultVersion, parseVersion, type Version } from './version.js';

/** A server for databases of many tests; nobody stops it before the end of the run. */
export interface SharedServer {
  readonly version: Version;
  /** Superuser's URL to some database of it. */
  readonly url: string;
  /** A database like an empty one, which is copied in half of the time. */
  readonly template?: string;
  /** Absent for a server that was there before us. */
  readonly stop?: () => Promise<void>;
}

/** On embedded servers. */
export const templateName = 'test_template';

/** What a test's tables are to the planner is for the test to say, not for autovacuum, which comes when it likes. In seconds. */
export const seldomVacuumed = { autovacuum_naptime: '86400' } as const;

/** Servers by version, each started at its first request. */
export class ServerPool implements AsyncDisposable {
  #external: Promise<SharedServer | undefined> | undefined;
  readonly #servers = new Map<Version | 'default', Promise<SharedServer>>();

  /** The server of a version, or, without one, whichever tests run against by default. */
  get(version?: Version): Promise<SharedServer> {
    const key = version ?? 'default';
    const found = this.#servers.get(key) ?? this.#choose(version);
    this.#servers.set(key, found);
    return found;
  }

  /** Every server asked for so far that did start, each once. */
  async all(): Promise<SharedServer[]> {
    const settled = await Promise.allSettled(this.#servers.values());
    return [...new Set(settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])))];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all((await this.all()).map((server) => server.stop?.()));
    this.#servers.clear();
  }

  /** The server of TIDEMARK_TEST_DATABASE_URL, if there is one. It may be asked for by version and as the default. */
  #given(): Promise<SharedServer | undefined> {
    const url = process.env.TIDEMARK_TEST_DATABASE_URL;
    this.#external ??= url
      ? versionOf(url).then((version) => announce({ version, url }, 'TIDEMARK_TEST_DATABASE_URL'))
      : Promise.resolve(undefined);
    return this.#external;
  }

  async #choose(version: Version | undefined): Promise<SharedServer> {
    const given = await this.#given();
    if (given && (version === undefined || version === given.version)) return given;
    // By name, it may be the default one and running already.
    if (version === undefined) return this.get(defaultVersion());
    const { startContainer } = await import('./container.js');
    const container = await startContainer(version).catch((error: unknown) => {
      process.stderr.write(`test databases: no container of PostgreSQL ${version}: ${error instanceof Error ? error.message : error}\n`);
    });
    if (container) return announce(container, 'a container');
    const { startEmbedded } = await import('./embedded.js');
    const server = await startEmbedded({ version, settings: seldomVacuumed });
    return announce({ ...server, template: await makeTemplate(server) }, 'embedded binaries');
  }
}

async function versionOf(url: string): Promise<Version> {
  const { rows } = await withSession(url, (client) =>
    client.query<{ version: string }>(`SELECT (current_setting('server_version_num')::int / 10000)::text AS version`),
  );
  return parseVersion(rows[0]?.version ?? '');
}

/** What template0 is, and with the file of the catalogs' descriptions that a database's first session leaves behind: sessions of copies
 *  begin with it. */
async function makeTemplate({ url, version }: SharedServer): Promise<string> {
  await withSession(url, (client) => client.query(`CREATE DATABASE ${templateName} TEMPLATE template0${asFiles(version)}`));
  await withSession(databaseUrl(url, templateName), (client) => client.query('SELECT 1'));
  // So no autovacuum worker is in it when it is copied.
  await withSession(url, (client) => client.query(`ALTER DATABASE ${templateName} ALLOW_CONNECTIONS false`));
  return templateName;
}

/** How a database is copied file by file; page by page through the WAL takes longer. */
export function asFiles(version: Version): string {
  return version >= 15 ? ' STRATEGY FILE_COPY' : '';
}

function announce(server: SharedServer, from: string): SharedServer {
  const { host } = new URL(server.url);
  process.stderr.write(`test databases: PostgreSQL ${server.version} at ${host}, from ${from}\n`);
  return server;
}
