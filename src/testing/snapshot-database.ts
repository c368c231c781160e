// snapshotDatabase as users of tidemark/testing call it: on a server that they have, or on one that is started for them.
import {
  type SnapshotDatabaseOptions as OnServerOptions,
  snapshotDatabase as onServer,
  type SnapshotDatabase,
  snapshotDatabaseOptionNames,
} from '../app/clones/snapshot-database.js';
import { refuseUnknownOptions } from '../model/option-names.js';
import { startTestServer, type TestServer, type TestServerKind } from './server.js';

export interface SnapshotDatabaseOptions extends Omit<OnServerOptions, 'server'> {
  /** Any database of a server: URL, name or settings, of a role that may create databases. Or a server of `startTestServer`. Or 'embedded' or
   *  'testcontainers': a server of one's own, which is stopped by `close()`; to share one among processes, start it before them. Default
   *  as everywhere: DATABASE_URL, PG*. */
  readonly server?: OnServerOptions['server'] | TestServer | TestServerKind;
}

/** Restores a snapshot once for a server, as a template database named by the checksum of the snapshot, and clones it. Processes that
 *  ask for the same at the same time wait for the one that restores it.
 *  @throws TidemarkError those of restoreSnapshot and startTestServer, and what `prepare` throws; nothing is left then
 *  @example
 *  const snapshot = await snapshotDatabase({ from: 'fixtures/app.tar.zst', server: process.env.TEST_DATABASE_URL });
 *  await using db = await snapshot.clone(); */
export async function snapshotDatabase(given: SnapshotDatabaseOptions): Promise<SnapshotDatabase> {
  refuseUnknownOptions(given, snapshotDatabaseOptionNames, 'make databases of a snapshot');
  const { server, ...options } = given;
  if (server !== 'embedded' && server !== 'testcontainers')
    return await onServer({ ...options, server: isTestServer(server) ? server.url : server });
  const started = await startTestServer(server);
  try {
    const snapshot = await onServer({ ...options, server: started.url });
    const close = async (): Promise<void> => {
      try {
        await snapshot.close();
      } finally {
        await started.stop();
      }
    };
    return { clone: () => snapshot.clone(), close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await started.stop();
    throw error;
  }
}

function isTestServer(server: SnapshotDatabaseOptions['server']): server is TestServer {
  return typeof server === 'object' && 'url' in server && 'stop' in server;
}
