// The workers of a view: how many threads there are to be and with what settings, as soon as it is known how much there is to read; attached
// to the view while the control session reads the schema.
import { qualifiedName } from '../../pg/quote.js';
import { chunkBytesFor } from '../../snapshot/chunk-size.js';
import type { WorkerSettings } from '../../snapshot/messages.js';
import type { View } from '../../snapshot/view.js';
import { threadsFor, WorkerPool } from '../../snapshot/worker-pool.js';
import type { SnapshotPlan } from './options.js';

export type WorkerDestination = Pick<WorkerSettings, 'spoolPrefix' | 'framesComeBack' | 'bare'>;

/** The workers as they come up; disposing of them ends also those that are still starting. */
export class Workers implements AsyncDisposable {
  readonly #plan: SnapshotPlan;
  readonly #destination: WorkerDestination;
  #pool: Promise<WorkerPool> | undefined;
  #attached: Promise<WorkerPool> | undefined;

  /** Starts none yet. */
  constructor(plan: SnapshotPlan, destination: WorkerDestination) {
    this.#plan = plan;
    this.#destination = destination;
  }

  /** Starts them when it is known how much there is to read, the first time that this is called, and attaches them to the view.
   *  @returns the view */
  follow(view: Promise<View>): Promise<View> {
    if (this.#pool === undefined) {
      const pool = view.then((seen) => this.#start(seen));
      this.#pool = pool;
      this.#attached = Promise.all([pool, view]).then(([started, seen]) => attach(started, seen));
      // Whoever wants them waits for them.
      this.#attached.catch(() => undefined);
    }
    return view;
  }

  /** The workers that follow a view, attached to it. */
  async attached(): Promise<WorkerPool> {
    return (await this.#attached) as WorkerPool;
  }

  /** More of them, attached to the same view, with settings of their own. They are for the caller to dispose of. */
  async more(view: View, { jobs, chunkBytes }: { readonly jobs: number; readonly chunkBytes: number }): Promise<WorkerPool> {
    const pool = await startPool({ ...this.#plan, jobs, chunkBytes }, jobs, this.#destination);
    try {
      return await attach(pool, view);
    } catch (error) {
      await pool[Symbol.asyncDispose]();
      throw error;
    }
  }

  #start(view: View): Promise<WorkerPool> {
    const chunkBytes = chunkBytesOf(this.#plan, view);
    return startPool({ ...this.#plan, chunkBytes }, threadsFor(bytesAtMost(view), this.#plan.jobs), this.#destination);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const pool = await this.#pool?.catch(() => undefined);
    await pool?.[Symbol.asyncDispose]();
  }
}

async function attach(pool: WorkerPool, { snapshotId, tables }: View): Promise<WorkerPool> {
  // Those that rows may be read of.
  const names = tables.filter(({ relkind }) => relkind === 'r').map(({ schema, name }) => qualifiedName(schema, name));
  await pool.attach(snapshotId, names);
  return pool;
}

/** @param threads 0: one worker in this thread, unless there is to be none */
function startPool(plan: SnapshotPlan & { readonly chunkBytes: number }, threads: number, more: WorkerDestination): Promise<WorkerPool> {
  const { connection, encoding, chunkBytes, contents, jobs, signal } = plan;
  const foreignTables = plan.foreignServers.length > 0;
  const settings = { connection, encoding, chunkBytes, window: 3, foreignTables, ...more };
  if (jobs === 0 || !contents.sections.has('data')) return Promise.resolve(WorkerPool.nobody(settings));
  return WorkerPool.start(threads, settings, signal);
}

/** Raw bytes at which a chunk is closed. */
export function chunkBytesOf({ chunkBytes }: SnapshotPlan, view: View): number {
  return chunkBytes ?? chunkBytesFor(bytesSeen(view));
}

/** What there may be to read, on the server's disk. How much lies behind a foreign table nobody knows. */
function bytesAtMost(view: View): bigint {
  return view.tables.some(({ relkind }) => relkind === 'f') ? 1n << 62n : bytesSeen(view);
}

function bytesSeen({ tables, largeObjectBytes }: View): bigint {
  return tables.reduce((sum, { bytes }) => sum + bytes, largeObjectBytes);
}
