// Memory for compressed chunks, which goes to the writer and, where that gives it back, comes again: new memory for each makes the
// collector run all the time.

/** Frames of bodies up to here get memory of their own size: it is little, and what is handed over counts as garbage in both threads. */
const smallBytes = 1 << 20;
/** Memory that is kept has a multiple of so many bytes: chunks of a table differ in a row. */
const roundedTo = 1 << 20;

export class FrameMemory {
  readonly #comesBack: boolean;
  readonly #free: ArrayBuffer[] = [];

  constructor(comesBack: boolean) {
    this.#comesBack = comesBack;
  }

  /** @param bytes the most that the frame can have
   *  @returns undefined where it is to get memory of its own */
  take(bytes: number): ArrayBuffer | undefined {
    if (!this.#comesBack || bytes <= smallBytes) return undefined;
    const at = this.#free.findIndex(({ byteLength }) => byteLength >= bytes);
    // Where none is large enough, one of them makes room.
    const [found] = this.#free.splice(Math.max(at, 0), 1);
    return at !== -1 && found !== undefined ? found : new ArrayBuffer(Math.ceil(bytes / roundedTo) * roundedTo);
  }

  give(memory: ArrayBuffer | undefined): void {
    if (memory && memory.byteLength > smallBytes) this.#free.push(memory);
  }
}
