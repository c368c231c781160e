// The scheduler that runs inside of a process: a queue of one thing at a time, a timer that looks whether a snapshot is due, and what it
// remembers in between. Its host tells it of heights and goes on at once; whatever fails is an event, and tried again by rule.
import { TidemarkError } from '../../model/errors.js';
import { refuseUnknownOptions } from '../../model/option-names.js';
import type { Position } from '../../model/position.js';
import type { StoredSnapshot } from '../../model/stored-snapshot.js';
import { type Decision, due, type Now } from '../../rules/due.js';
import { checkPolicy } from '../../rules/policy.js';
import { checkSchedule, type Schedule } from '../../rules/rule.js';
import { readQueryNames } from '../../snapshot/position-queries.js';
import { refuse } from '../common-options.js';
import { connectionOf } from '../connection.js';
import { Repository } from '../repository/repository.js';
import { planSnapshot, type SnapshotOptions } from '../snapshot/options.js';
import { type SnapshotResult, takeSnapshot } from '../snapshot/take-snapshot.js';
import { type Attempt, alone, attemptSnapshot, type Series } from './attempt.js';
import { buildStatus } from './build-status.js';
import { Drills, drillSettingNames } from './drills.js';
import type { SchedulerListener } from './events.js';
import { Memory } from './memory.js';
import { PositionSource } from './position-source.js';
import type { Advance, Scheduler, SchedulerOptions } from './scheduler.js';
import { schedulerOptionNames, schedulerSnapshotNames } from './scheduler.js';
import type { Status } from './status.js';
import { tolerant } from './tolerant.js';

/** Starts a scheduler. It first removes what a killed process left, verifies archives that nothing is known of, and says which snapshot is
 *  the newest. Nothing of it keeps the process alive.
 *  @throws TidemarkError USAGE for rules that cannot be followed
 *  @example
 *  const scheduler = createScheduler({
 *    db: process.env.DATABASE_URL, store: 'snapshots', prefix: 'paima-snapshot',
 *    rules: [{ by: 'height', every: 151_200n }], retention: { last: 2 },
 *    position: { heightQuery: 'SELECT max(height) FROM blocks' }, onEvent: console.log,
 *  });
 *  scheduler.advance({ height: 151_200n }); // after each block
 *  await scheduler.close(); */
export function createScheduler(options: SchedulerOptions): Scheduler {
  return new RunningScheduler(options);
}

const attempt = 'create a scheduler';
const longestMs = 2 ** 31 - 1;

class RunningScheduler implements Scheduler {
  readonly #schedule: Schedule;
  readonly #series: Series;
  readonly #source: PositionSource;
  readonly #drills: Drills | undefined;
  readonly #emit: SchedulerListener;
  readonly #timer: NodeJS.Timeout;
  readonly #stop = new AbortController();
  readonly #memory = new Memory();
  /** One thing at a time, in the order in which they were asked for. */
  #queue: Promise<unknown> = Promise.resolve();
  #woken: Promise<void> | undefined;
  /** Until the next turn of the timer nothing is tried again. */
  #resting = false;
  #closing: Promise<void> | undefined;
  #decision: Decision | undefined;
  /** One was requested, and has not ended yet. */
  #requested = false;
  #lookedAt: Date | undefined;
  /** Told once, not at each look, until there is something else to tell: that another process is at it, and that the server is away. */
  #stoodBack = false;
  #trouble: string | undefined;

