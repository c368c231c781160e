// One bootstrap of a database at a time, from any machine: an advisory lock of a session to another database of the server, as the one that
// it is for may not be there yet, and may be renamed. It is gone with its session.

import { TidemarkError } from '../../model/errors.js';
import type { EventListener } from '../../model/events.js';
import { refusePooler } from '../../pg/pooler.js';
import type { Session } from '../../pg/session.js';
import type { ConnectionSettings } from '../../pg/settings.js';
import { openSomewhere } from '../maintenance-session.js';

const applicationName = 'tidemark bootstrap lock';

export interface BootstrapLock extends AsyncDisposable {
  /** To the maintenance database; to the database itself where the role may enter no other. */
  readonly session: Session;
  /** Aborts with LOCK_LOST when the session breaks: somebody else may have the lock then. */
  readonly signal: AbortSignal;
}

/** Waits for its turn.
 *  @throws TidemarkError CONNECTION_*, ... */
export async function lockBootstrap(
  connection: ConnectionSettings,
  { emit, signal }: { readonly emit: EventListener; readonly signal: AbortSignal | undefined },
): Promise<BootstrapLock> {
  const { database } = connection;
  const lost = new AbortController();
  const either = signal ? AbortSignal.any([signal, lost.signal]) : lost.signal;
  const session = await openSomewhere(connection, { unlike: database, applicationName, signal: signal ?? lost.signal });
  session.lost.catch((error: unknown) => {
    const hint = "see the server's log for the reason; run it again";
    lost.abort(
      new TidemarkError('LOCK_LOST', `bootstrap database ${database}: the session with its lock was lost`, { hint, cause: error }),
    );
  });
  try {
    await refusePooler(session, connection, { applicationName, signal: either });
    const key = `tidemark bootstrap ${database}`;
    const { mine } = await session.one<{ mine: boolean }>('SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS mine', [key]);
    if (!mine) {
      emit({ type: 'notice', message: `database ${database} is being bootstrapped by another process: waiting for its end` });
      await session.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [key]);
    }
  } catch (error) {
    await session.close();
    throw error;
  }
  return { session, signal: either, [Symbol.asyncDispose]: () => session.close() };
}
