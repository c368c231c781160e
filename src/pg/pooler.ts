// Finds out whether a pooler between us and the server gives each transaction whichever session is free: what belongs to a session, an
// advisory lock above all, is worth nothing there.

import type pg from 'pg';
import { TidemarkError } from '../model/errors.js';
import type { ConnectOptions } from './connect.js';
import { openSession, type Session } from './session.js';
import { type ConnectionSettings, describeConnection } from './settings.js';

/** Refuses a pooler in transaction or statement mode. A pooler tells its clients a process number of its own, so that without one this
 *  costs one query; behind one, a second session is opened, which must not be given the backend of the first.
 *  @throws TidemarkError SERVER_UNSUPPORTED */
export async function refusePooler(session: Session, connection: ConnectionSettings, options: ConnectOptions): Promise<void> {
  const pid = await backendOf(session);
  if (pid === announcedPid(session)) return;
  await using second = await openSession(connection, { use: 'read', ...options });
  if ((await backendOf(second)) !== pid && (await backendOf(session)) === pid) return;
  throw new TidemarkError('SERVER_UNSUPPORTED', `hold a lock on ${describeConnection(connection)}: a pooler shares its sessions`, {
    hint: 'connect to the server directly, or through a pool in session mode: pooling by transaction loses locks',
  });
}

async function backendOf(session: Session): Promise<number> {
  return (await session.one<{ pid: number }>('SELECT pg_backend_pid() AS pid')).pid;
}

/** What the other end called itself at the start, in BackendKeyData. pg keeps it on the client, which its types leave out.
 *  https://www.postgresql.org/docs/current/protocol-message-formats.html */
function announcedPid({ client }: Session): number | null {
  return (client as pg.Client & { readonly processID: number | null }).processID;
}
