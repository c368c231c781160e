// The sessions of this thread in the database that gets the contents: one that controls, and others beside it.
import type { Session } from '../pg/session.js';
import type { Sessions } from './sessions.js';

export class Crew {
  readonly #sessions: Sessions;
  readonly #database: string;
  #control: Promise<Session> | undefined;
  #others: readonly Session[] = [];
  #opening: Promise<unknown> = Promise.resolve();

  constructor(sessions: Sessions, database: string) {
    this.#sessions = sessions;
    this.#database = database;
  }

  /** The one that does what is done once. */
  control(): Promise<Session> {
    this.#control ??= this.#sessions.open(this.#database);
    return this.#control;
  }

  /** The control session, and others until there are so many, at least one. */
  async withControl(count: number): Promise<readonly Session[]> {
    const control = await this.control();
    return [control, ...(await this.others(count - 1))];
  }

  /** So many beside the control session. Where the server has no room for all of them, those that came stay for the next time. */
  async others(count: number): Promise<readonly Session[]> {
    const opened = this.#opening.then(async () => {
      const missing = Math.max(0, count - this.#others.length);
      const results = await Promise.allSettled(Array.from({ length: missing }, () => this.#sessions.open(this.#database)));
      const came = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      this.#others = [...this.#others, ...came];
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    });
    this.#opening = opened.catch(() => undefined);
    await opened;
    return this.#others.slice(0, Math.max(0, count));
  }

  /** Nobody of it is left in the database. */
  async close(): Promise<void> {
    await this.#opening;
    const control = await this.#control;
    for (const session of [control, ...this.#others]) if (session) await this.#sessions.close(session);
  }
}