  constructor(options: SchedulerOptions) {
    refuseUnknownOptions(options, schedulerOptionNames, attempt);
    const { rules, retention, position = {}, snapshot = {}, lookEveryMs = 10_000, leaseMs = 30_000, reserve = 0n, drill } = options;
    refuseUnknownOptions(position, readQueryNames, `${attempt}: position`);
    refuseUnknownOptions(snapshot, schedulerSnapshotNames, `${attempt}: snapshot`);
    if (drill !== undefined) refuseUnknownOptions(drill, drillSettingNames, `${attempt}: drill`);
    this.#schedule = 'rules' in rules ? rules : { rules };
    checkSchedule(this.#schedule);
    checkPolicy(retention);
    // Timers of Node wait for one millisecond where they are to wait longer. https://nodejs.org/api/timers.html#setintervalcallback-delay-args
    refuse(!(lookEveryMs >= 1 && lookEveryMs <= longestMs), `${attempt}: lookEveryMs must be from 1 to ${longestMs}`);
    refuse(
      !(Number.isInteger(leaseMs) && leaseMs >= 1 && leaseMs <= longestMs),
      `${attempt}: leaseMs must be a whole number from 1 to ${longestMs}`,
    );
    const by = new Set(this.#schedule.rules.map((rule) => rule.by));
    // A height that is told, and not read in the snapshot, would be that of another state than the data's.
    refuse(by.has('height') && position.heightQuery === undefined, `${attempt}: rules by height need position.heightQuery`);
    refuse(by.has('stream') && position.streamsQuery === undefined, `${attempt}: rules by stream need position.streamsQuery`);
    // Who signs a series signs what is taken for it.
    const { signKey = snapshot.signKey } = options;
    const taken: Omit<SnapshotOptions, 'file'> = { ...snapshot, ...position, ...(signKey && { signKey }) };
    const connection = connectionOf(options.db);
    planSnapshot({ ...taken, database: connection });
    this.#series = {
      connection,
      repository: new Repository({ ...options, ...(signKey && { signKey }) }),
      retention,
      snapshot: taken,
      leaseMs,
      reserve,
      inUse: new Set(),
    };
    this.#source = new PositionSource(connection, position);
    this.#emit = tolerant(options.onEvent);
    this.#drills = drill && new Drills(this.#series, drill, this.#emit);
    this.#timer = setInterval(() => {
      this.#resting = false;
      void this.look();
    }, lookEveryMs).unref();
    void this.#turn(() => this.#begin());
    void this.look();
  }

  advance({ height }: Advance): void {
    if (height !== undefined) this.#source.tell({ height });
    if (this.#resting || this.#closing) return;
    const passed = this.#decision?.next.some((mark) => mark.by === 'height' && height !== undefined && height >= mark.value) ?? true;
    if (passed) void this.look();
  }

  async snapshotNow(): Promise<StoredSnapshot> {
    this.#refuseClosed();
    return await this.#turn(() => this.#takeAsked());
  }

  requestSnapshot(): ReturnType<Scheduler['requestSnapshot']> {
    this.#refuseClosed();
    const { running } = this.#memory;
    if (running) return { started: false, reason: `a snapshot is under way since ${running.since.toISOString()}: ${running.reason}` };
    if (this.#requested) return { started: false, reason: 'a snapshot that was asked for is about to begin' };
    this.#requested = true;
    const over = (): void => {
      this.#requested = false;
    };
    void this.#turn(() => this.#takeAsked()).then(over, over);
    return { started: true };
  }

  async backup(path: string): Promise<SnapshotResult> {
    this.#refuseClosed();
    const { snapshot, connection } = this.#series;
    return await this.#turn(() =>
      takeSnapshot({
        ...snapshot,
        database: connection,
        file: path,
        signal: this.#stop.signal,
        onEvent: (event) => this.#emit({ type: 'snapshot', event }),
      }),
    );
  }

  get pulse(): Scheduler['pulse'] {
    return { lookedAt: this.#lookedAt, busy: this.#memory.running !== undefined };
  }

  look(): Promise<void> {
    this.#woken ??= this.#turn(async () => {
      this.#woken = undefined;
      if (!this.#closing) await this.#lookAndTake();
      if (!this.#closing) this.#drills?.consider();
      this.#lookedAt = new Date();
    });
    return this.#woken;
  }

  async status(): Promise<Status> {
    const { repository, retention } = this.#series;
    const position = this.#source.seen ?? (await this.#source.observeAside(this.#stop.signal));
    const { failed, running, failures } = this.#memory;
    return await buildStatus({
      repository,
      schedule: this.#schedule,
      retention,
      now: this.#source.clock(),
      ...(failed && { failed }),
      ...(position && { position }),
      ...(running && { running }),
      failures,
    });
  }

  close({ final, abort = false }: Parameters<Scheduler['close']>[0] = {}): Promise<void> {
    if (abort) this.#stop.abort(new TidemarkError('ABORTED', 'take a snapshot: its scheduler was closed'));
    this.#closing ??= this.#end(final);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #end(final: boolean | undefined): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([this.#queue, this.#drills?.close()]);
    // An abort has cut its session, also where nothing was being asked: the last snapshot needs another one.
    if (this.#stop.signal.aborted) await this.#source[Symbol.asyncDispose]();
    try {
      if (final ?? this.#schedule.atShutdown) await this.#takeFinal({ asked: final === true });
    } finally {
      await this.#source[Symbol.asyncDispose]();
      await this.#series.repository[Symbol.asyncDispose]();
    }
  }

  #refuseClosed(): void {
    refuse(this.#closing !== undefined, 'take a snapshot: its scheduler was closed');
  }

  /** Runs after everything that was asked for before. */
  #turn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => undefined);
    return done;
  }

  /** Clears up after processes that were killed, if no other is at work. */
  async #begin(): Promise<void> {
    const { repository } = this.#series;
    await this.#tolerate(async () => {
      await alone(this.#series, this.#stop.signal, async ({ writer, signal }) => {
        await repository.clearUp();
        for (const archive of await repository.verifyUnknown({ signal })) this.#emit({ type: 'unknown', archive });
        await writer.catchUp();
      });
    });
    await this.#tolerate(async () => {
      const newest = await repository.newestGood();
      this.#emit({ type: 'found', ...(newest && { newest }) });
    });
  }

  async #lookAndTake(): Promise<void> {
    await this.#tolerate(async () => {
      const now = await this.#source.now(this.#schedule.rules, this.#stop.signal);
      const good = this.#memory.lastGood(await this.#series.repository.list(), now);
      const decision = this.#decide(good, now);
      this.#decision = decision;
      if (!decision.due || this.#closing) return;
      // A failure has been told by then.
      await this.#take(decision.reason, {
        now,
        // What another process has taken meanwhile is later than `now`: counters that stand below its own would count from zero.
        wanted: async (later) => {
          const last = this.#memory.lastGood(later, now);
          return last?.id === good?.id || this.#decide(last, await this.#source.observe(this.#stop.signal)).due;
        },
      }).catch(() => undefined);
    });
  }

  async #takeAsked(): Promise<StoredSnapshot> {
    const taken = await this.#take('asked for', { now: this.#source.known(), wanted: async () => true });
    if (typeof taken === 'object') return taken;
    throw locked(taken);
  }

  /** Several that end at once take one of them all: who comes second sees that nothing has moved since the first. By rule, it is enough that
   *  another is at it. */
  async #takeFinal({ asked }: { readonly asked: boolean }): Promise<void> {
    const now = await this.#source.observe();
    const listing = await this.#series.repository.list();
    const schedule = { ...this.#schedule, atShutdown: true };
    const decision = this.#decide(this.#memory.lastGood(listing, now), { ...now, shutdown: true }, schedule);
    if (!decision.due) return;
    const known = new Set(listing.snapshots.map(({ id }) => id));
    const taken = await this.#take(decision.reason, {
      now,
      wanted: async (later) => !later.snapshots.some(({ id, position }) => !known.has(id) && position.lsn >= now.lsn),
      signal: new AbortController().signal,
    });
    if (asked && typeof taken === 'string') throw locked(taken);
  }

  /** @returns the snapshot, or why there is none: another process is at it */
  async #take(
    reason: string,
    { now, wanted, signal = this.#stop.signal }: { now: Position; wanted: Attempt['wanted']; signal?: AbortSignal },
  ): Promise<StoredSnapshot | string | undefined> {
    const started = performance.now();
    this.#memory.begin(reason);
    const { height } = now;
    const isWanted: Attempt['wanted'] = async (listing) => {
      this.#memory.see(listing);
      return await wanted(listing);
    };
    const emit: SchedulerListener = (event) => {
      this.#memory.note(event);
      if (event.type === 'created') {
        // The next look says what comes after it.
        this.#decision = undefined;
        this.#stoodBack = false;
        this.#source.compare(event.snapshot.position);
      }
      this.#emit(event);
    };
    try {
      const outcome = await attemptSnapshot(this.#series, {
        reason,
        wanted: isWanted,
        emit,
        signal,
        ...(height === undefined ? {} : { height }),
      });
      if (outcome.kind === 'created') return outcome.snapshot;
      this.#resting = true;
      if (outcome.kind === 'not-wanted') this.#stoodBack = false;
      if (outcome.kind === 'not-wanted') return undefined;
      if (!this.#stoodBack) emit({ type: 'stood-back', reason: outcome.reason });
      this.#stoodBack = true;
      return outcome.reason;
    } catch (error) {
      this.#resting = true;
      await this.#tellFailure(error, { now, durationMs: performance.now() - started });
      throw error;
    } finally {
      this.#memory.end();
    }
  }

  async #tellFailure(error: unknown, { now, durationMs }: { now: Position; durationMs: number }): Promise<void> {
    const known = asTidemarkError(error);
    const failed = { ...now, at: new Date(now.at.getTime() + durationMs) };
    this.#memory.fail(known, failed);
    await this.#tolerate(async () => {
      this.#decision = this.#decide(this.#memory.lastGood(await this.#series.repository.list(), failed), failed);
    });
    this.#emit({ type: 'failed', error: known, next: this.#decision?.next ?? [], durationMs });
  }

  #decide(good: StoredSnapshot | undefined, now: Now, schedule = this.#schedule): Decision {
    return due(schedule, this.#memory.last(good), now);
  }

  /** What goes wrong beside snapshots is told, and the next look tries again. */
  async #tolerate(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#trouble = undefined;
    } catch (error) {
      this.#resting = true;
      const known = asTidemarkError(error);
      if (this.#stop.signal.aborted || known.message === this.#trouble) return;
      this.#trouble = known.message;
      this.#emit({ type: 'trouble', error: known });
    }
  }
}

function locked(heldBy = 'it was not wanted any more'): TidemarkError {
  return new TidemarkError('LOCKED', `take a snapshot: ${heldBy}`, { hint: 'wait until the other has ended' });
}

function asTidemarkError(error: unknown): TidemarkError {
  if (error instanceof TidemarkError) return error;
  return new TidemarkError('INTERNAL', error instanceof Error ? error.message : String(error), { cause: error });
}
