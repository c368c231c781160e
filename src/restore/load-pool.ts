// The rows of all tables through several threads at once, also into the same table. Each thread has one chunk at a time, or a few small ones; the first
// failure ends all of them. What a chunk is and how it is sent is load-chunk.ts's business.
import { Worker } from 'node:worker_threads';
import { FileBytes } from '../frame/file-bytes.js';
import { TidemarkError } from '../model/errors.js';
import { unpackError } from '../model/thread-error.js';
import { type Archives, archiveIndex, archiveOf } from './archives.js';
import { FetchFromSeveral, sortForFetching } from './fetch-from-several.js';
import type { LoadReply, LoadRequest, LoadWorkerData, ReachedArchive, ReadRequest, ToLoadWorker } from './load-messages.js';
import { deliveryOf, type TableLoad } from './plan.js';
import { answerRead } from './port-bytes.js';
import type { Slots } from './slots.js';
import { together } from './together.js';

export interface LoadOptions {
  /** Called after each chunk, when the server has its rows. */
  readonly onLoaded: (load: TableLoad, chunk: { readonly rows: bigint; readonly rawBytes: bigint; readonly length: bigint }) => void;
  /** Called when the server has all rows of a table. */
  readonly onFilled: (load: TableLoad) => void;
  /** A chunk is only sent where there is one. */
  readonly slots: Slots;
  readonly signal: AbortSignal;
}

/** Threads that are started before the database is ready for them, which takes as long as theirs to start. */
export class LoadPool implements AsyncDisposable {
  readonly #threads: readonly LoadThread[];
  readonly #archives: Archives;

  /** @param count of threads, which connect later */
  constructor(count: number, { archives, ...data }: Omit<LoadWorkerData, 'archives'> & { readonly archives: Archives }) {
    this.#archives = archives;
    const workerData: LoadWorkerData = { ...data, archives: archives.map(reached) };
    this.#threads = Array.from({ length: count }, () => new LoadThread(workerData, archives));
  }

  /** Loads all chunks of all tables: those of a file in the order given, each thread reading for itself; those of what lies elsewhere in the
   *  order in which they lie there, fetched ahead by this thread. The threads end with it. On the first failure, and on abort, they are ended
   *  and with them their sockets.
   *  @throws TidemarkError of the first chunk that failed; the signal's reason */
  async load(loads: readonly TableLoad[], { onLoaded, onFilled, slots, signal }: LoadOptions): Promise<void> {
    const queue = loads.flatMap((load) => {
      const archive = archiveIndex(load);
      return (load.chunks ?? []).map((chunk) => ({ load, chunk, archive }));
    });
    sortForFetching(this.#archives, queue);
    const ahead = new FetchFromSeveral(this.#archives, queue, this.#threads.length);
    let giveUp = (_: unknown): void => undefined;
    const aborted = new Promise<never>((_, reject) => {
      giveUp = reject;
    });
    aborted.catch(() => undefined);
    const stop = () => {
      void this[Symbol.asyncDispose]();
      giveUp(signal.reason);
    };
    signal.addEventListener('abort', stop);
    try {
      signal.throwIfAborted();
      const pending = together(queue.map((item, position) => ({ position, ...item })));
      const left = new Map(loads.map((load) => [load, load.chunks?.length ?? 0]));
      for (const [load, chunks] of left) if (chunks === 0) onFilled(load);
      const all = Promise.all(
        this.#threads.map(async (thread) => {
          await thread.connect();
          for (const some of pending) {
            const requests = await Promise.all(
              some.map(async ({ load, chunk, archive, position }) => {
                const frames = await ahead.take(position);
                return { chunk, archive, ...deliveryOf(load), ...(frames && { frames }) };
              }),
            );
            {
              using _ = await slots.take(false);
              await thread.load(requests);
            }
            for (const { load, chunk } of some) {
              onLoaded(load, chunk);
              const others = (left.get(load) ?? 0) - 1;
              left.set(load, others);
              if (others === 0) onFilled(load);
            }
          }
          await thread.end();
        }),
      );
      // A store may take its time to answer.
      await Promise.race([all, aborted]);
    } catch (error) {
      ahead.stop();
      await this[Symbol.asyncDispose]();
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /** Ends the threads at once, and with them their connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }
}

function reached(bytes: Archives[number]): ReachedArchive | null {
  if (bytes === undefined) return null;
  return bytes instanceof FileBytes ? { path: bytes.path } : { name: bytes.name, size: bytes.size };
}

/** A thread, with its messages as promises. */
class LoadThread {
  readonly #worker: Worker;
  readonly #ended: Promise<unknown>;
  #settle: { resolve(reply: LoadReply): void; reject(error: unknown): void } | undefined;
  /** Before anybody waited for a reply. */
  #failure: unknown;

  constructor(workerData: LoadWorkerData, archives: Archives) {
    this.#worker = new Worker(new URL('../bundle/load-worker.js', import.meta.url), { workerData });
    this.#worker.on('message', (reply: LoadReply | ReadRequest) => {
      if (reply.type === 'read')
        void answerRead(archiveOf(archives, reply.archive), reply).then((answer) => this.#post(answer, [answer.bytes]));
      else if (reply.type === 'failed') this.#fail(unpackError(reply.error));
      else this.#settle?.resolve(reply);
    });
    this.#worker.on('error', (error) => this.#fail(error));
    this.#ended = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        this.#fail(new TidemarkError('INTERNAL', `restore rows: a loading thread ended with code ${code}`));
        resolve(code);
      });
    });
  }

  async connect(): Promise<void> {
    const connected = this.#reply();
    this.#post({ type: 'connect' });
    await connected;
  }

  async load(requests: readonly LoadRequest[]): Promise<void> {
    const loaded = this.#reply();
    this.#post(
      { type: 'load', requests },
      requests.map(({ frames }) => frames),
    );
    await loaded;
  }

  async end(): Promise<void> {
    this.#settle = undefined;
    this.#post({ type: 'end' });
    await this.#ended;
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  /** @param bytes go over without being copied, where they have their memory to themselves */
  #post(message: ToLoadWorker, bytes: readonly (Uint8Array | undefined)[] = []): void {
    const movable = bytes.flatMap((one) =>
      one?.buffer instanceof ArrayBuffer && one.byteLength === one.buffer.byteLength ? [one.buffer] : [],
    );
    this.#worker.postMessage(message, movable);
  }

  #reply(): Promise<LoadReply> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) reject(this.#failure);
      else this.#settle = { resolve, reject };
    });
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#settle?.reject(error);
  }
}
