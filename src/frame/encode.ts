// Makes a member's frames: tar header, body and padding, compressed and hashed; or the body alone, for files that are no archive. Runs in
// the workers, next to the bytes; where the frames come to lie is the writer's business.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { TidemarkError } from '../model/errors.js';
import { fileError, isSystemError } from '../model/file-error.js';
import type { FrameSize } from '../model/manifest.js';
import type { Codec, CompressOptions } from './codec.js';
import { paddingOf, tarBlock, tarBytes, tarHeader, writeTarHeader } from './tar.js';

/** Bytes to leave free before the body in the buffer of `encodeMember`: the tar header goes there. */
export const headroom = tarBlock;
/** Bytes to leave free after the body: the padding goes there. */
export const tailroom = tarBlock - 1;

/** The most that one frame of a spooled body holds, in bytes: seek tables have 32 bits for it, readers of theirs allow 1 GiB. */
const frameLimit = 1024 ** 3;

/** A member's compressed frames, not yet placed in an archive. */
export interface EncodedMember {
  readonly name: string;
  /** Bytes of the body: without tar header and padding. */
  readonly rawBytes: number;
  readonly frames: readonly FrameSize[];
  /** SHA-256 of the compressed frames, in hex. */
  readonly sha256: string;
  /** Bytes of the compressed frames together. */
  readonly length: number;
  /** The frames; a file is removed once it was appended to an archive. */
  readonly content: { readonly kind: 'buffer'; readonly bytes: Uint8Array } | { readonly kind: 'file'; readonly path: string };
}

/** Compressed bytes as a member of one frame. */
function encoded(name: string, rawBytes: number, raw: number, bytes: Buffer): EncodedMember {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { name, rawBytes, frames: [{ compressed: bytes.length, raw }], sha256, length: bytes.length, content: { kind: 'buffer', bytes } };
}

/** A body in memory, at `buffer[headroom, headroom + bodyBytes)`. */
export interface Body extends CompressOptions {
  readonly name: string;
  readonly buffer: Uint8Array;
  readonly bodyBytes: number;
  readonly level: number;
}

/**
 * Encodes a body that lies at `buffer[headroom, headroom + bodyBytes)`. Header and padding are written into the buffer around it, so
 * that nothing is copied; `tailroom` bytes behind the body must be free. The buffer may be used again at once.
 */
export function encodeMember(codec: Codec, { name, buffer, bodyBytes, level, ...options }: Body): EncodedMember {
  const total = tarBytes(bodyBytes);
  if (total > buffer.length) throw new TidemarkError('INTERNAL', `encode ${name}: the buffer has no room for the tar padding`);
  writeTarHeader(buffer, name, bodyBytes);
  buffer.fill(0, headroom + bodyBytes, total);
  return encoded(name, bodyBytes, total, codec.compress(buffer.subarray(0, total), level, options));
}

/** Encodes the body alone, which lies where `encodeMember` has it: frames of such, one after the other, are a file of all the bodies. */
export function encodeBody(codec: Codec, { name, buffer, bodyBytes, level, ...options }: Body): EncodedMember {
  return encoded(name, bodyBytes, bodyBytes, codec.compress(buffer.subarray(headroom, headroom + bodyBytes), level, options));
}

export interface SpooledMember {
  readonly name: string;
  /** Without tar header and padding. */
  readonly bare?: boolean;
  /** The raw body on disk; stays there. */
  readonly path: string;
  readonly bodyBytes: number;
  readonly level: number;
  /** Where the frames go: a file that is not there yet. */
  readonly spoolPath: string;
  readonly signal?: AbortSignal;
  /** Bytes of the body in one frame at most; for tests, which have no gigabyte to spare. */
  readonly frameBytes?: number;
}

/**
 * Encodes a body that was too big for a buffer: one frame with the tar header, then the body with its padding, in one frame (in several
 * past 1 GiB). Memory: a few hundred kilobytes. On failure the file at `spoolPath` is removed.
 */
export async function encodeSpooledMember(codec: Codec, member: SpooledMember): Promise<EncodedMember> {
  const { name, bodyBytes, level, spoolPath, frameBytes = frameLimit } = member;
  const output = await open(spoolPath, 'wx', 0o600).catch((error: unknown) => {
    throw fileError(error, `write ${name} to ${spoolPath}`);
  });
  try {
    const hash = createHash('sha256');
    const frames: FrameSize[] = [];
    if (!member.bare) {
      const header = codec.compress(tarHeader(name, bodyBytes), level);
      hash.update(header);
      await output.writeFile(header);
      frames.push({ compressed: header.length, raw: tarBlock });
    }
    for (let start = 0; start < bodyBytes; start += frameBytes) {
      const end = Math.min(start + frameBytes, bodyBytes);
      frames.push(await spoolFrame(codec, { member, start, end, output, hash }));
    }
    const length = frames.reduce((sum, frame) => sum + frame.compressed, 0);
    return { name, rawBytes: bodyBytes, frames, sha256: hash.digest('hex'), length, content: { kind: 'file', path: spoolPath } };
  } catch (error) {
    await rm(spoolPath, { force: true });
    // Of files, and not of the codec or the signal.
    throw isSystemError(error) ? fileError(error, `write ${name} to ${spoolPath}`) : error;
  } finally {
    await output.close();
  }
}

interface SpoolFrame {
  readonly member: SpooledMember;
  /** Part of the body, in bytes. */
  readonly start: number;
  readonly end: number;
  readonly output: FileHandle;
  readonly hash: ReturnType<typeof createHash>;
}

async function spoolFrame(codec: Codec, { member, start, end, output, hash }: SpoolFrame): Promise<FrameSize> {
  const padding = end === member.bodyBytes && !member.bare ? paddingOf(member.bodyBytes) : 0;
  const raw = end - start + padding;
  let compressed = 0;
  async function* body(): AsyncGenerator<Buffer> {
    let bytes = 0;
    for await (const piece of createReadStream(member.path, { start, end: end - 1, highWaterMark: 256 * 1024 })) {
      bytes += piece.length;
      yield piece;
    }
    if (bytes !== end - start) {
      throw new TidemarkError('FILE_ERROR', `encode ${member.name}: the spooled body has ${start + bytes} bytes, not ${member.bodyBytes}`);
    }
    if (padding > 0) yield Buffer.alloc(padding);
  }
  async function write(frames: AsyncIterable<Buffer>): Promise<void> {
    for await (const piece of frames) {
      hash.update(piece);
      compressed += piece.length;
      await output.writeFile(piece);
    }
  }
  await pipeline(body, codec.compressStream(member.level, raw), write, member.signal === undefined ? {} : { signal: member.signal });
  return { compressed, raw };
}
