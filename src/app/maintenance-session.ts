// A session to some database of a server: for locks that outlive databases, and for making and dropping these.
import { TidemarkError } from '../model/errors.js';
import { openSession, type Session } from '../pg/session.js';
import type { ConnectionSettings } from '../pg/settings.js';
import { openMaintenance } from '../restore/database.js';

/** To the maintenance database; to the one of the settings where the role may enter no other. Advisory locks belong to a database: they
 *  meet because everybody comes to the same one.
 *  @param unlike the database that the session is not to be in, if it can be helped
 *  @throws TidemarkError as `openSession` */
export async function openSomewhere(
  connection: ConnectionSettings,
  { unlike = '', ...options }: { readonly unlike?: string; readonly applicationName: string; readonly signal: AbortSignal },
): Promise<Session> {
  try {
    return await openMaintenance(connection, unlike, options);
  } catch (error) {
    if (!(error instanceof TidemarkError) || !isRefusal(error)) throw error;
    return await openSession(connection, { use: 'write', ...options }).catch(() => {
      throw error;
    });
  }
}

/** The server is there, and lets the role not into this database. */
function isRefusal({ code, details }: TidemarkError): boolean {
  return code === 'AUTHENTICATION_FAILED' || code === 'DATABASE_MISSING' || details.sqlstate === '42501';
}
