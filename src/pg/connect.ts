// Makes one connection with pg: TLS as the sslmode has it, the password from the settings or the password file, a limit on the time.
// What a session is set to afterwards is session.ts's.
import type { Socket } from 'node:net';
import pg from 'pg';
import { TidemarkError } from '../model/errors.js';
import { carryBytes } from './byte-wire.js';
import { CopySocket } from './copy-socket.js';
import { connectionError, isServerError } from './errors.js';
import { readPasswordFile } from './password-file.js';
import { type ConnectionSettings, describeConnection } from './settings.js';
import { isTlsError, type TlsOptions, tlsAttempts } from './tls.js';

export interface ConnectOptions {
  /** What pg_stat_activity shows. */
  readonly applicationName: string;
  /** Reads through a CopySocket. */
  readonly copiesOut?: boolean | undefined;
  /** Sends each statement at once, also before the answers to those before it; no COPY. */
  readonly pipelined?: boolean | undefined;
  /** Cuts the connection whenever it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/** @throws TidemarkError CONNECTION_FAILED, AUTHENTICATION_FAILED, DATABASE_MISSING, FILE_ERROR (certificates), or the signal's reason */
export async function connectClient(connection: ConnectionSettings, options: ConnectOptions): Promise<pg.Client> {
  const { ssl, sslmode = 'disable' } = connection;
  const attempts = ssl === undefined ? await tlsAttempts({ ...connection, sslmode }) : [ssl];
  for (const [i, attempt] of attempts.entries()) {
    try {
      return await connectOnce(connection, attempt, options);
    } catch (error) {
      const last = i === attempts.length - 1 || options.signal?.aborted;
      if (last || !mayTryNext(error)) throw connectionError(error, describeConnection(connection));
    }
  }
  throw new TidemarkError('INTERNAL', `connect to ${describeConnection(connection)}: nothing to try`);
}

/** TLS did not work, or pg_hba.conf has no line for this kind of connection (28000). A wrong password is wrong with and without TLS. */
function mayTryNext(error: unknown): boolean {
  return isServerError(error) ? error.code === '28000' : isTlsError(error);
}

async function connectOnce(
  connection: ConnectionSettings,
  ssl: TlsOptions,
  { applicationName, copiesOut = false, pipelined = false, signal }: ConnectOptions,
): Promise<pg.Client> {
  signal?.throwIfAborted();
  const { host, port, user, database, options, connectTimeoutMs = 30_000 } = connection;
  const client = new pg.Client({
    host,
    port,
    user,
    database,
    // pg's own way to .pgpass prints warnings to standard error.
    password: () => passwordOf(connection),
    ssl,
    application_name: applicationName,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    pipeline: pipelined,
    ...(copiesOut ? { stream: () => new CopySocket() } : {}),
    ...(options === undefined ? {} : { options }),
  });
  carryBytes(client);
  // Without a listener an error between connect() and the session's own listener would end the process.
  client.on('error', () => undefined);
  const cut = (): void => void streamOf(client).destroy();
  signal?.addEventListener('abort', cut);
  client.once('end', () => signal?.removeEventListener('abort', cut));
  try {
    await client.connect();
    return client;
  } catch (error) {
    signal?.removeEventListener('abort', cut);
    await client.end().catch(() => undefined);
    throw error;
  }
}

/** Asked only where the server wants one. */
async function passwordOf(connection: ConnectionSettings): Promise<string> {
  const { password, passfile } = connection;
  const found = password ?? (passfile === undefined ? undefined : await readPasswordFile(passfile, connection));
  if (found !== undefined) return found;
  throw new TidemarkError(
    'AUTHENTICATION_FAILED',
    `connect to ${describeConnection(connection)}: the server asks for a password, and none was given`,
    {
      hint: 'put it in PGPASSWORD, in .pgpass (which others must not be able to read) or in the URL',
    },
  );
}

/** The socket under a client. pg has it on `connection`, which its types leave out. */
export function streamOf(client: pg.Client): Socket {
  return (client as pg.Client & { readonly connection: { readonly stream: Socket } }).connection.stream;
}
