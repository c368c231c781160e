// Runs the steps that come after the rows, several at a time on several sessions as schedule.ts allows, and as there are slots, which are shared with
// whoever still loads rows.
import type { Step } from '../model/catalog.js';
import { TidemarkError } from '../model/errors.js';
import type { Session } from '../pg/session.js';
import { type RunSteps, runSteps } from './run-steps.js';
import { createSchedule, type Schedule, type ScheduleOptions } from './schedule.js';
import type { Slots } from './slots.js';

export interface ParallelStepsOptions extends RunSteps, ScheduleOptions {
  readonly slots: Slots;
}

/** Steps that may still be waiting, for each job, when index builds begin to get parallel workers of the server: before, the other jobs use
 *  the processors; towards the end a long build would leave them idle. */
const tailSteps = 2;

/** Steps on few rows that one session does at a time, and the least parts that it does what is left in: the last ones are shared out
 *  among all sessions. */
const [mostTogether, parts] = [50, 4];

export class ParallelSteps {
  /** Never resolves; rejects with the error of the first step that failed: TidemarkError RESTORE_FAILED. Others may still be running. */
  readonly failed: Promise<never>;
  readonly #options: RunSteps;
  readonly #slots: Slots;
  readonly #schedule: Schedule;
  readonly #sessions = new Map<Session, Promise<void>>();
  readonly #idle = new Set<() => void>();
  #running = 0;
  #rowsAreThere: boolean;
  #hasFailed = false;
  #fail: (error: unknown) => void = () => undefined;

  constructor({ weightOf, awaiting, wholeTrees, slots, ...options }: ParallelStepsOptions) {
    const { catalog, steps } = options;
    this.#options = options;
    this.#slots = slots;
    this.#schedule = createSchedule(catalog, steps, { weightOf, awaiting, wholeTrees });
    this.#rowsAreThere = awaiting === undefined;
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.failed.catch(() => undefined);
  }

  /** Has these sessions take steps, too, whenever one may run. */
  use(sessions: readonly Session[]): void {
    for (const session of sessions) {
      if (this.#sessions.has(session)) continue;
      const work = this.#work(session);
      work.catch((error: unknown) => this.#fail(error));
      this.#sessions.set(session, work);
    }
  }

  /** The rows of a relation are there. */
  arrive(relation: number): void {
    this.#schedule.arrive(relation);
    this.#wake();
  }

  /** The rows of all relations are there. Resolves when all steps have run.
   *  @throws TidemarkError RESTORE_FAILED of the first step that failed, at once: others may still be running */
  async finish(): Promise<void> {
    this.#rowsAreThere = true;
    this.#wake();
    await Promise.race([this.failed, Promise.all(this.#sessions.values())]);
  }

  /** Takes one step after the other; waits while none may run. After a failure nothing new is begun. */
  async #work(session: Session): Promise<void> {
    const schedule = this.#schedule;
    while (schedule.waiting > 0 && !this.#hasFailed) {
      const steps = schedule.take(this.#together());
      if (steps.length === 0) {
        if (this.#running === 0 && this.#rowsAreThere)
          throw new TidemarkError('INTERNAL', `restore ${schedule.waiting} steps: each waits for another one`);
        await new Promise<void>((resume) => this.#idle.add(resume));
        continue;
      }
      await this.#run(session, steps);
    }
  }

  /** Within a transaction the tables may have been there before: then nobody knows how many rows they have, and what takes long must not be
   *  done again after a failure. */
  #together(): number {
    if (this.#options.inTransaction) return 1;
    return Math.min(mostTogether, Math.ceil(this.#schedule.waiting / (this.#slots.count * parts)));
  }

  async #run(session: Session, steps: readonly Step[]): Promise<void> {
    this.#running += 1;
    const workers = this.#parallelWorkers();
    try {
      // Before more rows: the longest work is that on the largest table, whose rows come first.
      using _ = await this.#slots.take(true);
      if (workers > 0) await session.query(`SET max_parallel_maintenance_workers = ${workers}`);
      await runSteps(session, { ...this.#options, steps });
      for (const step of steps) this.#schedule.finish(step);
    } catch (error) {
      this.#hasFailed = true;
      throw error;
    } finally {
      this.#running -= 1;
      this.#wake();
    }
  }

  /** Of the server, for a build that begins now: as many as there are jobs for each that is left, without the one that it is itself. */
  #parallelWorkers(): number {
    const { waiting, awaitsRows } = this.#schedule;
    const jobs = this.#slots.count;
    if (jobs < 2 || awaitsRows || waiting > tailSteps * jobs) return 0;
    return Math.max(1, Math.ceil(jobs / (this.#running + waiting)) - 1);
  }

  #wake(): void {
    for (const resume of this.#idle) resume();
    this.#idle.clear();
  }
}
