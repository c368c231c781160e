// What the scheduler's tests share: a chain of blocks in a database, a folder, and the events as they come.
import { readdir } from 'node:fs/promises';
import { createScheduler } from '#dist/app/schedule/create-scheduler.js';
import type { SchedulerEvent } from '#dist/app/schedule/events.js';
import type { Scheduler, SchedulerOptions } from '#dist/app/schedule/scheduler.js';
import { createDatabase, type TestDatabase } from '../../server/index.js';
import { type TemporaryDirectory, temporaryDirectory } from '../../temporary-directory.js';

type Type = SchedulerEvent['type'];
type Of<T extends Type> = Extract<SchedulerEvent, { readonly type: T }>;

/** Events in the order in which they came, and a way to wait for the next of a kind. */
export class Events {
  readonly all: SchedulerEvent[] = [];
  #waiting: { readonly type: Type; readonly found: (event: SchedulerEvent) => void }[] = [];

  readonly listener = (event: SchedulerEvent): void => {
    this.all.push(event);
    const found = this.#waiting.filter(({ type }) => type === event.type);
    this.#waiting = this.#waiting.filter((one) => !found.includes(one));
    for (const one of found) one.found(event);
  };

  next<T extends Type>(type: T): Promise<Of<T>> {
    return new Promise((resolve) => this.#waiting.push({ type, found: (event) => resolve(event as Of<T>) }));
  }

  of<T extends Type>(type: T): Of<T>[] {
    return this.all.filter((event): event is Of<T> => event.type === type);
  }
}

/** An engine with its chain: a database, a folder, and schedulers on them that look by themselves only once an hour. */
export class Engine implements AsyncDisposable {
  readonly db: TestDatabase;
  readonly folder: TemporaryDirectory;
  readonly #schedulers: Scheduler[] = [];

  constructor(db: TestDatabase, folder: TemporaryDirectory) {
    this.db = db;
    this.folder = folder;
  }

  scheduler(options: Partial<SchedulerOptions> = {}): { readonly scheduler: Scheduler; readonly events: Events } {
    const events = new Events();
    const scheduler = createScheduler({
      db: this.db.url,
      store: this.folder.path,
      prefix: 'chain',
      rules: { rules: [{ by: 'height', every: 100n }], retry: { height: 10n } },
      retention: { last: 2 },
      position: { heightQuery: 'SELECT coalesce(max(height), 0) FROM blocks' },
      lookEveryMs: 3_600_000,
      onEvent: events.listener,
      ...options,
      snapshot: { jobs: 1, ...options.snapshot },
    });
    this.#schedulers.push(scheduler);
    return { scheduler, events };
  }

  /** Blocks up to this height are processed. */
  async processTo(height: bigint): Promise<void> {
    await this.db.run(`INSERT INTO blocks SELECT generate_series((SELECT coalesce(max(height), 0) + 1 FROM blocks), ${height})`);
  }

  async archives(): Promise<string[]> {
    return (await readdir(this.folder.path)).filter((name) => name.endsWith('.tar.zst')).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#schedulers.map((scheduler) => scheduler.close({ abort: true }).catch(() => undefined)));
    await this.db[Symbol.asyncDispose]();
    await this.folder[Symbol.asyncDispose]();
  }
}

export async function startEngine(): Promise<Engine> {
  const db = await createDatabase();
  await db.run('CREATE TABLE blocks (height bigint PRIMARY KEY)');
  return new Engine(db, await temporaryDirectory());
}
