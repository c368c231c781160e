// Reads an archive from a pipe: members in order, each once, without seeking. The manifest comes last there, so that a member's SHA-256 is
// compared at the end only; what holds before is zstd's own checksum of each frame of up to 32 MiB.
import { ByteCursor } from '../frame/byte-cursor.js';
import type { Codec } from '../frame/codec.js';
import { wholeMemberLimit } from '../frame/decode.js';
import { decompressed } from '../frame/decompressed.js';
import { catalogMember, manifestMember } from '../frame/member-names.js';
import { paddingOf, parseTarHeader, tarBlock, tarBytes, tarEndBytes } from '../frame/tar.js';
import { TidemarkError } from '../model/errors.js';
import type { FrameSize, Manifest, StoredMember } from '../model/manifest.js';
import { checksumFrameBytes, decodeChecksumFrame, encodeChecksumFrame } from './checksum-frame.js';
import { compareSeen } from './compare-seen.js';
import { FrameSource, type SourceFrame } from './frame-source.js';
import { checkJsonBounds, jsonLimits } from './json-bounds.js';
import { checkLayout, compressedLimit, frameLimit } from './layout.js';
import { checkVersion, parseManifest } from './manifest-schema.js';
import { encodeSeekTable } from './seek-table.js';

/** A member as it comes by. Bytes that are not taken before the next member is asked for are read, checked and dropped. */
export interface StreamedMember {
  readonly name: string;
  readonly offset: bigint;
  /** Bytes of the body. */
  readonly rawBytes: bigint;
  /** The body, once, in pieces: what lies in one frame of up to 32 MiB comes only after that frame's checksum was found right. */
  body(): AsyncIterable<Buffer>;
  /** What was seen of it. Throws INTERNAL before all of the body was taken. */
  stored(): StoredMember;
  /** On the last member only: the manifest, after all that came was found to be as it says, and the archive to be complete. */
  readonly manifest?: Manifest;
}

function problem(offset: bigint, what: string, cause?: unknown): TidemarkError {
  return new TidemarkError('ARCHIVE_CORRUPT', `read the archive at offset ${offset}: ${what}`, {
    hint: 'the archive was altered after it was written: use another copy of it',
    details: { offset },
    cause,
  });
}

/** Frames of one member, as the tar bytes in them. */
class MemberFrames {
  readonly offset: bigint;
  readonly frames: FrameSize[] = [];
  readonly #source: FrameSource;
  readonly #codec: Codec;
  #first: SourceFrame | undefined;

  constructor(source: FrameSource, { codec, first }: { readonly codec: Codec; readonly first: SourceFrame }) {
    this.#source = source;
    this.#codec = codec;
    this.#first = first;
    this.offset = first.offset;
  }

  /** The content of the next frame, which must be there. */
  async *frame(): AsyncGenerator<Buffer> {
    const frame = this.#first ?? (await this.#source.next());
    this.#first = undefined;
    if (frame === undefined) throw new TidemarkError('ARCHIVE_TRUNCATED', 'read the archive: it is cut short: it ends within a member');
    const { header, offset } = frame;
    if (header.kind !== 'zstd') throw problem(offset, 'a skippable frame is where a member should be');
    if (!header.checksum) throw problem(offset, 'its frame has no checksum');
    let raw = 0;
    try {
      if (header.contentSize !== undefined && header.contentSize <= wholeMemberLimit) {
        const content = this.#codec.decompress(await frame.collect(compressedLimit(header.contentSize)), header.contentSize);
        raw = content.length;
        yield content;
      } else {
        for await (const piece of decompressed(this.#codec, frame.bytes())) {
          raw += piece.length;
          if (raw > frameLimit) throw problem(offset, `its frame holds more than ${frameLimit} bytes`);
          yield piece;
        }
      }
    } catch (error) {
      if (error instanceof TidemarkError) throw error;
      throw problem(offset, `its frame cannot be decompressed: ${error instanceof Error ? error.message : String(error)}`, error);
    }
    const compressed = this.#source.frameLength;
    if (raw === 0 || compressed > compressedLimit(raw)) throw problem(offset, `its frame has ${compressed} bytes for ${raw}`);
    this.frames.push({ compressed, raw });
  }

  get length(): bigint {
    return this.frames.reduce((sum, frame) => sum + BigInt(frame.compressed), 0n);
  }
}

/** One member: its header is read, then its body on demand. */
class Member implements StreamedMember {
  readonly name: string;
  readonly offset: bigint;
  readonly rawBytes: bigint;
  readonly #frames: MemberFrames;
  readonly #source: FrameSource;
  #cursor: ByteCursor;
  readonly #content = this.#read();
  #stored: StoredMember | undefined;

