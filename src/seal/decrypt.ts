// Decrypts any part of an age file at any time. Each chunk is proven before a byte of it is given out, and the last chunk when the file is
// opened, so that one that is cut short is found before it is read. What comes from a pipe is for decrypt-stream.ts.
import type { Seekable } from '../frame/seekable.js';
import { type FileKey, headerEnd, type Identities, isAge, magicBytes, unwrapFileKey } from './age-keys.js';
import { chunkBytes, inChunks, nonceBytes, openChunk, payloadKey, payloadSizes, sealedBytes } from './age-payload.js';
import { cutHeader, damaged, headerLimit, noIdentity } from './decrypt-errors.js';

const firstRead = 16 * 1024;

/** The same bytes, decrypted where they are an age file; others as they are. Closing it closes them; where this fails, they stay open.
 *  @param identities undefined: none was given  @throws TidemarkError IDENTITY_MISSING, ARCHIVE_CORRUPT, ARCHIVE_TRUNCATED */
export async function decrypted(bytes: Seekable, identities: Identities | undefined): Promise<Seekable> {
  const { name, size } = bytes;
  if (size < BigInt(magicBytes) || !isAge(await bytes.read(0n, magicBytes))) return bytes;
  if (identities === undefined) throw noIdentity(name);
  for (let length = firstRead; ; length *= 4) {
    const beginning = await bytes.read(0n, size < BigInt(length) ? Number(size) : length);
    const end = headerEnd(beginning);
    if (end !== undefined) return AgeBytes.withKey(bytes, await unwrapFileKey(beginning.subarray(0, end), { identities, name }));
    if (size <= BigInt(length)) throw damaged('ARCHIVE_TRUNCATED', name, cutHeader);
    if (length >= headerLimit) throw damaged('ARCHIVE_CORRUPT', name, `its header has more than ${headerLimit} bytes`);
  }
}

/** Chunks of a payload, by their numbers. */
interface Chunks {
  readonly from: number;
  readonly to: number;
}

export class AgeBytes implements Seekable {
  readonly name: string;
  readonly size: bigint;
  readonly #bytes: Seekable;
  readonly #key: Buffer;
  /** Where the first chunk begins. */
  readonly #start: bigint;
  readonly #chunks: number;
  /** The last two chunks, decrypted: the end of an archive is what is read of it first. */
  #tail: Buffer = Buffer.alloc(0);

  private constructor(
    bytes: Seekable,
    place: { readonly key: Buffer; readonly start: bigint; readonly chunks: number; readonly size: bigint },
  ) {
    this.name = bytes.name;
    this.#bytes = bytes;
    this.size = place.size;
    this.#key = place.key;
    this.#start = place.start;
    this.#chunks = place.chunks;
  }

  /** @throws TidemarkError ARCHIVE_CORRUPT, ARCHIVE_TRUNCATED */
  static async withKey(bytes: Seekable, { key, header }: FileKey): Promise<AgeBytes> {
    const start = BigInt(header.length + nonceBytes);
    if (bytes.size < start) throw damaged('ARCHIVE_TRUNCATED', bytes.name, 'it is cut short behind its header');
    const sizes = payloadSizes(bytes.size - start);
    if (sizes === undefined) throw damaged('ARCHIVE_TRUNCATED', bytes.name, 'it is cut short: no chunk of age ends where it ends');
    const nonce = await bytes.read(BigInt(header.length), nonceBytes);
    const { chunks, plain } = sizes;
    const opened = new AgeBytes(bytes, { key: payloadKey(key, nonce), start, chunks, size: plain });
    await opened.#readTail();
    return opened;
  }

  async read(offset: bigint, length: number): Promise<Buffer> {
    if (offset + BigInt(length) > this.size) {
      throw damaged('ARCHIVE_TRUNCATED', this.name, `it has ${this.size} bytes, and ${offset + BigInt(length)} were to be there`);
    }
    // Of its own, never a slice of the pool: it may be handed to another thread.
    const buffer = Buffer.allocUnsafeSlow(length);
    const tail = this.size - BigInt(this.#tail.length);
    if (offset >= tail) {
      this.#tail.copy(buffer, 0, Number(offset - tail), Number(offset - tail) + length);
      return buffer;
    }
    if (length === 0) return buffer;
    const chunks = chunksOf(offset, BigInt(length));
    const sealed = await this.#bytes.read(this.#sealedAt(chunks.from), this.#sealedLength(chunks));
    let filled = 0;
    let skip = Number(offset % BigInt(chunkBytes));
    for (let chunk = chunks.from; chunk < chunks.to; chunk += 1) {
      const at = (chunk - chunks.from) * sealedBytes;
      filled += this.#open(sealed.subarray(at, at + sealedBytes), chunk).copy(buffer, filled, skip);
      skip = 0;
    }
    return buffer;
  }

  async *stream(offset: bigint, length: bigint): AsyncGenerator<Buffer> {
    if (offset + length > this.size) {
      throw damaged('ARCHIVE_TRUNCATED', this.name, `it has ${this.size} bytes, and ${offset + length} were to be there`);
    }
    if (length === 0n) return;
    const chunks = chunksOf(offset, length);
    let skip = Number(offset % BigInt(chunkBytes));
    let left = length;
    let chunk = chunks.from;
    const source = this.#bytes.stream(this.#sealedAt(chunk), BigInt(this.#sealedLength(chunks)));
    for await (const sealed of inChunks(source)) {
      const plain = this.#open(sealed, chunk);
      const piece = plain.subarray(skip, skip + Number(lesser(left, BigInt(chunkBytes))));
      skip = 0;
      chunk += 1;
      left -= BigInt(piece.length);
      yield piece;
    }
    if (left > 0n) throw damaged('ARCHIVE_TRUNCATED', this.name, `it ends within chunk ${chunk}`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#bytes[Symbol.asyncDispose]());
  }

  #sealedAt(chunk: number): bigint {
    return this.#start + BigInt(chunk) * BigInt(sealedBytes);
  }

  #sealedLength({ from, to }: Chunks): number {
    const end = this.#sealedAt(to);
    return Number(lesser(end, this.#bytes.size) - this.#sealedAt(from));
  }

  #open(sealed: Buffer, chunk: number): Buffer {
    const plain = openChunk(this.#key, sealed, { chunk, last: chunk === this.#chunks - 1 });
    if (plain !== undefined) return plain;
    throw damaged('ARCHIVE_CORRUPT', this.name, `chunk ${chunk} of ${this.#chunks}, at offset ${this.#sealedAt(chunk)}, was altered`);
  }

  async #readTail(): Promise<void> {
    const to = this.#chunks;
    const from = Math.max(0, to - 2);
    const sealed = await this.#bytes.read(this.#sealedAt(from), this.#sealedLength({ from, to }));
    const last = sealed.subarray((to - 1 - from) * sealedBytes);
    if (openChunk(this.#key, last, { chunk: to - 1, last: false }) !== undefined) {
      throw damaged('ARCHIVE_TRUNCATED', this.name, `it is cut short behind its chunk ${to}, which is not the last one`);
    }
    const plain = [];
    for (let chunk = from; chunk < to; chunk += 1) {
      const at = (chunk - from) * sealedBytes;
      plain.push(this.#open(sealed.subarray(at, at + sealedBytes), chunk));
    }
    this.#tail = Buffer.concat(plain);
  }
}

function lesser(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}

/** The chunks that a range of at least one plain byte lies in. */
function chunksOf(offset: bigint, length: bigint): Chunks {
  const size = BigInt(chunkBytes);
  return { from: Number(offset / size), to: Number((offset + length - 1n) / size) + 1 };
}
