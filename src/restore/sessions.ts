// The sessions of one restore: all carry the same application_name, so that a restore that fails or is aborted can see to it that none
// of them stays on the server, whichever thread opened it and whatever it is doing.
import { openSession, type Session } from '../pg/session.js';
import { type ConnectionSettings, withDatabase } from '../pg/settings.js';
import { setMaintenance } from './tuning/session.js';

/** Encodings of an archive: of its names and statements, as `Session.encoding` has it, and of its rows. */
export interface Encodings {
  readonly text: string;
  readonly rows: string;
}

export interface SessionsOptions {
  readonly connection: ConnectionSettings;
  /** Differs from that of every other restore. */
  readonly applicationName: string;
  readonly encodings: Encodings;
  /** How many work at once. */
  readonly jobs: number;
  /** Gives each as much memory, and each parallel workers, as the server is likely to have. */
  readonly tune?: boolean;
  /** Cuts all of them. */
  readonly signal: AbortSignal;
}

export class Sessions implements AsyncDisposable {
  readonly connection: ConnectionSettings;
  readonly applicationName: string;
  readonly encodings: Encodings;
  readonly jobs: number;
  readonly signal: AbortSignal;
  /** One of them has seen that the server's settings are tuned, by whomever. */
  tunedServer = false;
  readonly #tune: boolean;
  readonly #open = new Set<Session>();
  /** Of which nothing is wanted at the moment, by their databases. */
  readonly #idle = new Map<string, Session>();

  constructor({ connection, applicationName, encodings, jobs, tune = false, signal }: SessionsOptions) {
    this.connection = connection;
    this.applicationName = applicationName;
    this.encodings = encodings;
    this.jobs = jobs;
    this.signal = signal;
    this.#tune = tune;
  }

  /** A session set up for bulk work. */
  async open(database: string): Promise<Session> {
    const idle = this.#idle.get(database);
    this.#idle.delete(database);
    if (idle !== undefined) return idle;
    const { applicationName, encodings, signal } = this;
    const options = { use: 'write', encoding: encodings.text, applicationName, signal } as const;
    const session = this.adopt(await openSession(withDatabase(this.connection, database), options));
    if (await setMaintenance(session, { jobs: this.jobs, tune: this.#tune })) this.tunedServer = true;
    return session;
  }

  /** Another session to the same database as `session`. */
  async openBeside({ client }: Session): Promise<Session> {
    return this.open(client.database ?? this.connection.database);
  }

  /** Takes charge of a session that was opened elsewhere. */
  adopt(session: Session): Session {
    this.#open.add(session);
    return session;
  }

  /** Keeps a session from `open`, which has only looked, for the next who opens one. */
  putBack(database: string, session: Session): void {
    this.#idle.set(database, session);
  }

  async close(session: Session): Promise<void> {
    this.#open.delete(session);
    await session.close();
  }

  /** Cuts every socket and ends what is left of them on the server: a backend in the middle of an index notices a lost client late.
   *  Resolves when they are gone, or when the server cannot be reached.
   *  @param databases to connect to for that, the first that lets us in */
  async end(databases: readonly string[]): Promise<void> {
    for (const session of this.#open) session.destroy();
    this.#open.clear();
    for (const database of databases) {
      try {
        // Who connects may end sessions of that user; the role that they have taken on may not.
        const { role: _, ...connection } = withDatabase(this.connection, database);
        await using cleaner = await openSession(connection, { use: 'write', applicationName: `${this.applicationName} end` });
        await cleaner.query('SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = $1', [
          this.applicationName,
        ]);
        return;
      } catch {
        // Another one may let us in; if none does, the error that brought us here says more than this one could.
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#open].map((session) => session.close()));
    this.#open.clear();
  }
}
