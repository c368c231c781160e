// One process that uses clones: a session that lives as long as it does, with a lock that tells everybody that the clones of this run
// are in use. It makes and drops databases on it, too. What runs have left that were killed is dropped by those that come later.
import { randomBytes } from 'node:crypto';
import { TidemarkError } from '../../model/errors.js';
import { lockKey } from '../../pg/advisory-lock.js';
import { type Session, streamOf } from '../../pg/session.js';
import type { ConnectionSettings } from '../../pg/settings.js';
import { dropDatabase } from '../../restore/database.js';
import { openSomewhere } from '../maintenance-session.js';
import { cloneName, runOf } from './names.js';

const applicationName = 'tidemark testing';

/** Locks of every database, as the whole server sees them; objsubid 1 marks a key of one bigint.
 *  https://www.postgresql.org/docs/current/view-pg-locks.html */
const heldLocks = `SELECT ((classid::bigint << 32) | objid::bigint)::text AS key FROM pg_locks
  WHERE locktype = 'advisory' AND objsubid = 1 AND granted`;

export class Run implements AsyncDisposable {
  readonly #id: string;
  readonly #session: Session;
  #clones = 0;
  /** One statement after the other, so that a lock that is waited for is waited for by nobody else. */
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  private constructor(id: string, session: Session) {
    this.#id = id;
    this.#session = session;
    streamOf(session.client).unref();
  }

  /** Connects, and drops what killed runs have left.
   *  @param server settings of any database of it; its role may create databases */
  static async begin(server: ConnectionSettings): Promise<Run> {
    const id = randomBytes(6).toString('hex');
    const session = await openSomewhere(server, { applicationName, signal: new AbortController().signal });
    try {
      await session.query('SELECT pg_advisory_lock_shared($1::bigint)', [String(runKey(id))]);
      const run = new Run(id, session);
      await run.work(() => dropLeftovers(session));
      return run;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  /** A name for a clone that nobody has. */
  nextName(): string {
    this.#clones += 1;
    return cloneName(this.#id, this.#clones);
  }

  /** Runs one piece of work on the session, after those that were asked for before. The process does not end meanwhile; it may when
   *  nothing is asked for. */
  work<Result>(what: (session: Session) => Promise<Result>): Promise<Result> {
    const stream = streamOf(this.#session.client);
    this.#waiting += 1;
    stream.ref();
    const done = this.#last.then(async () => {
      try {
        return await what(this.#session);
      } finally {
        this.#waiting -= 1;
        if (this.#waiting === 0) stream.unref();
      }
    });
    this.#last = done.catch(() => undefined);
    return done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last;
    await this.#session.close();
  }
}

function runKey(id: string): bigint {
  return lockKey(`testing run ${id}`);
}

/** First the databases, then the locks: a run takes its lock before it makes its first clone. What cannot be dropped (it is somebody
 *  else's, or somebody drops it now) is left for others. */
async function dropLeftovers(session: Session): Promise<void> {
  const databases = await session.query<{ datname: string }>(
    `SELECT datname FROM pg_database WHERE datname LIKE 'tidemark\\_clone\\_%' AND pg_has_role(datdba, 'USAGE')`,
  );
  const found = databases.flatMap(({ datname }) => {
    const run = runOf(datname);
    return run === undefined ? [] : [{ datname, key: String(runKey(run)) }];
  });
  if (found.length === 0) return;
  const held = new Set((await session.query<{ key: string }>(heldLocks)).map(({ key }) => key));
  for (const { datname, key } of found) {
    if (held.has(key)) continue;
    try {
      await dropDatabase(session, datname, { force: true });
    } catch (error) {
      if (!(error instanceof TidemarkError) || error.details.sqlstate === undefined) throw error;
    }
  }
}
