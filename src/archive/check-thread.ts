// The main thread's side of one checking thread: members go in, and in the same order it is known what is wrong with them.
import { Worker } from 'node:worker_threads';
import { wholeMemberLimit } from '../frame/decode.js';
import { TidemarkError } from '../model/errors.js';
import { unpackError } from '../model/thread-error.js';
import type { MemberTask } from './check-member.js';
import type { CheckReply, CheckRequest } from './check-messages.js';
import type { Outcome } from './member-checks.js';

/** Members that a thread has at a time: the next one is there when it has done with one. */
const window = 2;

export interface Listener {
  /** There is room for another member; the memory of the one before is free again. */
  answered(memory: ArrayBuffer): void;
  /** Nothing more comes of it. */
  failed(error: unknown): void;
}

interface Open {
  readonly bytes: number;
  settle(problem: string | undefined): void;
  reject(error: unknown): void;
}

export class CheckThread {
  readonly ended: Promise<void>;
  readonly #worker: Worker;
  readonly #listener: Listener;
  readonly #open: Open[] = [];
  #failure: unknown;

  constructor(listener: Listener) {
    this.#listener = listener;
    this.#worker = new Worker(new URL('../bundle/check-worker.js', import.meta.url));
    this.#worker.on('message', (reply: CheckReply) => this.#answer(reply));
    this.#worker.on('error', (error) => this.#fail(error));
    this.ended = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#fail(new TidemarkError('INTERNAL', 'check members: a worker thread ended by itself'));
        resolve();
      });
    });
  }

  /** Compressed bytes of the members that it has. */
  get load(): number {
    return this.#open.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** True where one more member of so many bytes may be given: two large ones are never waiting. */
  hasRoom(bytes: number): boolean {
    return this.#open.length === 0 || (this.#open.length < window && this.load + bytes <= wholeMemberLimit);
  }

  /** @param frames lie at the beginning of `memory`, which goes to the thread */
  check(task: MemberTask, frames: Buffer): Outcome {
    if (this.#failure !== undefined) throw this.#failure;
    const outcome: { settled: boolean; problem: string | undefined; ended: Promise<void> } = {
      settled: false,
      problem: undefined,
      ended: new Promise((resolve, reject) => {
        const settle = (problem: string | undefined): void => {
          outcome.settled = true;
          outcome.problem = problem;
          resolve();
        };
        this.#open.push({ bytes: frames.length, settle, reject });
      }),
    };
    // Nobody may wait for it any more, where another check failed.
    outcome.ended.catch(() => undefined);
    const memory = frames.buffer as ArrayBuffer;
    this.#worker.postMessage({ task, memory, bytes: frames.length } satisfies CheckRequest, [memory]);
    return outcome;
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  #answer(reply: CheckReply): void {
    if ('error' in reply) {
      this.#fail(unpackError(reply.error));
      return;
    }
    this.#open.shift()?.settle(reply.problem);
    this.#listener.answered(reply.memory);
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    for (const { reject } of this.#open.splice(0)) reject(error);
    this.#listener.failed(error);
  }
}
