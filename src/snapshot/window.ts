// How much of what a reader has made may be on its way to the writer: it reads on when enough of that was written. This bounds memory.

/** What a message takes beside its bytes, and a little more: many small tables are many messages. */
const leastBytes = 4096;

export class Window {
  readonly #bytes: number;
  #onTheWay = 0;
  /** A large row is on its way: nothing more is read until all is written. */
  #large = false;
  readonly #waiting: (() => void)[] = [];

  /** @param bytes of rows; the chunk with which there are more is still sent */
  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  get full(): boolean {
    return this.#large || this.#onTheWay >= this.#bytes;
  }

  /** Resolves when it is not full. */
  async room(): Promise<void> {
    while (this.full) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** A chunk of so many bytes of rows goes on its way. */
  take(rawBytes: number): void {
    this.#onTheWay += this.#weight(rawBytes);
  }

  /** One whose row did not fit into memory. */
  takeLarge(rawBytes: number): void {
    this.#large = true;
    this.take(rawBytes);
  }

  /** It was written. */
  give(rawBytes: number): void {
    this.#onTheWay -= this.#weight(rawBytes);
    if (this.#onTheWay === 0) this.#large = false;
    if (this.full) return;
    for (const go of this.#waiting.splice(0)) go();
  }

  #weight(rawBytes: number): number {
    return Math.min(Math.max(rawBytes, leastBytes), this.#bytes);
  }
}
