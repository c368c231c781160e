// Finds out what a file is by its first and last bytes: seek table, checksum frame, manifest, with one read of 64 KiB in most cases. It
// tells apart what is no archive, cut short, altered, or of a newer format, and believes no size that the file's own does not allow.
import type { Codec } from '../frame/codec.js';
import { manifestMember } from '../frame/member-names.js';
import type { Seekable } from '../frame/seekable.js';
import { zstdMagic } from '../frame/walk.js';
import { TidemarkError } from '../model/errors.js';
import type { FrameSize, Manifest, StoredMember } from '../model/manifest.js';
import { type ChecksumFrame, checksumFrameBytes, decodeChecksumFrame } from './checksum-frame.js';
import type { JsonLimits } from './json-bounds.js';
import { checkLayout, compressedLimit } from './layout.js';
import { decodeManifestFrame } from './manifest-frame.js';
import { checkVersion, parseManifest } from './manifest-schema.js';
import { decodeSeekFooter, decodeSeekTable, seekFooterBytes, seekTableBytes } from './seek-table.js';

const guessBytes = 64 * 1024;

/** The end of an archive as far as it says so by itself: nobody has looked at what the manifest says. */
export interface ArchiveEnd {
  /** As it stands in the archive, within the limits of its JSON. */
  readonly manifestText: string;
  /** Where the manifest's frame begins, in bytes. */
  readonly manifestOffset: number;
  readonly manifestFrame: FrameSize;
  /** Where the checksum frame begins: what it covers ends there. */
  readonly checksumOffset: number;
  readonly checksum: ChecksumFrame;
  readonly seekTable: Buffer;
  /** What the seek table says of all frames before it. */
  readonly frames: readonly FrameSize[];
  /** All of it, from the manifest's frame on, in pieces. */
  readonly bytes: readonly Buffer[];
}

export interface ArchiveTail extends Omit<ArchiveEnd, 'frames' | 'bytes'> {
  readonly manifest: Manifest;
  /** The members that the manifest lists, in order. */
  readonly members: readonly StoredMember[];
}

/** Reads ranges near the end of a file, from one guess where that holds them. */
class TailBytes {
  readonly #bytes: Seekable;
  readonly #size: number;
  #guess: Buffer = Buffer.alloc(0);

  constructor(bytes: Seekable, size: number) {
    this.#bytes = bytes;
    this.#size = size;
  }

  async range(start: number, end: number): Promise<Buffer> {
    const guessed = this.#size - this.#guess.length;
    if (start >= guessed) return this.#guess.subarray(start - guessed, end - guessed);
    if (this.#guess.length === 0 && this.#size - start <= guessBytes) {
      const from = Math.max(0, this.#size - guessBytes);
      this.#guess = await this.#read(from, this.#size);
      return this.#guess.subarray(start - from, end - from);
    }
    return this.#read(start, end);
  }

  #read(start: number, end: number): Promise<Buffer> {
    return this.#bytes.read(BigInt(start), end - start);
  }
}

function notAnArchive(path: string, what: string): TidemarkError {
  return new TidemarkError('ARCHIVE_INVALID', `open ${path}: it is no tidemark archive: ${what}`, {
    hint: 'give a file that `tidemark snapshot` wrote; dumps of pg_dump are restored by pg_restore or psql',
    details: { path },
  });
}

function cutShort(path: string, size: number): TidemarkError {
  return new TidemarkError('ARCHIVE_TRUNCATED', `open ${path}: it is cut short: its ${size} bytes do not end with a seek table`, {
    hint: 'copy it again from where it was made, or use another archive',
    details: { path, size },
  });
}

function corrupt(path: string, what: string, cause?: unknown): TidemarkError {
  return new TidemarkError('ARCHIVE_CORRUPT', `open ${path}: ${what}`, {
    hint: 'the archive was altered after it was written: use another copy of it',
    details: { path },
    cause,
  });
}

/**
 * Reads the end of an archive, and what it says. Hashes are not compared here, except by what is structure.
 * Throws ARCHIVE_INVALID, ARCHIVE_TRUNCATED, ARCHIVE_CORRUPT, ARCHIVE_TOO_NEW.
 */
