// Looks at the database over one session that is kept open, and opened anew when it was lost.
import { TidemarkError } from '../../model/errors.js';
import type { Position } from '../../model/position.js';
import { openSession, type Session } from '../../pg/session.js';
import type { ConnectionSettings } from '../../pg/settings.js';
import { observePosition } from '../../snapshot/observe.js';
import type { PositionQueries } from '../../snapshot/position-queries.js';

export class Observer implements AsyncDisposable {
  readonly #connection: ConnectionSettings;
  readonly #queries: PositionQueries;
  #session: Session | undefined;

  constructor(connection: ConnectionSettings, queries: PositionQueries) {
    this.#connection = connection;
    this.#queries = queries;
  }

  /** Where the database stands now. @throws TidemarkError POSITION_INVALID, CONNECTION_*, SERVER_ERROR */
  async look(signal?: AbortSignal): Promise<Position> {
    const kept = this.#session !== undefined;
    try {
      return await this.#ask(signal);
    } catch (error) {
      // The server may have been started anew since the last look.
      const lost = error instanceof TidemarkError && error.code === 'CONNECTION_LOST';
      if (!kept || !lost || signal?.aborted) throw error;
      return await this.#ask(signal);
    }
  }

  async #ask(signal: AbortSignal | undefined): Promise<Position> {
    const session = this.#session ?? (await openSession(this.#connection, { use: 'read', applicationName: 'tidemark observer', signal }));
    this.#session = session;
    const cut = (): void => {
      this.#session = undefined;
      session.destroy();
    };
    signal?.addEventListener('abort', cut, { once: true });
    try {
      return await observePosition(session, this.#queries);
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    } finally {
      signal?.removeEventListener('abort', cut);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.close();
  }
}
