// Who works with tuned settings, and who changes them: two advisory locks in the database postgres, the same for every machine. A session
// that ends, however it ends, holds neither.
import { lockKey } from '../../pg/advisory-lock.js';
import type { Session } from '../../pg/session.js';

/** Where the locks are: they belong to a database. */
export const meetingPlace = 'postgres';

/** Shared by all tuned restores. */
const useKey = String(lockKey('tuned settings in use'));

/** Held alone, for moments. */
const changeKey = String(lockKey('tuned settings are changed'));

/** How long somebody else's change is waited for. */
const patience = '30s';

/** Runs `work` while nobody else changes anything. @throws TidemarkError LOCK_TIMEOUT */
export async function whileAlone<T>(session: Session, work: () => Promise<T>): Promise<T> {
  await session.query(`SELECT set_config('lock_timeout', '${patience}', false)`);
  await session.query('SELECT pg_advisory_lock($1::bigint)', [changeKey]);
  await session.query(`SELECT set_config('lock_timeout', '0', false)`);
  try {
    return await work();
  } finally {
    // Without a connection it is gone already.
    await session.query('SELECT pg_advisory_unlock($1::bigint)', [changeKey]).catch(() => undefined);
  }
}

/** Counts the session among the users, until it ends or `leaveUse`. A client whose machine has gone is noticed within two minutes. */
export async function enterUse(session: Session): Promise<void> {
  await session.query(`SELECT set_config('tcp_keepalives_idle', '60', false), set_config('tcp_keepalives_interval', '10', false),
                              set_config('tcp_keepalives_count', '6', false)`);
  await session.query('SELECT pg_advisory_lock_shared($1::bigint)', [useKey]);
}

export async function leaveUse(session: Session): Promise<void> {
  await session.query('SELECT pg_advisory_unlock_shared($1::bigint)', [useKey]);
}

export interface TuningUser {
  readonly pid: number;
  readonly since: string | null;
  readonly address: string | null;
}

/** The others, seen from any database.
 *  https://www.postgresql.org/docs/current/view-pg-locks.html: halves of the key are in two columns, objsubid 1 marks a key of one bigint */
export async function otherUsers(session: Session): Promise<readonly TuningUser[]> {
  return session.query<TuningUser & Record<string, unknown>>(
    `SELECT l.pid, to_char(a.backend_start, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS since, host(a.client_addr) AS address
       FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
      WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted AND l.pid <> pg_backend_pid()
        AND l.database = (SELECT oid FROM pg_database WHERE datname = '${meetingPlace}')
        AND l.classid::bigint = ($1::bigint >> 32) & 4294967295 AND l.objid::bigint = $1::bigint & 4294967295
      ORDER BY l.pid`,
    [useKey],
  );
}

export function describeUsers(users: readonly TuningUser[]): string {
  const told = users.map(
    ({ pid, since, address }) => `session ${pid}${address ? ` from ${address}` : ''}${since ? ` since ${since}` : ''}`,
  );
  return told.join(', ');
}

/** A session that was killed takes the server a moment. */
const looks = { times: 50, apart: 0.1 };

/** Those that are still there after a few seconds. */
export async function stayingUsers(session: Session): Promise<readonly TuningUser[]> {
  for (let look = 1; ; look++) {
    const users = await otherUsers(session);
    if (users.length === 0 || look === looks.times) return users;
    await session.query('SELECT pg_sleep($1)', [looks.apart]);
  }
}
