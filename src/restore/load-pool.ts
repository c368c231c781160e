// The rows of all tables through several threads at once, also into the same table. Each thread has one chunk at a time; the first
// failure ends all of them. What a chunk is and how it is sent is load-chunk.ts's business.
import { Worker } from 'node:worker_threads';
import { TidemarkError } from '../model/errors.js';
import { unpackError } from '../model/thread-error.js';
import type { LoadReply, LoadRequest, LoadWorkerData } from './load-messages.js';
import { deliveryOf, type TableLoad } from './plan.js';

export interface PoolOptions extends LoadWorkerData {
  readonly jobs: number;
  /** Called after each chunk, when the server has its rows. */
  readonly onLoaded: (load: TableLoad, chunk: { readonly rows: bigint; readonly rawBytes: bigint; readonly length: bigint }) => void;
  readonly signal: AbortSignal;
}

/** Loads all chunks of all tables. On the first failure, and on abort, the threads are ended and with them their sockets.
 *  @throws TidemarkError of the first chunk that failed; the signal's reason */
export async function loadInParallel(loads: readonly TableLoad[], options: PoolOptions): Promise<void> {
  const queue = loads.flatMap((load) => (load.chunks ?? []).map((chunk) => ({ load, request: { ...deliveryOf(load), chunk } })));
  const { file, connection, applicationName, encodings, signal } = options;
  const workerData: LoadWorkerData = { file, connection, applicationName, encodings };
  const jobs = Math.min(options.jobs, queue.length);
  const workers = Array.from({ length: jobs }, () => new LoadThread(workerData));
  const stop = () => {
    for (const worker of workers) void worker.terminate();
  };
  signal.addEventListener('abort', stop);
  try {
    signal.throwIfAborted();
    const pending = queue.values();
    await Promise.all(
      workers.map(async (worker) => {
        await worker.ready;
        for (const { load, request } of pending) {
          await worker.load(request);
          options.onLoaded(load, request.chunk);
        }
        await worker.end();
      }),
    );
  } catch (error) {
    await Promise.all(workers.map((worker) => worker.terminate()));
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** A thread, with its messages as promises. */
class LoadThread {
  readonly ready: Promise<unknown>;
  readonly #worker: Worker;
  readonly #ended: Promise<unknown>;
  #settle: { resolve(reply: LoadReply): void; reject(error: unknown): void } | undefined;

  constructor(workerData: LoadWorkerData) {
    this.ready = this.#reply();
    this.ready.catch(() => undefined);
    this.#worker = new Worker(new URL('../bundle/load-worker.js', import.meta.url), { workerData });
    this.#worker.on('message', (reply: LoadReply) => {
      if (reply.type === 'failed') this.#settle?.reject(unpackError(reply.error));
      else this.#settle?.resolve(reply);
    });
    this.#worker.on('error', (error) => this.#settle?.reject(error));
    this.#ended = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        this.#settle?.reject(new TidemarkError('INTERNAL', `restore rows: a loading thread ended with code ${code}`));
        resolve(code);
      });
    });
  }

  async load(request: LoadRequest): Promise<void> {
    const loaded = this.#reply();
    this.#worker.postMessage(request);
    await loaded;
  }

  async end(): Promise<void> {
    this.#settle = undefined;
    this.#worker.postMessage('end');
    await this.#ended;
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  #reply(): Promise<LoadReply> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }
}
