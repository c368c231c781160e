// Finds where zstd frames begin and end by their headers and block headers alone (RFC 8878, sections 3.1.1 and 3.1.2), without
// decompressing. A pipe has no seek table to look into, and sizes are known here before anything is allocated for them.
import { TidemarkError } from '../model/errors.js';

export const zstdMagic = 0xfd2fb528;
/** Skippable frames have sixteen magics, the last four bits are free: 0x184D2A50 to 0x184D2A5F. */
export const skippableMagic = 0x184d2a50;

const blockMaximum = 128 * 1024;

export type FrameHeader =
  | { readonly kind: 'skippable'; readonly magic: number; readonly headerBytes: 8; readonly contentSize: number }
  | {
      readonly kind: 'zstd';
      readonly headerBytes: number;
      /** Bytes that the frame decompresses to, where the header says so. */
      readonly contentSize: number | undefined;
      readonly windowSize: number;
      readonly dictionaryId: number;
      readonly checksum: boolean;
    };

/** Number of bytes of a frame's header (with magic), from as many as are there; undefined: not enough to tell. */
function headerLength(bytes: Uint8Array): number | undefined {
  if (bytes.length < 5) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint32(0, true);
  if ((magic & 0xfffffff0) === skippableMagic) return 8;
  if (magic !== zstdMagic) throw new RangeError(`no zstd frame begins with ${magic.toString(16).padStart(8, '0')}`);
  const descriptor = view.getUint8(4);
  const single = (descriptor & 0x20) !== 0;
  const contentBytes = [single ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  return 5 + (single ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] ?? 0) + contentBytes;
}

function littleEndian(bytes: Uint8Array, from: number, length: number): number {
  let value = 0;
  for (let i = length - 1; i >= 0; i--) value = value * 256 + (bytes[from + i] ?? 0);
  return value;
}

/** Parses a whole header. Throws RangeError where it breaks the format or where a size passes 2^53. */
function parseHeader(bytes: Uint8Array): FrameHeader {
  const magic = littleEndian(bytes, 0, 4);
  if (magic !== zstdMagic) return { kind: 'skippable', magic, headerBytes: 8, contentSize: littleEndian(bytes, 4, 4) };
  const descriptor = bytes[4] ?? 0;
  if ((descriptor & 0x08) !== 0) throw new RangeError('the reserved bit of the frame header is set');
  const single = (descriptor & 0x20) !== 0;
  let at = 5;
  let windowSize = 0;
  if (!single) {
    const window = bytes[at++] ?? 0;
    const base = 2 ** (10 + (window >> 3));
    windowSize = base + (base / 8) * (window & 7);
  }
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const dictionaryId = littleEndian(bytes, at, dictionaryBytes);
  at += dictionaryBytes;
  const contentBytes = bytes.length - at;
  // A content size of two bytes is stored less 256, since smaller ones fit into one byte.
  const contentSize = contentBytes === 0 ? undefined : littleEndian(bytes, at, contentBytes) + (contentBytes === 2 ? 256 : 0);
  if (contentSize !== undefined && !Number.isSafeInteger(contentSize)) throw new RangeError('the content size passes 2^53');
  if (single) windowSize = contentSize ?? 0;
  return { kind: 'zstd', headerBytes: bytes.length, contentSize, windowSize, dictionaryId, checksum: (descriptor & 0x04) !== 0 };
}

/**
 * Walks one frame after the other. `feed` takes bytes and stops at each point of interest: `header` is set once it is known, `ended`
 * once the frame is complete; then `next` begins another frame. Memory: the few bytes of one header.
 */
export class FrameWalker {
  /** Offset in the stream of the current frame. */
  offset = 0n;
  /** Bytes of the current frame that were fed. */
  length = 0;
  header: FrameHeader | undefined;
  ended = false;
  /** What the frame decompresses to at most, by its blocks so far: exact for raw and RLE blocks, 128 KiB for a compressed one. */
  rawBound = 0;

  /** Bytes of a header (frame or block) that came in pieces. */
  readonly #pending = Buffer.alloc(18);
  #pendingLength = 0;
  /** Bytes to pass over before the next header of a block, or before the end. */
  #skip = 0;
  #lastBlock = false;

