// Checks members in threads, several at once. One thread reads the archive, in order, and hands over whole members; the memory of their frames
// goes along and comes back.
import { wholeMemberLimit } from '../frame/decode.js';
import type { StoredMember } from '../model/manifest.js';
import type { MemberTask } from './check-member.js';
import { CheckThread, type Listener } from './check-thread.js';
import type { MemberChecks, Outcome } from './member-checks.js';

/** Bytes of rows that a thread is worth being started for: what that costs, and compiling its code anew, is a tenth of a second of processor
 *  time, in which as much is checked without. */
const bytesPerThread = 64n << 20n;

/** How many threads are to check so many bytes of rows; 0: none, each member is checked where the archive is read. One alone would be as
 *  slow as none. */
export function checkThreadsFor(bytes: bigint, jobs: number): number {
  const worth = bytes / bytesPerThread;
  const threads = worth < BigInt(jobs) ? Number(worth) : jobs;
  return threads < 2 ? 0 : threads;
}

/** Memory that came back is kept up to this size: the chunks of a usual archive fit into it, and what is kept stays little. */
const keptBytes = 8 << 20;
/** Members that are about as large use the same memory. */
const roundedTo = 1 << 20;

export class CheckPool implements MemberChecks {
  readonly #threads: readonly CheckThread[];
  /** Memory that came back. */
  readonly #free: ArrayBuffer[] = [];
  /** Memory that was given for the next member. */
  #lent: ArrayBuffer | undefined;
  #failure: unknown;
  #wake: () => void = () => undefined;

  /** @param signal ends all threads whenever it aborts */
  constructor(threads: number, signal?: AbortSignal) {
    const listener: Listener = {
      answered: (memory) => {
        if (memory.byteLength <= keptBytes) this.#free.push(memory);
        this.#wake();
      },
      failed: (error) => {
        this.#failure ??= error;
        this.#wake();
      },
    };
    this.#threads = Array.from({ length: threads }, () => new CheckThread(listener));
    const end = (): void => void this[Symbol.asyncDispose]();
    signal?.addEventListener('abort', end);
    void Promise.all(this.#threads.map(({ ended }) => ended)).then(() => signal?.removeEventListener('abort', end));
  }

  /** What is large only when it is decompressed is streamed in the thread. */
  takes({ length }: StoredMember): boolean {
    return length <= BigInt(wholeMemberLimit);
  }

  async room(bytes: number): Promise<void> {
    while (this.#failure === undefined && this.#threadFor(bytes) === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  memory(bytes: number): ArrayBuffer {
    const at = this.#free.findIndex(({ byteLength }) => byteLength >= bytes);
    // Where none is large enough, one of them makes room.
    const [found] = this.#free.splice(Math.max(at, 0), 1);
    const fits = at !== -1 && found !== undefined;
    this.#lent = fits ? found : (Buffer.allocUnsafeSlow(Math.ceil(bytes / roundedTo) * roundedTo).buffer as ArrayBuffer);
    return this.#lent;
  }

  async check(task: MemberTask, frames: Buffer): Promise<Outcome> {
    const thread = this.#threadFor(frames.length);
    if (thread === undefined) throw new Error('a member was given where there was no room for it');
    return thread.check(task, this.#movable(frames));
  }

  /** Frames that were read into other memory may share it with what others read. */
  #movable(frames: Buffer): Buffer {
    const memory = this.#lent ?? this.memory(frames.length);
    this.#lent = undefined;
    if (frames.buffer === memory) return frames;
    const movable = Buffer.from(memory, 0, frames.length);
    frames.copy(movable);
    return movable;
  }

  /** Ends all threads at once, whatever they have. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }

  /** Of those with room, the one with least to do. */
  #threadFor(bytes: number): CheckThread | undefined {
    return this.#threads.filter((thread) => thread.hasRoom(bytes)).sort((a, b) => a.load - b.load)[0];
  }
}
