// The lock that lets one of many processes work at a time: an advisory lock on a session of its own, which the server itself ends when its
// holder does not speak for the length of a lease. Losing it aborts the holder's signal; what a holder does that was stopped and does not
// know yet is the store's fence's business.
import { createHash } from 'node:crypto';
import { TidemarkError } from '../model/errors.js';
import { isServerError } from './errors.js';
import { refusePooler } from './pooler.js';
import { openSession, type Session } from './session.js';
import { type ConnectionSettings, describeConnection } from './settings.js';

export interface LockOptions {
  /** Locks of different names do not meet; nor do those of different databases, nor those of a standby and its primary. */
  readonly name: string;
  /** How long the holder may be silent until the server gives the lock to others, in ms. */
  readonly leaseMs: number;
  /** How often the holder speaks, in ms. Default: three times in a lease. */
  readonly heartbeatMs?: number;
  /** What others are told of the holder, as pg_stat_activity shows it. Default: 'tidemark lock'. */
  readonly applicationName?: string;
  /** Gives up trying. It has nothing to say any more once the lock is held. */
  readonly signal?: AbortSignal | undefined;
}

/** A lock that is held until `release()`, or until `signal` aborts. */
export interface HeldLock extends AsyncDisposable {
  /** Aborts when the lock is lost, with TidemarkError LOCK_LOST: the session ended, or there was no answer within the lease. */
  readonly signal: AbortSignal;
  /** Asks the server now. @throws TidemarkError LOCK_LOST, also after `release()` */
  check(): Promise<void>;
  /** Gives the lock to others and ends the session; resolves also when it was lost before. */
  release(): Promise<void>;
}

/** Somebody else has the lock. */
export interface LockedOut {
  /** Who, in some words; as much as the role may know. */
  readonly heldBy: string;
}

/** Tries to take a lock; does not wait for it.
 *  @throws TidemarkError SERVER_UNSUPPORTED behind a pooler that gives each transaction another session, what openSession throws, or the
 *  signal's reason */
export async function tryLock(connection: ConnectionSettings, options: LockOptions): Promise<HeldLock | LockedOut> {
  const { name, leaseMs, applicationName = 'tidemark lock', signal } = options;
  if (!Number.isInteger(leaseMs) || leaseMs < 1 || leaseMs > 2 ** 31 - 1) {
    throw new TidemarkError('USAGE', `take the lock ${name}: a lease of ${leaseMs} ms cannot be`);
  }
  using trying = linked(signal);
  const session = await openSession(connection, { use: 'read', applicationName, signal: trying.signal }).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw error;
  });
  try {
    const key = lockKey(name);
    await refusePooler(session, connection, { applicationName, signal: trying.signal });
    // First the lease, then the lock: no instant at which a process that is stopped keeps it.
    await session.query(`SELECT set_config('idle_session_timeout', $1, false)`, [String(leaseMs)]);
    const askedAt = performance.now();
    const { pid, taken } = await session.one<{ pid: number; taken: boolean }>(
      'SELECT pg_backend_pid() AS pid, pg_try_advisory_lock($1::bigint) AS taken',
      [String(key)],
    );
    signal?.throwIfAborted();
    if (taken) return new Lock(session, { key, pid, askedAt, where: describeConnection(connection), ...options });
    const heldBy = await holderOf(session, key);
    await session.close();
    return { heldBy };
  } catch (error) {
    await session.close();
    signal?.throwIfAborted();
    throw error;
  }
}

/** Like tryLock, for whom being second is an error. @throws TidemarkError LOCKED */
export async function takeLock(connection: ConnectionSettings, options: LockOptions): Promise<HeldLock> {
  const lock = await tryLock(connection, options);
  if (!('heldBy' in lock)) return lock;
  throw new TidemarkError('LOCKED', `take the lock ${options.name} on ${describeConnection(connection)}: it is held by ${lock.heldBy}`, {
    hint: 'only one process works at a time; wait for the other one, or stop it',
    details: { heldBy: lock.heldBy },
  });
}

/** The number of a lock: the same on every machine and in every version. */
export function lockKey(name: string): bigint {
  return createHash('sha256').update(`tidemark:${name}`).digest().readBigInt64BE(0);
}

interface LockState extends LockOptions {
  readonly key: bigint;
  /** The backend that holds it. */
  readonly pid: number;
  /** When the lock was asked for, on the monotonic clock. */
  readonly askedAt: number;
  readonly where: string;
}

class Lock implements HeldLock {
  readonly #session: Session;
  readonly #state: LockState;
  readonly #abort = new AbortController();
  /** When the last question that was answered was asked. The server's lease begins later: it counts from its answer. */
  #confirmedAt: number;
  #heartbeat: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #released: Promise<void> | undefined;