  /** True between frames: nothing of the current one was fed. */
  get idle(): boolean {
    return this.length === 0;
  }

  /**
   * Takes bytes from `from` on, and answers how many it took: up to the end of the header (once), to the end of the frame, or all.
   * Throws TidemarkError ARCHIVE_CORRUPT where the bytes are no zstd frame.
   */
  feed(bytes: Uint8Array, from = 0): number {
    let at = from;
    try {
      while (at < bytes.length && !this.ended) {
        if (this.header === undefined) {
          at += this.#takeHeader(bytes, at);
          if (this.header !== undefined) break;
        } else if (this.#skip > 0) {
          const skipped = Math.min(this.#skip, bytes.length - at);
          this.#skip -= skipped;
          at += skipped;
          if (this.#skip === 0 && this.#lastBlock) this.ended = true;
        } else {
          at += this.#takeBlockHeader(bytes, at);
        }
      }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new TidemarkError('ARCHIVE_CORRUPT', `read the zstd frame at offset ${this.offset}: ${error.message}`, {
        details: { offset: this.offset },
        cause: error,
      });
    }
    this.length += at - from;
    return at - from;
  }

  /** Begins the frame after the one that ended. */
  next(): void {
    this.offset += BigInt(this.length);
    this.length = 0;
    this.header = undefined;
    this.ended = false;
    this.rawBound = 0;
    this.#pendingLength = 0;
    this.#skip = 0;
    this.#lastBlock = false;
  }

  #takeHeader(bytes: Uint8Array, from: number): number {
    let at = from;
    for (;;) {
      const length = headerLength(this.#pending.subarray(0, this.#pendingLength)) ?? 5;
      if (this.#pendingLength === length) break;
      const byte = bytes[at];
      if (byte === undefined) return at - from;
      this.#pending[this.#pendingLength++] = byte;
      at += 1;
    }
    const header = parseHeader(this.#pending.subarray(0, this.#pendingLength));
    this.header = header;
    this.#pendingLength = 0;
    if (header.kind === 'skippable') {
      this.#skip = header.contentSize;
      this.#lastBlock = true;
      if (header.contentSize === 0) this.ended = true;
    }
    return at - from;
  }

  #takeBlockHeader(bytes: Uint8Array, from: number): number {
    let at = from;
    while (this.#pendingLength < 3) {
      const byte = bytes[at];
      if (byte === undefined) return at - from;
      this.#pending[this.#pendingLength++] = byte;
      at += 1;
    }
    const block = littleEndian(this.#pending, 0, 3);
    this.#pendingLength = 0;
    const type = (block >> 1) & 3;
    const size = block >> 3;
    const header = this.header;
    if (header?.kind !== 'zstd') throw new RangeError('a block outside of a zstd frame');
    const maximum = Math.min(blockMaximum, header.windowSize);
    if (type === 3) throw new RangeError('a block of the reserved type');
    if (size > maximum) throw new RangeError(`a block of ${size} bytes where ${maximum} are allowed`);
    this.rawBound += type === 2 ? maximum : size;
    this.#skip = type === 1 ? 1 : size;
    if ((block & 1) !== 0) {
      this.#lastBlock = true;
      this.#skip += header.checksum ? 4 : 0;
      if (this.#skip === 0) this.ended = true;
    }
    return at - from;
  }
}

export interface WholeFrame {
  readonly header: FrameHeader;
  readonly rawBound: number;
}

/** Reads the structure of exactly one whole frame. Throws ARCHIVE_CORRUPT where the bytes are less, more or something else. */
export function walkFrame(bytes: Uint8Array): WholeFrame {
  const walker = new FrameWalker();
  let at = walker.feed(bytes);
  if (walker.header !== undefined && !walker.ended) at += walker.feed(bytes, at);
  if (walker.header === undefined || !walker.ended) throw new TidemarkError('ARCHIVE_CORRUPT', 'read a zstd frame: it ends too early');
  if (at !== bytes.length) throw new TidemarkError('ARCHIVE_CORRUPT', `read a zstd frame: ${bytes.length - at} more bytes follow it`);
  return { header: walker.header, rawBound: walker.rawBound };
}
