// Gathers the rows of one range into chunks: whole rows, about `chunkBytes` each, every chunk valid alone as COPY input. A row that does
// not fit into the buffer is spooled to disk, so memory stays the same whatever a row's size.
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { headroom } from '../frame/encode.js';
import type { CopyFormat } from '../model/catalog.js';
import { TidemarkError } from '../model/errors.js';
import { fileError } from '../model/file-error.js';
import type { CopyTarget } from '../pg/copy-data-decoder.js';

/** A finished chunk: body at buffer[headroom .. headroom + bodyBytes), or in the file at `spooled`. Valid until `take` returns. */
export interface BuiltChunk {
  readonly rows: bigint;
  readonly bodyBytes: number;
  readonly buffer: Buffer;
  readonly spooled: string | undefined;
}

export interface ChunkBuilderOptions {
  readonly format: CopyFormat;
  /** Binary rows alone, without header and trailer around each chunk. */
  readonly bare?: boolean;
  /** A chunk is closed at the first row end at or past this many bytes. */
  readonly chunkBytes: number;
  /** Path for the body of a chunk that does not fit; made and removed by the builder's owner through `BuiltChunk.spooled`. */
  spoolPath(): string;
  /** Takes a finished chunk, at once. */
  take(chunk: BuiltChunk): void;
}

// https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.4: signature, flags, length of the header extension.
const binaryHeader = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const binaryTrailer = Buffer.from([0xff, 0xff]);
const newline = 0x0a;
/** Room after the chunk's end: for the row that passes the limit, and for what one read of the socket brings. */
const slack = 1 << 20;

export class ChunkBuilder implements CopyTarget {
  buffer: Buffer;
  offset = headroom;
  full = false;
  onRoom: (() => void) | undefined;
  /** Rows of all chunks so far, the open one included. */
  rows = 0n;
  readonly #options: ChunkBuilderOptions;
  readonly #binary: boolean;
  /** Binary chunks are valid alone. */
  readonly #enclosed: boolean;
  readonly #limit: number;
  readonly #room: number;
  #chunkRows = 0;
  #first = true;
  #trailerSeen = false;
  #spool: { readonly path: string; readonly fd: number; bytes: number } | undefined;

  /** @param buffer from `allocate`, so that a worker reuses it from range to range */
  constructor(options: ChunkBuilderOptions, buffer: Buffer) {
    this.#options = options;
    this.#binary = options.format === 'binary';
    this.#enclosed = this.#binary && !options.bare;
    this.#limit = headroom + options.chunkBytes;
    this.#room = buffer.length - headroom;
    this.buffer = buffer;
  }

  /** A buffer as the builder needs it: tar header before, the chunk, slack, padding after. */
  static allocate(chunkBytes: number): Buffer {
    return Buffer.allocUnsafeSlow(ChunkBuilder.bytesFor(chunkBytes));
  }

  static bytesFor(chunkBytes: number): number {
    return headroom + 2 * chunkBytes + 2 * slack + headroom;
  }

  room(bytes: number): void {
    if (this.offset + bytes > this.#room) this.#spoolOut();
  }

  message(bytes: number): void {
    if (this.#binary) {
      if (this.#isTrailer(bytes)) {
        this.#trailerSeen = true;
        return;
      }
    } else if (this.buffer[this.offset - 1] !== newline) {
      throw new TidemarkError('COPY_INCOMPLETE', 'copy a table out: a row does not end at the end of its message');
    }
    if (this.#headerIsOpen()) {
      this.buffer.copyWithin(headroom, headroom + binaryHeader.length, this.offset);
      this.offset -= binaryHeader.length;
    }
    this.#chunkRows += 1;
    if (this.offset >= this.#limit || this.#spool) this.#close();
  }

  /** The end of the range: closes the last chunk. Call once COPY has ended well. @throws TidemarkError COPY_INCOMPLETE without a binary trailer */
  end(): void {
    if (this.#binary && !this.#trailerSeen) throw new TidemarkError('COPY_INCOMPLETE', 'copy a table out: the binary trailer is missing');
    if (this.#chunkRows > 0) this.#close();
  }

  /** Removes what a chunk that was never finished left on disk. */
  discard(): void {
    if (!this.#spool) return;
    closeSync(this.#spool.fd);
    unlinkSync(this.#spool.path);
    this.#spool = undefined;
  }

  /** The server sends the file header together with the first row, and the trailer by itself (with the header where there are no rows).
   *  The first chunk keeps the server's header, later ones get their own. */
  #isTrailer(bytes: number): boolean {
    const headerToo = this.#first && this.#chunkRows === 0 && !this.#spool;
    if (bytes !== (headerToo ? binaryHeader.length : 0) + binaryTrailer.length) return false;
    if (!this.buffer.subarray(this.offset - 2, this.offset).equals(binaryTrailer)) return false;
    this.offset -= bytes;
    return true;
  }

  /** The server's header lies at the beginning of the buffer, and is not wanted. */
  #headerIsOpen(): boolean {
    return this.#binary && !this.#enclosed && this.#first && this.#chunkRows === 0 && this.#spool === undefined;
  }

  #close(): void {
    if (this.#enclosed) this.offset += binaryTrailer.copy(this.buffer, this.offset);
    const rows = BigInt(this.#chunkRows);
    if (this.#spool) this.#spoolOut();
    const spool = this.#spool;
    if (spool) closeSync(spool.fd);
    this.#spool = undefined;
    this.rows += rows;
    this.#options.take({ rows, bodyBytes: spool ? spool.bytes : this.offset - headroom, buffer: this.buffer, spooled: spool?.path });
    this.#chunkRows = 0;
    this.#first = false;
    this.offset = headroom;
    if (this.#enclosed) this.offset += binaryHeader.copy(this.buffer, this.offset);
  }

  #spoolOut(): void {
    const path = this.#spool?.path ?? this.#options.spoolPath();
    let from = this.#headerIsOpen() ? headroom + binaryHeader.length : headroom;
    const bytes = this.offset - from;
    try {
      this.#spool ??= { path, fd: openSync(path, 'wx', 0o600), bytes: 0 };
      while (from < this.offset) from += writeSync(this.#spool.fd, this.buffer, from, this.offset - from);
    } catch (error) {
      throw fileError(error, `write a large row to ${path}`);
    }
    this.#spool.bytes += bytes;
    this.offset = headroom;
  }
}