  private constructor(
    source: FrameSource,
    { frames, cursor, header }: { frames: MemberFrames; cursor: ByteCursor; header: { name: string; bytes: number } },
  ) {
    this.#source = source;
    this.#frames = frames;
    this.#cursor = cursor;
    this.name = header.name;
    this.offset = frames.offset;
    this.rawBytes = BigInt(header.bytes);
  }

  static async begin(source: FrameSource, { codec, first }: { readonly codec: Codec; readonly first: SourceFrame }): Promise<Member> {
    source.beginMember();
    const frames = new MemberFrames(source, { codec, first });
    const cursor = new ByteCursor(frames.frame());
    try {
      return new Member(source, { frames, cursor, header: parseTarHeader(await cursor.exactly(tarBlock)) });
    } catch (error) {
      if (error instanceof RangeError) throw problem(first.offset, error.message, error);
      throw error;
    }
  }

  async *body(): AsyncGenerator<Buffer> {
    // Leaving a loop early ends this generator, not the one behind it: `drain` goes on there.
    for (;;) {
      const { done, value } = await this.#content.next();
      if (done) return;
      yield value;
    }
  }

  stored(): StoredMember {
    if (this.#stored === undefined) throw new TidemarkError('INTERNAL', `read member ${this.name}: its body was not read to the end`);
    return this.#stored;
  }

  /** Reads what was left, so that all of the archive is checked. */
  async drain(): Promise<void> {
    for await (const _ of this.#content);
  }

  async *#read(): AsyncGenerator<Buffer> {
    let left = Number(this.rawBytes);
    while (left > 0) {
      const slice = await this.#slice(left);
      left -= slice.length;
      yield slice;
    }
    const zeros = paddingOf(Number(this.rawBytes)) + (this.name === manifestMember ? tarEndBytes : 0);
    for (left = zeros; left > 0; ) {
      const slice = await this.#slice(left);
      if (slice.some((byte) => byte !== 0)) throw problem(this.offset, `the padding of member ${this.name} is not of zeros`);
      left -= slice.length;
    }
    if ((await this.#cursor.slice(1)) !== undefined) throw problem(this.offset, `bytes follow member ${this.name} in its frame`);
    const { offset, name: member, rawBytes } = this;
    const { frames, length } = this.#frames;
    this.#stored = { member, offset, length, frames, rawBytes, sha256: this.#source.endMember() };
  }

  /** Some bytes of the member, out of its next frame where this one ended. */
  async #slice(limit: number): Promise<Buffer> {
    for (;;) {
      const slice = await this.#cursor.slice(limit);
      if (slice !== undefined) return slice;
      this.#cursor = new ByteCursor(this.#frames.frame());
    }
  }
}

/**
 * The members of an archive in order, the manifest last. When the manifest is given out, everything was checked that can be: every
 * member against it, checksum, seek table, and that nothing follows; a loop that ends without it never happens.
 * Throws ARCHIVE_INVALID for what is no archive, ARCHIVE_TRUNCATED, ARCHIVE_CORRUPT, ARCHIVE_TOO_NEW.
 */
export async function* readArchiveStream(input: AsyncIterable<Uint8Array>, codec: Codec): AsyncGenerator<StreamedMember, void, undefined> {
  const source = new FrameSource(input);
  const seen: StoredMember[] = [];
  try {
    for (;;) {
      const member = await beginMember(source, codec, seen.length === 0);
      if (member.name === manifestMember) {
        yield await endOfArchive(source, { last: member, seen });
        return;
      }
      yield member;
      await member.drain();
      seen.push(member.stored());
    }
  } finally {
    await source.close();
  }
}

async function beginMember(source: FrameSource, codec: Codec, isFirst: boolean): Promise<Member> {
  try {
    const first = await source.next();
    if (first === undefined) {
      const what = isFirst ? 'it is empty' : 'it is cut short: it ends without a manifest';
      throw new TidemarkError(isFirst ? 'ARCHIVE_INVALID' : 'ARCHIVE_TRUNCATED', `read the archive: ${what}`, {
        hint: 'look whether the command that writes into the pipe failed',
      });
    }
    const member = await Member.begin(source, { codec, first });
    if (isFirst && member.name !== catalogMember) throw problem(0n, `its first member is ${member.name}`);
    // The one member that is held as a whole by whoever reads it; all others are taken in pieces.
    if (isFirst && member.rawBytes > BigInt(jsonLimits.bytes)) throw problem(0n, `its catalog has ${member.rawBytes} bytes`);
    return member;
  } catch (error) {
    if (!isFirst || !(error instanceof TidemarkError) || error.code !== 'ARCHIVE_CORRUPT') throw error;
    throw new TidemarkError('ARCHIVE_INVALID', `read the archive: it is no tidemark archive: ${error.message}`, {
      hint: 'give what `tidemark snapshot` wrote; dumps of pg_dump are restored by pg_restore or psql',
      cause: error,
    });
  }
}

/** The manifest's member, after everything behind it was read and everything before it compared. */
async function endOfArchive(
  source: FrameSource,
  { last, seen }: { readonly last: Member; readonly seen: readonly StoredMember[] },
): Promise<StreamedMember> {
  if (last.rawBytes > BigInt(jsonLimits.bytes)) throw problem(last.offset, `its manifest has ${last.rawBytes} bytes`);
  const pieces: Buffer[] = [];
  for await (const piece of last.body()) pieces.push(piece);
  const body = Buffer.concat(pieces);
  const stored = last.stored();
  if (stored.frames.length !== 1 || stored.frames[0]?.raw !== tarBytes(body.length) + tarEndBytes) {
    throw problem(last.offset, 'its manifest and the end of the tar are not one frame');
  }
  checkJsonBounds(manifestMember, body);
  const manifest = parseManifest(body.toString('utf8'));

  const checksumBytes = await skippable(source, checksumFrameBytes);
  const checksum = decodeChecksumFrame(checksumBytes);
  if (checksum === undefined) throw problem(last.offset + stored.length, 'no checksum frame follows the manifest');
  checkVersion(checksum.version);
  const expected = source.checksum ?? '';
  if (!checksumBytes.equals(encodeChecksumFrame(expected))) {
    throw problem(0n, `its SHA-256 up to the checksum frame is ${expected}, not ${checksum.sha256}`);
  }
  const frames = seen.flatMap((member) => member.frames);
  const all = [...frames, ...stored.frames, { compressed: checksumFrameBytes, raw: 0 }];
  const seekTable = encodeSeekTable(all);
  if (!(await skippable(source, seekTable.length)).equals(seekTable)) {
    throw problem(last.offset + stored.length + BigInt(checksumFrameBytes), 'its seek table is not that of its frames');
  }
  if ((await source.next()) !== undefined) throw problem(last.offset, 'more frames follow its seek table');

  checkLayout(manifest, frames);
  compareSeen(manifest, seen);
  return {
    name: last.name,
    offset: last.offset,
    rawBytes: last.rawBytes,
    manifest,
    stored: () => stored,
    body: async function* () {
      yield body;
    },
  };
}

/** The bytes of a skippable frame that must come next and have this length. */
async function skippable(source: FrameSource, length: number): Promise<Buffer> {
  const frame = await source.next();
  if (frame === undefined) {
    throw new TidemarkError('ARCHIVE_TRUNCATED', 'read the archive: it is cut short: it ends without checksum and seek table');
  }
  if (frame.header.kind !== 'skippable' || frame.header.contentSize + frame.header.headerBytes !== length) {
    throw problem(frame.offset, 'the frames behind its manifest are not checksum and seek table');
  }
  return frame.collect(length);
}
