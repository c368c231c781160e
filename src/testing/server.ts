// startTestServer as users of tidemark/testing call it. Apart from how it is done, so that its types ask for no package that users may not have.
import type { TestServer, TestServerKind, TestServerOptions } from './server-options.js';
import { startServer } from './start-server.js';

export type { TestServer, TestServerKind, TestServerOptions };

/** Starts a server, for a `globalSetup` say; its URL is what `snapshotDatabase` takes. The processes are the package's to start and to end.
 *  @throws TidemarkError PACKAGE_MISSING where the package is not installed, with the command that installs it; SERVER_ERROR with the last
 *  words of an embedded server; the errors of testcontainers
 *  @example
 *  const server = await startTestServer('embedded');
 *  process.env.TEST_DATABASE_URL = server.url; */
export async function startTestServer(kind: TestServerKind, options: TestServerOptions = {}): Promise<TestServer> {
  return await startServer(kind, options);
}
