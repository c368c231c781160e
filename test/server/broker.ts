// One set of servers for a whole test run: the process that starts the run holds them and answers, over HTTP on localhost, where a version
// is to be found; test files in other processes and threads ask. Without such a process (the demo, a script) this process has its own.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { ServerPool, type SharedServer } from './choose.js';
import { parseVersion, type Version } from './version.js';

const variable = 'TIDEMARK_TEST_BROKER';

let own: ServerPool | undefined;
let ownRun: string | undefined;

/** Where databases of this version (or of the default) are to be made. Servers of this process's own go with the process. */
export async function sharedServer(version?: Version): Promise<SharedServer> {
  const broker = process.env[variable];
  if (!broker) {
    own ??= new ServerPool();
    return own.get(version);
  }
  const response = await fetch(new URL(String(version ?? 'default'), broker));
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return JSON.parse(text) as SharedServer;
}

/** What names of databases and roles begin with in this run, and in no other one on the same server. */
export function runPrefix(): string {
  const broker = process.env[variable];
  ownRun ??= randomBytes(4).toString('hex');
  return `test_${broker ? new URL(broker).searchParams.get('run') : ownRun}_`;
}

/** Serves this process's servers to every process that it starts from now on, until disposed of. */
export async function openBroker(pool: ServerPool): Promise<AsyncDisposable> {
  const server = createServer((request, response) => {
    const name = (request.url ?? '/').slice(1);
    Promise.resolve()
      .then(() => pool.get(name === 'default' ? undefined : parseVersion(name)))
      .then(
        ({ version, url, template }) => response.end(JSON.stringify({ version, url, template })),
        (error: unknown) => response.writeHead(500).end(error instanceof Error ? error.message : String(error)),
      );
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('serve the test servers: the socket has no address');
  process.env[variable] = `http://127.0.0.1:${address.port}/?run=${randomBytes(4).toString('hex')}`;
  return {
    [Symbol.asyncDispose]: async () => {
      delete process.env[variable];
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
