// The control thread's side of the reading workers: starts them, attaches all to the view before any works, hands out ranges, passes
// chunks on one at a time, and ends them all when one fails. Where there is little to read, the one worker is in this thread.
import type { EncodedMember } from '../frame/encode.js';
import { unpackError } from '../model/thread-error.js';
import { Ahead, Load, type Share } from './ahead.js';
import type { FromWorker, QuestionTask, RangeTask, Row, ToWorker, WorkerSettings } from './messages.js';
import { type Place, type PlacedReader, readerHere, readerInThread } from './placed-reader.js';
import type { TableSample } from './read-sample.js';

/** The server's table has room for max_locks_per_transaction (64) times max_connections (100) by default, and is everybody's. */
const mostLocks = 2000;

/** Bytes on the server's disk that a thread is worth being started for: that takes as long as reading, compressing and writing some
 *  megabytes of rows. */
const leastForThread = 1n << 20n;
/** And another one, which has to be started and connected while others already read. */
const bytesPerThread = 32n << 20n;

/** How many threads are to read this much; 0: one worker in this thread, whose user then waits for the compression of a few chunks. */
export function threadsFor(bytes: bigint, jobs: number): number {
  if (bytes < leastForThread) return 0;
  const worth = bytes / bytesPerThread;
  return worth < BigInt(jobs) ? Math.max(1, Number(worth)) : jobs;
}

/** Memory of a frame that is worth to go back: that of a small one is as soon made anew. */
const worthGivingBack = 1 << 20;

/** A chunk as a worker made it. */
export interface ReadChunk {
  readonly task: RangeTask;
  readonly rows: bigint;
  readonly member: EncodedMember;
}

/** A statement about one table, by its quoted name. */
export type Question = Omit<QuestionTask, 'id' | 'about'>;

/** What becomes of chunks and ranges. Called one at a time and in the order of arrival. */
export interface ChunkSink {
  chunk(chunk: ReadChunk): Promise<void>;
  done(task: RangeTask, rows: bigint): void | Promise<void>;
}

class ReadWorker {
  readonly reader: PlacedReader;
  #waiting: { type: FromWorker['type']; resolve(): void; reject(error: unknown): void } | undefined;
  #failure: unknown;
  onMessage: ((message: FromWorker) => void) | undefined;
  #onFailure: ((error: unknown) => void) | undefined;

  constructor(place: Place, settings: WorkerSettings) {
    this.reader = place(settings, {
      message: (message) => this.#receive(message),
      ended: (error) => this.#fail(error),
    });
  }

  post(message: ToWorker): void {
    this.reader.post(message);
  }

  /** Acknowledges a chunk, and gives the memory of its frame back where it is to come back. */
  written({ content, rawBytes }: EncodedMember, framesComeBack: boolean): void {
    const memory = framesComeBack && content.kind === 'buffer' ? (content.bytes.buffer as ArrayBuffer) : undefined;
    if (memory === undefined || memory.byteLength < worthGivingBack) this.post({ type: 'written', rawBytes });
    else this.reader.post({ type: 'written', rawBytes, memory }, [memory]);
  }

  /** Who is told of a failure: also of one that came while nobody listened, for nothing more comes of this worker. */
  set onFailure(listen: (error: unknown) => void) {
    this.#onFailure = listen;
    if (this.#failure !== undefined) listen(this.#failure);
  }

  /** Waits for the next message of that type. */
  expect(type: FromWorker['type']): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) reject(this.#failure);
      else this.#waiting = { type, resolve, reject };
    });
  }

  #receive(message: FromWorker): void {
    if (message.type === 'failed') this.#fail(unpackError(message.error));
    else if (message.type === this.#waiting?.type) {
      const { resolve } = this.#waiting;
      this.#waiting = undefined;
      resolve();
    } else this.onMessage?.(message);
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#waiting?.reject(error);
    this.#waiting = undefined;
    this.#onFailure?.(error);
  }
}

export class WorkerPool implements AsyncDisposable {
  readonly #workers: readonly ReadWorker[];
  readonly #framesComeBack: boolean;

  private constructor(workers: readonly ReadWorker[], { framesComeBack }: WorkerSettings) {
    this.#workers = workers;
    this.#framesComeBack = framesComeBack;
  }

  /** A pool of nobody, where nothing is to be read. */
  static nobody(settings: WorkerSettings): WorkerPool {
    return new WorkerPool([], settings);
  }

