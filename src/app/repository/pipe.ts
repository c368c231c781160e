// Joins who pushes bytes to who pulls them: one chunk at a time, and a write is done when the chunk is not used any more. So nothing is kept.

type Taker = { readonly resolve: (result: IteratorResult<Uint8Array, undefined>) => void; readonly reject: (error: unknown) => void };
type Giver = { readonly resolve: () => void; readonly reject: (error: unknown) => void };

/** One writer, who awaits each write, and one reader. */
export class Pipe implements AsyncIterable<Uint8Array> {
  #chunk: Uint8Array | undefined;
  #giver: Giver | undefined;
  #taker: Taker | undefined;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;

  /** Resolves when the reader asks for the next chunk: the memory may be used again then. Rejects with what `fail` was given. */
  write(bytes: Uint8Array): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure.error);
    if (bytes.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#giver = { resolve, reject };
      const taker = this.#taker;
      this.#taker = undefined;
      if (taker) taker.resolve({ value: bytes, done: false });
      else this.#chunk = bytes;
    });
  }

  /** The reader comes to its end. */
  end(): void {
    this.#ended = true;
    this.#taker?.resolve({ value: undefined, done: true });
    this.#taker = undefined;
  }

  /** Ends both sides with an error. Only the first one counts. */
  fail(error: unknown): void {
    if (this.#failure) return;
    this.#failure = { error };
    this.#taker?.reject(error);
    this.#giver?.reject(error);
    this.#taker = undefined;
    this.#giver = undefined;
    this.#chunk = undefined;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return { next: () => this.#next() };
  }

  #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#failure) return Promise.reject(this.#failure.error);
    const chunk = this.#chunk;
    if (chunk) {
      this.#chunk = undefined;
      return Promise.resolve({ value: chunk, done: false });
    }
    // What was given before is done with.
    this.#giver?.resolve();
    this.#giver = undefined;
    if (this.#ended) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve, reject) => {
      this.#taker = { resolve, reject };
    });
  }
}
