// PostgreSQL in a container, by testcontainers, where a Docker engine really answers. That is asked of the engine directly and within a
// second: testcontainers' own search tries several strategies, slowly, and loading it costs more than embedded binaries need to start.
import { request } from 'node:http';
import { type SharedServer, seldomVacuumed } from './choose.js';
import type { Version } from './version.js';

/** Starts a container of this version, or gives undefined where no engine answers. testcontainers' own reaper removes it after us.
 *  @throws Error where an engine answers and the container does not start: no such image, no network */
export async function startContainer(version: Version): Promise<SharedServer | undefined> {
  if (!(await engineAnswers(process.env.DOCKER_HOST))) return undefined;
  const { PostgreSqlContainer } = await import('@testcontainers/postgresql');
  const more = Object.entries(seldomVacuumed).map(([name, value]) => `${name}=${value}`);
  const settings = [
    'fsync=off',
    'max_connections=200',
    'max_locks_per_transaction=256',
    'wal_level=replica',
    'shared_buffers=128MB',
    ...more,
  ];
  const container = await new PostgreSqlContainer(`postgres:${version}-alpine`)
    .withUsername('postgres')
    .withPassword('postgres')
    .withDatabase('postgres')
    .withSharedMemorySize(256 * 1024 ** 2)
    .withCommand(['postgres', ...settings.flatMap((setting) => ['-c', setting])])
    .start();
  return {
    version,
    url: container.getConnectionUri(),
    stop: async () => {
      await container.stop();
    },
  };
}

/** Whether a Docker engine answers `GET /_ping` within a second, at DOCKER_HOST or at the usual socket. */
export async function engineAnswers(dockerHost: string | undefined): Promise<boolean> {
  const target = engineAddress(dockerHost);
  if (target === undefined) return false;
  return await new Promise((resolve) => {
    const call = request({ ...target, path: '/_ping', signal: AbortSignal.timeout(1000) }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    call.on('error', () => resolve(false));
    call.end();
  });
}

type EngineAddress = { readonly socketPath: string } | { readonly host: string; readonly port: number };

function engineAddress(dockerHost: string | undefined): EngineAddress | undefined {
  if (!dockerHost) return { socketPath: '/var/run/docker.sock' };
  if (!URL.canParse(dockerHost)) return undefined;
  const { protocol, hostname, port, pathname } = new URL(dockerHost);
  if (protocol === 'unix:') return { socketPath: pathname };
  if (protocol === 'tcp:' || protocol === 'http:') return { host: hostname, port: Number(port || 2375) };
  return undefined; // ssh: and npipe: are not asked
}
