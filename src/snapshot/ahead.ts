// How many ranges a worker is given at a time. One large one: whoever comes free takes the next. Small tables several, which it reads with
// one message to the server, and more before it has read them all: else both would wait for each other most of the time. Pure.
import type { RangeTask } from './messages.js';

/** Small ones are given up to so many bytes on the server's disk, or so many ranges. */
const mostBytes = 1n << 20n;
const mostRanges = 64;

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
function bytesOf({ bytes = mostBytes }: RangeTask): bigint {
  return bytes;
}

/** Ranges in their order, handed out. */
export class Ahead {
  readonly #tasks: Iterator<RangeTask, unknown>;
  /** The first that nobody has. */
  #first: RangeTask | undefined;

  constructor(tasks: Iterable<RangeTask>) {
    this.#tasks = tasks[Symbol.iterator]();
  }

  /** What a worker with this load is to read next, which is added to it: one range where it has nothing to do; else none until it has
   *  read half of what it may have. */
  next(load: Load): readonly RangeTask[] {
    const tasks: RangeTask[] = [];
    if (load.ranges > mostRanges / 2 || load.bytes > mostBytes / 2n) return tasks;
    while (load.ranges < mostRanges && load.bytes < mostBytes) {
      const task = this.#peek();
      if (task === undefined || (load.ranges > 0 && load.bytes + bytesOf(task) > mostBytes)) break;
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