  constructor(session: Session, state: LockState) {
    this.#session = session;
    this.#state = state;
    this.#confirmedAt = state.askedAt;
    session.lost.catch((error: unknown) => this.#lose(error));
    this.#watch();
    this.#beatLater();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  async check(): Promise<void> {
    await this.#ask();
    this.signal.throwIfAborted();
    if (this.#released !== undefined) throw this.#lost('it was released', undefined);
  }

  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  /** The deadline goes on: it cuts the connection to a server that does not answer. */
  async #release(): Promise<void> {
    clearTimeout(this.#heartbeat);
    await this.#session.query('SELECT pg_advisory_unlock($1::bigint)', [String(this.#state.key)]).catch(() => undefined);
    await this.#session.close();
    clearTimeout(this.#deadline);
  }

  #beatLater(): void {
    const { leaseMs, heartbeatMs = leaseMs / 3 } = this.#state;
    const beat = async (): Promise<void> => {
      await this.#ask();
      if (!this.signal.aborted && this.#released === undefined) this.#beatLater();
    };
    this.#heartbeat = setTimeout(beat, heartbeatMs).unref();
  }

  /** A process that was stopped past its lease may have its answer waiting in the socket, from before: it is not asked for. */
  async #ask(): Promise<void> {
    if (this.#remainingMs() <= 0) this.#lose(silence);
    if (this.signal.aborted) return;
    const askedAt = performance.now();
    try {
      const { pid, held } = await this.#session.one<{ pid: number; held: boolean }>(heldQuery, [String(this.#state.key)]);
      if (pid !== this.#state.pid) return this.#lose(new Error('a pooler has given the session to somebody else'));
      if (!held) return this.#lose(new Error('somebody has unlocked it'));
    } catch (error) {
      return this.#lose(error);
    }
    this.#confirmedAt = Math.max(this.#confirmedAt, askedAt);
    if (this.#remainingMs() <= 0) return this.#lose(silence);
    this.#watch();
  }

  #watch(): void {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#lose(silence), this.#remainingMs()).unref();
  }

  #remainingMs(): number {
    return this.#confirmedAt + this.#state.leaseMs - performance.now();
  }

  #lose(error: unknown): void {
    clearTimeout(this.#heartbeat);
    clearTimeout(this.#deadline);
    this.#session.destroy();
    if (this.signal.aborted || this.#released !== undefined) return;
    this.#abort.abort(this.#lost(reasonOf(error), error));
  }

  #lost(why: string, cause: unknown): TidemarkError {
    const { name, where } = this.#state;
    return new TidemarkError('LOCK_LOST', `hold the lock ${name} on ${where}: ${why}`, {
      cause,
      hint: 'another process may have it now; what this one has not published it does not publish any more',
    });
  }
}

const silence = new Error('nothing was heard of the server for a whole lease');

/** Our own errors name the place once more; the server's own words are below them. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return isServerError(cause) ? cause.message : message;
}

/** Halves of the key are in two columns; objsubid 1 marks a key of one bigint.
 *  https://www.postgresql.org/docs/current/view-pg-locks.html */
const ofKey = `locktype = 'advisory' AND objsubid = 1 AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND classid::bigint = ($1::bigint >> 32) & 4294967295 AND objid::bigint = $1::bigint & 4294967295`;

const heldQuery = `SELECT pg_backend_pid() AS pid, EXISTS (SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND ${ofKey}) AS held`;

/** Best effort: the holder may have gone, and not every role may see the others' sessions. */
async function holderOf(session: Session, key: bigint): Promise<string> {
  const [holder] = await session.query<{ pid: number; application_name: string | null; client_addr: string | null; since: string | null }>(
    `SELECT l.pid, application_name, host(client_addr) AS client_addr,
            to_char(backend_start, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS since
       FROM pg_locks AS l LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid WHERE ${ofKey.replace('database', 'l.database')}`,
    [String(key)],
  );
  if (holder === undefined) return 'a process that has let go of it meanwhile';
  const { pid, application_name, client_addr, since } = holder;
  const words = [application_name || 'a process', client_addr && `at ${client_addr}`, `(server process ${pid})`, since && `since ${since}`];
  return words.filter((word) => word).join(' ');
}

/** A signal that follows another one until it is disposed of. */
function linked(signal: AbortSignal | undefined): { readonly signal: AbortSignal } & Disposable {
  const own = new AbortController();
  const follow = (): void => own.abort(signal?.reason);
  if (signal?.aborted) follow();
  signal?.addEventListener('abort', follow);
  return { signal: own.signal, [Symbol.dispose]: () => signal?.removeEventListener('abort', follow) };
}
