// Memory for compressed chunks, which goes to the writer and, where that gives it back, comes again: new memory for each makes the
// collector run all the time.

/** Frames of bodies up to here get memory of their own size. Handing over that of a whole chunk for each of thousands of small tables
 *  keeps the collectors of both threads busy, for it counts as garbage of that size. */
const smallBytes = 256 << 10;

export class FrameMemory {
  readonly #frameBytes: number;
  readonly #comesBack: boolean;
  readonly #free: ArrayBuffer[] = [];

  /** @param frameBytes the most that a frame can have */
  constructor(frameBytes: number, comesBack: boolean) {
    this.#frameBytes = frameBytes;
    this.#comesBack = comesBack;
  }

  /** For the frame of a body of so many bytes; undefined where it is to get memory of its own. */
  take(bodyBytes: number): ArrayBuffer | undefined {
    if (!this.#comesBack || bodyBytes <= smallBytes) return undefined;
    return this.#free.pop() ?? new ArrayBuffer(this.#frameBytes);
  }

  give(memory: ArrayBuffer | undefined): void {
    if (memory && memory.byteLength >= this.#frameBytes) this.#free.push(memory);
  }
}
