// Reads what lies far away in order, some pieces ahead of whoever takes them, so that the way there is not waited for again and again.
import { ByteCursor } from './byte-cursor.js';
import { cutShort, type Seekable } from './seekable.js';

export interface Pieces {
  /** Of one request. */
  readonly pieceBytes?: number;
  /** Requests that run, or have been answered, beyond the one that is waited for. */
  readonly ahead?: number;
}

/** A range in pieces, in order, several of them asked for at once. Memory: `ahead` pieces and one. */
export async function* inPieces(
  read: Seekable['read'],
  { offset, length, pieceBytes = 8 * 1024 * 1024, ahead = 3 }: Pieces & { readonly offset: bigint; readonly length: bigint },
): AsyncGenerator<Buffer, void> {
  const asked: Promise<Buffer>[] = [];
  const end = offset + length;
  for (let at = offset; at < end || asked.length > 0; ) {
    while (at < end && asked.length <= ahead) {
      const bytes = end - at < BigInt(pieceBytes) ? Number(end - at) : pieceBytes;
      const piece = read(at, bytes);
      // Nobody may come for it any more, where an earlier one failed.
      piece.catch(() => undefined);
      asked.push(piece);
      at += BigInt(bytes);
    }
    const piece = await asked.shift();
    if (piece !== undefined) yield piece;
  }
}

/** The same bytes for one reader who takes them in order, without gaps; a jump begins anew. Does not close what it reads. */
export class Sequential implements Seekable {
  readonly name: string;
  readonly size: bigint;
  readonly #bytes: Seekable;
  readonly #pieces: Pieces;
  #cursor = new ByteCursor(nothing());
  #at = -1n;

  constructor(bytes: Seekable, pieces: Pieces = {}) {
    this.name = bytes.name;
    this.size = bytes.size;
    this.#bytes = bytes;
    this.#pieces = pieces;
  }

  async read(offset: bigint, length: number): Promise<Buffer> {
    this.#check(offset, BigInt(length));
    await this.#seek(offset);
    const taken = await this.#cursor.exactly(length);
    this.#at += BigInt(taken.length);
    return taken;
  }

  async *stream(offset: bigint, length: bigint): AsyncGenerator<Buffer> {
    this.#check(offset, length);
    for (let at = offset; at < offset + length; ) {
      await this.#seek(at);
      const slice = await this.#cursor.slice(Number(offset + length - at));
      if (slice === undefined) return;
      this.#at += BigInt(slice.length);
      at += BigInt(slice.length);
      yield slice;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cursor.close();
  }

  #check(offset: bigint, length: bigint): void {
    if (offset + length > this.size) throw cutShort(this.name, { offset, got: Number(this.size - offset), of: Number(length) });
  }

  async #seek(offset: bigint): Promise<void> {
    if (offset === this.#at) return;
    await this.#cursor.close();
    const read: Seekable['read'] = (from, bytes) => this.#bytes.read(from, bytes);
    this.#cursor = new ByteCursor(inPieces(read, { ...this.#pieces, offset, length: this.size - offset }));
    this.#at = offset;
  }
}

async function* nothing(): AsyncGenerator<Buffer> {}
