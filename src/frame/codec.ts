// What every zstd codec is to the rest of the code. Which one there is, is zstd.ts's to find out.
import type { Transform } from 'node:stream';
import type { CompressionParameters } from './compression-parameters.js';

export interface CompressOptions {
  /** Of compression-parameters.ts; absent: those of the level for data that is not known. */
  readonly parameters?: CompressionParameters | undefined;
  /** Memory that the frame may be put into instead of new memory, where it has room for the worst case: `frameBound` of the input. */
  readonly output?: ArrayBuffer | undefined;
}

/** The most bytes that a frame of `rawBytes` can have: https://facebook.github.io/zstd/zstd_manual.html, ZSTD_compressBound. */
export function frameBound(rawBytes: number): number {
  return rawBytes + Math.ceil(rawBytes / 256) + 1024;
}

/** Compresses and decompresses, synchronously: calls of more than a few kilobytes belong in worker threads. */
export interface Codec {
  readonly name: 'zstd-napi' | 'node:zlib';
  /** One frame with content size and content checksum. The result has an ArrayBuffer to itself, so that it can be transferred. */
  compress(input: Uint8Array, level: number, options?: CompressOptions): Buffer;
  /** The content of exactly one frame. Throws if that is not `rawBytes` long, or damaged; never allocates more than `rawBytes`.
   *  @param allocate where memory for it comes from, if not from Node.js; not asked where a codec cannot make use of it */
  decompress(frame: Uint8Array, rawBytes: number, allocate?: (bytes: number) => Buffer): Buffer;
  /** One frame with content checksum out of all that is written; with content size where `rawBytes` says how much that will be. */
  compressStream(level: number, rawBytes?: number): Transform;
  /** The content of the one frame that is written, in pieces of about 128 KiB, made no faster than they are read. For decompressed.ts. */
  decompressStream(): Transform;
}
