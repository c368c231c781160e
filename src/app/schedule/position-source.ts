// Where the database stands, as its host tells it and as it is seen. A host that tells heights spares its database the question at each
// block; what it tells counts as long as the database agrees.
import type { Position } from '../../model/position.js';
import type { ConnectionSettings } from '../../pg/settings.js';
import type { Rule } from '../../rules/rule.js';
import type { PositionQueries } from '../../snapshot/position-queries.js';
import { Observer } from './observer.js';

export interface Told {
  readonly height?: bigint;
}

export class PositionSource implements AsyncDisposable {
  /** As it was at the last look, if that asked the database. */
  seen: Position | undefined;
  readonly #connection: ConnectionSettings;
  readonly #queries: PositionQueries;
  readonly #observer: Observer;
  #told: Told = {};
  /** The host told more than the database had when they were last compared. */
  #ahead = false;
  /** How far the server's clock is ahead of this machine's. */
  #aheadMs = 0;

  constructor(connection: ConnectionSettings, queries: PositionQueries) {
    this.#connection = connection;
    this.#queries = queries;
    this.#observer = new Observer(connection, queries);
  }

  tell(told: Told): void {
    this.#told = told;
  }

  /** As far as these rules ask for it: who is told the height needs no query for it. Rules by time do: snapshots have the time of the
   *  server's clock, and by a clock that is behind it each would be of the future. @throws TidemarkError those of `observe` */
  async now(rules: readonly Rule[], signal: AbortSignal): Promise<Position> {
    const { height } = this.#told;
    if (this.#ahead || rules.some(({ by }) => by !== 'height' || height === undefined)) return await this.observe(signal);
    this.seen = undefined;
    return this.known();
  }

  /** Asks the database. @throws TidemarkError POSITION_INVALID, CONNECTION_*, SERVER_ERROR */
  async observe(signal?: AbortSignal): Promise<Position> {
    this.seen = await this.#observer.look(signal);
    this.#aheadMs = this.seen.at.getTime() - Date.now();
    this.compare(this.seen);
    return this.seen;
  }

  /** Asks on a session of its own, as the other may be in use. Undefined where the database cannot be asked. */
  async observeAside(signal: AbortSignal): Promise<Position | undefined> {
    await using observer = new Observer(this.#connection, this.#queries);
    return await observer.look(signal).catch(() => undefined);
  }

  /** What is known without asking. */
  known(): Position {
    return { lsn: 0n, ...this.seen, at: this.clock(), ...this.#told };
  }

  /** The server's clock, as far as it was seen. */
  clock(): Date {
    return new Date(Date.now() + this.#aheadMs);
  }

  /** A host that tells a height which its database has not is asked no more: each look would make a snapshot, and none would reach it. */
  compare({ height = 0n }: Position): void {
    this.#ahead = this.#told.height !== undefined && this.#told.height > height;
  }

  /** Gives up the session; another look opens another one. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#observer[Symbol.asyncDispose]();
  }
}