  /** Starts `threads` threads, or for 0 one worker in this thread; each has a connection of its own. `signal` ends them whenever it aborts. */
  static async start(threads: number, settings: WorkerSettings, signal?: AbortSignal): Promise<WorkerPool> {
    signal?.throwIfAborted();
    const place = threads === 0 ? readerHere : readerInThread;
    const pool = new WorkerPool(
      Array.from({ length: threads || 1 }, (_, i) => new ReadWorker(place, { ...settings, spoolPrefix: `${settings.spoolPrefix}-${i}` })),
      settings,
    );
    const end = (): void => void pool[Symbol.asyncDispose]();
    signal?.addEventListener('abort', end);
    Promise.all(pool.#workers.map(({ reader }) => reader.ended)).then(() => signal?.removeEventListener('abort', end));
    try {
      await pool.#all('connected', undefined);
      return pool;
    } catch (error) {
      await pool[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Every worker imports the view; after that they keep it even if the session that exported it is lost. They lock these tables (quoted
   *  names) as well, as far as that takes few enough places in the server's table of locks: whoever asks for an exclusive lock later
   *  then waits behind them, and does not stand between them and a table.
   *  @throws TidemarkError CONCURRENT_DDL */
  async attach(snapshotId: string, tables: readonly string[]): Promise<void> {
    const few = tables.length * this.#workers.length <= mostLocks;
    await this.#all('attached', { type: 'attach', snapshotId, tables: few ? tables : [] });
  }

  /** How many workers there are. */
  get size(): number {
    return this.#workers.length;
  }

  /** Reads all ranges, in the order given, as workers come free, and compresses them at a zstd level. The next one is asked for when a
   *  worker is free for it; ids differ. Rejects at the first failure; the pool is then of no more use.
   *  @param share what a worker is given at once, where that is not the usual */
  async read(tasks: Iterable<RangeTask>, level: number, sink: ChunkSink, share?: Share): Promise<void> {
    const waiting = new Ahead(tasks, share);
    /** Those that were given to a worker, by their id, until their end has been passed on. */
    const open = new Map<number, RangeTask>();
    // One chunk after the other, so that the archive has one writer; back pressure comes from the workers' windows.
    let writing = Promise.resolve();
    await new Promise<void>((resolve, reject) => {
      const give = (worker: ReadWorker, load: Load): void => {
        const next = waiting.next(load);
        if (next.length === 0) return;
        for (const task of next) open.set(task.id, task);
        worker.post({ type: 'read', tasks: next, level });
      };
      for (const worker of this.#workers) {
        const load = new Load();
        worker.onFailure = reject;
        worker.onMessage = (message) => {
          if (message.type === 'chunk') {
            const task = open.get(message.id) as RangeTask;
            writing = writing.then(() => sink.chunk({ task, rows: message.rows, member: message.member }));
            writing.then(() => worker.written(message.member, this.#framesComeBack), reject);
          } else if (message.type === 'done') {
            const task = open.get(message.id) as RangeTask;
            load.remove(task);
            give(worker, load);
            writing = writing.then(async () => {
              await sink.done(task, message.rows);
              open.delete(task.id);
              if (open.size === 0) resolve();
            });
            writing.catch(reject);
          }
        };
        give(worker, load);
      }
      if (open.size === 0) resolve();
    });
  }

  /** Runs all queries, as workers come free. @returns what each gave, in the order of the queries */
  async query<Name extends string>(tasks: readonly Question[]): Promise<readonly Readonly<Record<Name, string>>[]> {
    return (await this.#ask('query', tasks)) as readonly Row[];
  }

  /** Reads samples with all workers at once, as a snapshot does. @returns what each gave, in the order of the statements */
  async sample(tasks: readonly Question[]): Promise<readonly TableSample[]> {
    return (await this.#ask('sample', tasks)) as readonly TableSample[];
  }

  async #ask(about: QuestionTask['about'], tasks: readonly Question[]): Promise<readonly (Row | TableSample)[]> {
    const answers: (Row | TableSample)[] = [];
    if (tasks.length === 0) return answers;
    let next = 0;
    let open = tasks.length;
    await new Promise<void>((resolve, reject) => {
      const give = (worker: ReadWorker): void => {
        const task = tasks[next];
        if (task) worker.post({ type: 'ask', task: { ...task, about, id: next } });
        next += 1;
      };
      for (const worker of this.#workers) {
        worker.onFailure = reject;
        worker.onMessage = (message) => {
          if (message.type !== 'answer') return;
          answers[message.id] = message.answer;
          open -= 1;
          if (open === 0) resolve();
          else give(worker);
        };
        give(worker);
      }
    });
    return answers;
  }

  /** Ends the workers' sessions in order. */
  async close(): Promise<void> {
    await this.#all('closed', { type: 'close' });
    await Promise.all(this.#workers.map(({ reader }) => reader.ended));
  }

  /** Ends all at once, and with them their connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map(({ reader }) => reader.terminate()));
  }

  async #all(expected: FromWorker['type'], message: ToWorker | undefined): Promise<void> {
    await Promise.all(
      this.#workers.map((worker) => {
        const answer = worker.expect(expected);
        if (message) worker.post(message);
        return answer;
      }),
    );
  }
}
