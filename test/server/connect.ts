// Sessions of the driver's and of tests' own, told apart from tidemark's by their application_name.
import pg from 'pg';

/** How long a connection may take: a machine that stood still for half a minute is no failure of a test. Tidemark gets it as
 *  PGCONNECT_TIMEOUT, where a test leaves it to the environment. */
export const patientSeconds = 120;

/** The same for settings that take nothing else from the environment. */
export const patience = { PGCONNECT_TIMEOUT: String(patientSeconds) };

/** pg's client that ends with its scope (`await using`). */
export type TestClient = pg.Client & AsyncDisposable;

/** Opens a session. Its application_name does not begin with "tidemark", so it never counts as a leak. */
export async function connect(url: string): Promise<TestClient> {
  const client = new pg.Client({ connectionString: url, application_name: 'test driver', connectionTimeoutMillis: patientSeconds * 1000 });
  client.on('error', () => undefined); // a server that is killed under an idle session; the next query tells
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

/** Does some work in a session that ends with it. */
export async function withSession<T>(url: string, work: (client: TestClient) => Promise<T>): Promise<T> {
  await using client = await connect(url);
  return await work(client);
}

/** The URL of another database on the same server. */
export function databaseUrl(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${encodeURIComponent(name)}`;
  return url.href;
}