export async function readTail(codec: Codec, bytes: Seekable, limits?: JsonLimits): Promise<ArchiveTail> {
  const { frames, bytes: _, ...end } = await readEnd(codec, bytes, limits);
  const manifest = parseManifest(end.manifestText);
  if (manifest.formatVersion !== end.checksum.version)
    throw corrupt(bytes.name, 'its manifest and its checksum frame are of two versions of the format');
  const members = checkLayout(manifest, frames.slice(0, -2));
  return { ...end, manifest, members };
}

/** The same without what the manifest says. Throws as `readTail`. */
async function readEnd(codec: Codec, bytes: Seekable, limits?: JsonLimits): Promise<ArchiveEnd> {
  const path = bytes.name;
  const size = Number(bytes.size);
  if (size < 4) throw notAnArchive(path, size === 0 ? 'it is empty' : `it has ${size} bytes`);
  const first = await bytes.read(0n, 4);
  if (first.readUInt32LE(0) !== zstdMagic) throw notAnArchive(path, 'it does not begin as zstd');
  if (size < seekTableBytes(0)) throw cutShort(path, size);

  const tail = new TailBytes(bytes, size);
  const footer = await tail.range(size - seekFooterBytes, size);
  const { frames, seekTable } = await readSeekTable(path, { tail, footer, size });
  const checksumOffset = size - seekTable.length - checksumFrameBytes;
  const checksumBytes = checksumOffset < 0 ? undefined : await tail.range(checksumOffset, checksumOffset + checksumFrameBytes);
  const checksum = checksumBytes && decodeChecksumFrame(checksumBytes);
  if (checksumBytes === undefined || checksum === undefined) throw notAnArchive(path, 'it has no checksum frame before its seek table');
  checkVersion(checksum.version);

  const [manifestFrame, checksumEntry] = frames.slice(-2);
  if (manifestFrame === undefined || checksumEntry?.compressed !== checksumFrameBytes || checksumEntry.raw !== 0) {
    throw corrupt(path, 'its seek table does not end with the manifest and the checksum');
  }
  const total = frames.reduce((sum, frame) => sum + frame.compressed, 0);
  if (total !== size - seekTable.length)
    throw corrupt(path, `the frames of its seek table have ${total} bytes, and the file ${size - seekTable.length}`);
  if (manifestFrame.compressed > compressedLimit(manifestFrame.raw))
    throw corrupt(path, `the frame of ${manifestMember} is larger than its content`);

  const manifestOffset = checksumOffset - manifestFrame.compressed;
  const manifestBytes = await tail.range(manifestOffset, checksumOffset);
  const manifestText = decodeManifestFrame(codec, manifestBytes, manifestFrame.raw, limits);
  const all = [manifestBytes, checksumBytes, seekTable];
  return { manifestText, manifestOffset, manifestFrame, checksumOffset, checksum, seekTable, frames, bytes: all };
}

/** Whether bytes end as an archive was written, and its manifest can be read out of them. Throws as `readTail`. */
export async function endsAs(
  codec: Codec,
  bytes: Seekable,
  { end, manifestText }: { readonly end: Buffer; readonly manifestText: string },
): Promise<boolean> {
  const found = await readEnd(codec, bytes);
  return Buffer.concat(found.bytes).equals(end) && found.manifestText === manifestText;
}

interface SeekTableSource {
  readonly tail: TailBytes;
  readonly footer: Buffer;
  readonly size: number;
}

async function readSeekTable(
  path: string,
  { tail, footer, size }: SeekTableSource,
): Promise<{ frames: readonly FrameSize[]; seekTable: Buffer }> {
  let count: number | undefined;
  try {
    count = decodeSeekFooter(footer);
  } catch (error) {
    throw corrupt(path, error instanceof Error ? error.message : String(error), error);
  }
  if (count === undefined) throw cutShort(path, size);
  const bytes = seekTableBytes(count);
  if (bytes > size) throw corrupt(path, `its seek table claims ${count} frames, more than fit into the file`);
  const seekTable = await tail.range(size - bytes, size);
  try {
    return { frames: decodeSeekTable(seekTable), seekTable };
  } catch (error) {
    throw corrupt(path, error instanceof Error ? error.message : String(error), error);
  }
}
