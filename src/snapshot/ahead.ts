// How many ranges a worker is given at a time. One large one: whoever comes free takes the next. Small tables several, which it reads with
// one message to the server, and more before it has read them all: else both would wait for each other most of the time. Pure.
import type { RangeTask } from './messages.js';

/** Small ranges are given up to so many, or so many bytes on the server's disk. */
export interface Share {
  readonly ranges: number;
  readonly bytes: bigint;
}

/** So little that workers finish at about the same time. */
const usualShare: Share = { ranges: 64, bytes: 1n << 20n };

/** A quarter of all for each of two workers: for whoever has other work, and cannot hand out often. */
export function largeShare(tasks: readonly RangeTask[], workers: number): Share {
  const parts = 2 * workers;
  const bytes = tasks.reduce((sum, task) => sum + bytesOf(task), 0n) / BigInt(parts);
  return {
    ranges: Math.max(usualShare.ranges, Math.ceil(tasks.length / parts)),
    bytes: bytes > usualShare.bytes ? bytes : usualShare.bytes,
  };
}

/** What a worker has to read. */
export class Load {
  ranges = 0;
  bytes = 0n;

  add(task: RangeTask): void {
    this.ranges += 1;
    this.bytes += bytesOf(task);
  }

  remove(task: RangeTask): void {
    this.ranges -= 1;
    this.bytes -= bytesOf(task);
  }
}

/** One whose size is not known may be large. */
function bytesOf({ bytes = usualShare.bytes }: RangeTask): bigint {
  return bytes;
}

/** Ranges in their order, handed out. */
export class Ahead {
  readonly #tasks: Iterator<RangeTask, unknown>;
  readonly #share: Share;
  /** The first that nobody has. */
  #first: RangeTask | undefined;

  constructor(tasks: Iterable<RangeTask>, share = usualShare) {
    this.#tasks = tasks[Symbol.iterator]();
    this.#share = share;
  }

  /** What a worker with this load is to read next, which is added to it: one range where it has nothing to do; else none until it has
   *  read half of what it may have. */
  next(load: Load): readonly RangeTask[] {
    const tasks: RangeTask[] = [];
    const { ranges, bytes } = this.#share;
    if (load.ranges > ranges / 2 || load.bytes > bytes / 2n) return tasks;
    while (load.ranges < ranges && load.bytes < bytes) {
      const task = this.#peek();
      if (task === undefined || (load.ranges > 0 && load.bytes + bytesOf(task) > bytes)) break;
      this.#first = undefined;
      load.add(task);
      tasks.push(task);
    }
    return tasks;
  }

  #peek(): RangeTask | undefined {
    if (this.#first === undefined) {
      const { done, value } = this.#tasks.next();
      if (!done) this.#first = value as RangeTask;
    }
    return this.#first;
  }
}
