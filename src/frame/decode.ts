// Gives a member's body back out of its frames, and only after everything that the manifest says of it was found true: SHA-256 first,
// before a single byte is decompressed; then sizes, tar header, padding. Where the bytes come from is the caller's business.
import { createHash } from 'node:crypto';
import { TidemarkError } from '../model/errors.js';
import type { StoredMember } from '../model/manifest.js';
import { ByteCursor } from './byte-cursor.js';
import type { Codec } from './codec.js';
import { decompressed } from './decompressed.js';
import type { Seekable } from './seekable.js';
import { paddingOf, parseTarHeader, tarBlock, tarBytes } from './tar.js';

/** Members whose frames hold more than this are read as streams, in bytes: a chunk is far smaller, a spooled row can be 1 GiB. */
export const wholeMemberLimit = 32 * 1024 * 1024;

/** An ARCHIVE_CORRUPT that names the member and where it lies. */
export function corruptMember(stored: { readonly member: string; readonly offset: bigint }, what: string, cause?: unknown): TidemarkError {
  return new TidemarkError('ARCHIVE_CORRUPT', `read member ${stored.member} at offset ${stored.offset}: ${what}`, {
    hint: 'the archive was altered after it was written: use another copy of it',
    details: { member: stored.member, offset: stored.offset },
    cause,
  });
}

/** Bytes of tar that the member's frames hold: header, body, padding. */
export function tarBytesOf(stored: StoredMember): number {
  return stored.frames.reduce((sum, frame) => sum + frame.raw, 0);
}

/** True where `decodeMember` takes the member, false where it has to be streamed. */
export function fitsWhole(stored: StoredMember): boolean {
  return tarBytesOf(stored) <= wholeMemberLimit;
}

/** What must hold of the sizes among themselves, before any of them is used. */
function checkSizes(stored: StoredMember): void {
  const compressed = stored.frames.reduce((sum, frame) => sum + frame.compressed, 0);
  if (BigInt(compressed) !== stored.length) throw corruptMember(stored, `its frames have ${compressed} bytes, not ${stored.length}`);
  const raw = tarBytesOf(stored);
  if (raw !== tarBytes(Number(stored.rawBytes)))
    throw corruptMember(stored, `its frames hold ${raw} bytes of tar for a body of ${stored.rawBytes}`);
}

function checkHeader(block: Uint8Array, stored: StoredMember): void {
  let header: ReturnType<typeof parseTarHeader>;
  try {
    header = parseTarHeader(block);
  } catch (error) {
    throw corruptMember(stored, error instanceof Error ? error.message : String(error), error);
  }
  if (header.name !== stored.member) throw corruptMember(stored, `its tar header is of ${header.name}`);
  if (BigInt(header.bytes) !== stored.rawBytes)
    throw corruptMember(stored, `its tar header says ${header.bytes} bytes, not ${stored.rawBytes}`);
}

function checkPadding(padding: Uint8Array, stored: StoredMember): void {
  if (padding.some((byte) => byte !== 0)) throw corruptMember(stored, 'its padding is not of zeros');
}

export interface DecodeOptions {
  /** Of tar bytes. */
  readonly limit?: number;
  /** Where memory for what is decompressed comes from, of a member that is one frame. */
  readonly allocate?: (bytes: number) => Buffer;
}

/**
 * The body of a member, out of all bytes of its frames; a view of what was decompressed, not a copy of it.
 * Throws ARCHIVE_CORRUPT where hash, sizes, tar header or padding are not as `stored` says, and where the member passes `limit` bytes.
 */
