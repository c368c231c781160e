// Takes bytes out of a stream of buffers by number instead of by buffer: so many for a header, then slices of a body as they come.
// Nothing is collected beyond what one call asks for.

export class ByteCursor {
  readonly #source: AsyncIterator<Uint8Array>;
  #current: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The next bytes, at least one and at most `limit`, without copying; undefined at the end of the stream. */
  async slice(limit: number): Promise<Buffer | undefined> {
    while (this.#current.length === 0) {
      const { done, value } = await this.#source.next();
      if (done) return undefined;
      this.#current = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    }
    const slice = this.#current.subarray(0, limit);
    this.#current = this.#current.subarray(slice.length);
    return slice;
  }

  /** Exactly so many bytes; fewer only where the stream ends before. */
  async exactly(count: number): Promise<Buffer> {
    const first = (await this.slice(count)) ?? Buffer.alloc(0);
    if (first.length === count) return first;
    const pieces = [first];
    let length = first.length;
    while (length < count) {
      const slice = await this.slice(count - length);
      if (slice === undefined) break;
      pieces.push(slice);
      length += slice.length;
    }
    return Buffer.concat(pieces);
  }

  /** Lets go of the stream, where its end is of no interest any more. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }
}
