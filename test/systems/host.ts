// What the systems of these tests share: a place for a database and a folder, schedulers made by the public API, and a time machine: the
// server's clock cannot be set, but the record beside an archive says when it was taken.
import { readdirSync } from 'node:fs';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createScheduler, type Scheduler, type SchedulerOptions } from '#dist/index.js';
import { Events } from '../app/schedule/play.js';
import { createDatabase, eventually, type TestDatabase } from '../server/index.js';
import { type TemporaryDirectory, temporaryDirectory } from '../temporary-directory.js';

export type Options = Omit<SchedulerOptions, 'db' | 'store'> & Partial<Pick<SchedulerOptions, 'db' | 'store'>>;

export class Host implements AsyncDisposable {
  readonly db: TestDatabase;
  /** A folder that is not there yet. */
  readonly store: string;
  readonly #place: TemporaryDirectory;
  readonly #schedulers: Scheduler[] = [];

  private constructor(db: TestDatabase, place: TemporaryDirectory) {
    this.db = db;
    this.#place = place;
    this.store = join(place.path, 'snapshots');
  }

  static async start(script: string): Promise<Host> {
    const db = await createDatabase();
    await db.run(script);
    return new Host(db, await temporaryDirectory());
  }

  /** Looks by itself once an hour only: what it does, the test makes it do. */
  scheduler(options: Options): { readonly scheduler: Scheduler; readonly events: Events } {
    const events = new Events();
    const scheduler = createScheduler({
      db: this.db.url,
      store: this.store,
      lookEveryMs: 3_600_000,
      onEvent: events.listener,
      ...options,
      snapshot: { jobs: 1, compressLevel: 1, ...options.snapshot },
    });
    this.#schedulers.push(scheduler);
    return { scheduler, events };
  }

  async files(): Promise<string[]> {
    return (await readdir(this.store)).sort();
  }

  async archives(): Promise<string[]> {
    return (await this.files()).filter((name) => name.endsWith('.tar.zst'));
  }

  archivesNow(): string[] {
    return readdirSync(this.store)
      .filter((name) => name.endsWith('.tar.zst'))
      .sort();
  }

  /** As if a snapshot had been taken at another time. */
  async date(id: string, at: Date): Promise<void> {
    const path = join(this.store, `${id}.tar.zst.verified.json`);
    const record = JSON.parse(await readFile(path, 'utf8'));
    record.position.at = at.toISOString();
    await writeFile(path, JSON.stringify(record));
    // Records are read again where the archive is another one.
    await utimes(join(this.store, `${id}.tar.zst`), at, at);
  }

  /** Runs a script whose rows and commits the server is to have counted before this resolves: it hears of them about a second late. */
  async counted(script: string, { changes = 0, commits = 0 }: { readonly changes?: number; readonly commits?: number }): Promise<void> {
    const before = await this.#counters();
    await this.db.run(script);
    await eventually('the server has counted', async () => {
      const now = await this.#counters();
      return now.changes - before.changes >= changes && now.commits - before.commits >= commits;
    });
  }

  async #counters(): Promise<{ readonly changes: number; readonly commits: number }> {
    const [row] = await this.db.query<{ changes: number; commits: number }>(
      `SELECT (tup_inserted + tup_updated + tup_deleted)::int AS changes, xact_commit::int AS commits
         FROM pg_stat_database WHERE datname = current_database()`,
    );
    return row ?? { changes: 0, commits: 0 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#schedulers.map((scheduler) => scheduler.close({ final: false, abort: true }).catch(() => undefined)));
    await this.db[Symbol.asyncDispose]();
    await this.#place[Symbol.asyncDispose]();
  }
}

/** The ids that were created. */
export const created = (...all: readonly Events[]): string[] =>
  all.flatMap((events) => events.of('created').map(({ snapshot }) => snapshot.id)).sort();
