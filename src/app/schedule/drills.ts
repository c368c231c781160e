// Restore drills by rule, beside the snapshots: a drill may take as long as a restore does, and no snapshot waits for it.
import { TidemarkError } from '../../model/errors.js';
import type { OptionNames } from '../../model/option-names.js';
import { tryLock } from '../../pg/advisory-lock.js';
import { drillDue } from '../../rules/drill.js';
import type { CronRule, TimeRule } from '../../rules/rule.js';
import type { Database } from '../connection.js';
import { drillSnapshot } from '../drill/drill.js';
import type { Series } from './attempt.js';
import type { SchedulerListener } from './events.js';

export interface DrillSettings {
  readonly rule: TimeRule | CronRule;
  /** A database of the server that has the scratch database. Default: that of the snapshots' source. */
  readonly database?: Database;
}

export const drillSettingNames: OptionNames<DrillSettings> = { rule: true, database: true };

export class Drills {
  readonly #series: Series;
  readonly #settings: DrillSettings;
  readonly #emit: SchedulerListener;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(series: Series, settings: DrillSettings, emit: SchedulerListener) {
    this.#series = series;
    this.#settings = settings;
    this.#emit = emit;
  }

  /** Begins a drill if it is time for one, and none is under way. */
  consider(): void {
    if (this.#stop.signal.aborted) return;
    this.#running ??= this.#drill().finally(() => {
      this.#running = undefined;
    });
  }

  /** Gives up one that is under way. */
  async close(): Promise<void> {
    this.#stop.abort(new TidemarkError('ABORTED', 'drill a snapshot: its scheduler was closed'));
    await this.#running;
  }

  async #drill(): Promise<void> {
    const { repository, connection, leaseMs, inUse } = this.#series;
    try {
      if (!(await this.#isDue())) return;
      const lock = await tryLock(connection, { name: `${repository.prefix} drill`, leaseMs, signal: this.#stop.signal });
      if ('heldBy' in lock) return;
      await using held = lock;
      // Another process may have drilled since.
      const newest = await repository.newestGood();
      if (newest === undefined || !(await this.#isDue())) return;
      inUse.add(newest.id);
      const { snapshot, at, durationMs, ok, rows, problem } = await drillSnapshot({
        store: await repository.store(),
        prefix: repository.prefix,
        layout: repository.layout.name,
        ...repository.trust,
        server: this.#settings.database ?? connection,
        id: newest.id,
        signal: AbortSignal.any([this.#stop.signal, held.signal]),
      });
      const drill = { at, durationMs, ok, ...(rows === undefined ? {} : { rows }), ...(problem === undefined ? {} : { problem }) };
      this.#emit({ type: 'drilled', snapshot, drill });
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      const known = error instanceof TidemarkError ? error : new TidemarkError('INTERNAL', String(error), { cause: error });
      this.#emit({ type: 'trouble', error: known });
    } finally {
      inUse.clear();
    }
  }

  async #isDue(): Promise<boolean> {
    const { repository } = this.#series;
    const [last, newest] = [await repository.lastDrill(), await repository.newestGood()];
    if (newest === undefined) return false;
    return drillDue(this.#settings.rule, [last === undefined ? {} : { drill: last }], new Date()).due;
  }
}
