// What a scheduler remembers of its attempts while it runs. Nothing of it is needed by the next process: what counts lies in the folder.
import type { TidemarkError } from '../../model/errors.js';
import type { Position } from '../../model/position.js';
import type { StoredSnapshot } from '../../model/stored-snapshot.js';
import type { Last } from '../../rules/due.js';
import { lastTaken, type Own } from '../../rules/last-taken.js';
import type { Listing } from '../repository/repository.js';
import type { SchedulerEvent } from './events.js';
import type { Status } from './status.js';

export class Memory {
  /** The attempt under way. */
  running: Status['running'];
  failures: NonNullable<Status['failures']> = { total: 0, inARow: 0 };
  /** Where the newest attempt failed, if it did. */
  failed: Position | undefined;
  #own: Own | undefined;
  #before: ReadonlySet<string> = new Set();

  begin(reason: string): void {
    this.running = { since: new Date(), reason, rows: 0n, rawBytes: 0n };
  }

  /** What is there before the attempt under way has made anything. */
  see({ snapshots }: Listing): void {
    this.#before = new Set(snapshots.map(({ id }) => id));
  }

  note(event: SchedulerEvent): void {
    if (event.type === 'created') this.#succeeded(event.snapshot);
    if (event.type !== 'snapshot' || event.event.type !== 'progress' || this.running === undefined) return;
    const { rows, rawBytes } = event.event;
    this.running = { ...this.running, rows, rawBytes };
  }

  /** @param at by the clock that the decision went by, so that the next one can tell how long ago it was */
  fail({ code, message }: TidemarkError, at: Position): void {
    this.failed = at;
    this.failures = { total: this.failures.total + 1, inARow: this.failures.inARow + 1, last: { at: new Date(), code, message } };
  }

  end(): void {
    this.running = undefined;
  }

  lastGood({ snapshots }: Listing, { at: now }: Position): StoredSnapshot | undefined {
    return lastTaken(snapshots, { now, own: this.#own });
  }

  /** What the rules measure from. */
  last(good: StoredSnapshot | undefined): Last {
    return { ...(good && { good: good.position }), ...(this.failed && { failed: this.failed }) };
  }

  #succeeded({ id }: StoredSnapshot): void {
    this.#own = { id, before: this.#before };
    // What is let go after it is no part of it: another one may be asked for.
    this.running = undefined;
    this.failed = undefined;
    this.failures = { ...this.failures, inARow: 0 };
  }
}