export function decodeMember(
  codec: Codec,
  bytes: Uint8Array,
  stored: StoredMember,
  { limit = wholeMemberLimit, allocate }: DecodeOptions = {},
): Buffer {
  checkSizes(stored);
  if (tarBytesOf(stored) > limit) throw corruptMember(stored, `it holds ${tarBytesOf(stored)} bytes, too many to be read at once`);
  if (BigInt(bytes.length) !== stored.length) throw corruptMember(stored, `there are ${bytes.length} bytes of it, not ${stored.length}`);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== stored.sha256) throw corruptMember(stored, `its SHA-256 is ${sha256}, not ${stored.sha256}`);
  const pieces: Buffer[] = [];
  // What is decompressed into the same memory again would be gone with the next frame.
  const memory = stored.frames.length === 1 ? allocate : undefined;
  let at = 0;
  for (const frame of stored.frames) {
    try {
      pieces.push(codec.decompress(bytes.subarray(at, at + frame.compressed), frame.raw, memory));
    } catch (error) {
      throw corruptMember(stored, `its frame cannot be decompressed: ${error instanceof Error ? error.message : String(error)}`, error);
    }
    at += frame.compressed;
  }
  const [first, second, ...more] = pieces;
  // A spooled member has its tar header in a frame alone: no need then to join the two.
  const headerAlone = first?.length === tarBlock && second !== undefined && more.length === 0;
  const whole = pieces.length === 1 && first !== undefined ? first : headerAlone ? undefined : Buffer.concat(pieces);
  checkHeader((headerAlone ? first : whole) ?? Buffer.alloc(0), stored);
  const rest = (headerAlone ? second : whole?.subarray(tarBlock)) ?? Buffer.alloc(0);
  const bodyBytes = Number(stored.rawBytes);
  checkPadding(rest.subarray(bodyBytes), stored);
  return rest.subarray(0, bodyBytes);
}

/** All bytes of a member's frames. Throws ARCHIVE_TRUNCATED where the archive ends before. */
export function readFrames(bytes: Seekable, stored: StoredMember): Promise<Buffer> {
  return bytes.read(stored.offset, Number(stored.length));
}

/**
 * The body of a member of any size, piece by piece. The first pass, before this resolves, hashes the frames where they lie; only the
 * second decompresses. Memory: a few megabytes. Throws (at once or while iterating) as `decodeMember`.
 */
export async function openMemberStream(codec: Codec, bytes: Seekable, stored: StoredMember): Promise<AsyncIterable<Buffer>> {
  checkSizes(stored);
  const hash = createHash('sha256');
  for await (const piece of bytes.stream(stored.offset, stored.length)) hash.update(piece);
  const sha256 = hash.digest('hex');
  if (sha256 !== stored.sha256) throw corruptMember(stored, `its SHA-256 is ${sha256}, not ${stored.sha256}`);
  return bodyOf(decompressed(codec, bytes.stream(stored.offset, stored.length)), stored);
}

/** The body out of the tar bytes of one member, which must be as `stored` says and end with it. */
export async function* bodyOf(tar: AsyncIterable<Uint8Array>, stored: StoredMember): AsyncGenerator<Buffer> {
  const cursor = new ByteCursor(tar);
  const guard = async <T>(step: Promise<T>): Promise<T> => {
    try {
      return await step;
    } catch (error) {
      if (error instanceof TidemarkError) throw error;
      throw corruptMember(stored, `its frame cannot be decompressed: ${error instanceof Error ? error.message : String(error)}`, error);
    }
  };
  try {
    checkHeader(await guard(cursor.exactly(tarBlock)), stored);
    let left = Number(stored.rawBytes);
    while (left > 0) {
      const slice = await guard(cursor.slice(left));
      if (slice === undefined) throw corruptMember(stored, `its body ends ${left} bytes too early`);
      left -= slice.length;
      yield slice;
    }
    const padding = await guard(cursor.exactly(paddingOf(Number(stored.rawBytes))));
    if (padding.length !== paddingOf(Number(stored.rawBytes))) throw corruptMember(stored, 'its padding ends too early');
    checkPadding(padding, stored);
    if ((await guard(cursor.slice(1))) !== undefined) throw corruptMember(stored, 'bytes follow its padding');
  } finally {
    await cursor.close();
  }
}
