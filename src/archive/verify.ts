// Proves an archive: reads all of it once, in order, and checks every byte against something that was said elsewhere. Structure first
// (opening does that), then each member, then the whole. What is damaged is collected, so that one run tells the extent.
import { createHash, type Hash } from 'node:crypto';
import { bodyOf, corruptMember, decodeMember, fitsWhole, readFrames } from '../frame/decode.js';
import { decompressed } from '../frame/decompressed.js';
import { FileBytes } from '../frame/file-bytes.js';
import { catalogMember } from '../frame/member-names.js';
import type { Seekable } from '../frame/seekable.js';
import { Sequential } from '../frame/sequential.js';
import { FrameWalker } from '../frame/walk.js';
import { TidemarkError } from '../model/errors.js';
import type { EventListener } from '../model/events.js';
import type { Manifest, StoredChunk, StoredMember, TableEntry } from '../model/manifest.js';
import { encodeChecksumFrame } from './checksum-frame.js';
import { rowCounter } from './copy-rows.js';
import { checkJsonSize } from './json-bounds.js';
import { type Acceptance, type ArchiveReader, openArchive } from './reader.js';
import { encodeSeekTable } from './seek-table.js';
import { fileSidecars, type Sidecars } from './sidecar-files.js';
import { parseChecksumText } from './sidecars.js';
import { type CheckedOther, type OpenOther, verifyOthers } from './verify-others.js';

export interface VerifyOptions extends Acceptance {
  readonly onEvent?: EventListener;
  readonly signal?: AbortSignal;
  /** What lies beside the archive. Default: of a path, the files beside it; of bytes, nothing. */
  readonly sidecars?: Sidecars;
  /** Opens the other archives that it refers to, and makes sure that they are those that were meant: what they hold of its tables is checked,
   *  too. Default: only its own bytes are. */
  readonly openOther?: OpenOther;
}

/** What was proven. */
export interface VerifyReport {
  /** Or URL, without secrets. */
  readonly path: string;
  /** Bytes of the archive, and the SHA-256 of all of them. */
  readonly bytes: bigint;
  readonly sha256: string;
  readonly manifest: Manifest;
  /** As it stands in the archive. */
  readonly manifestText: string;
  readonly members: number;
  readonly rows: bigint;
  /** Bytes of the tables' rows as COPY gave them. */
  readonly rawBytes: bigint;
  /** Names of those beside the archive that were compared with it. */
  readonly sidecars: readonly string[];
  /** Other archives, with what was checked of them. */
  readonly others: readonly CheckedOther[];
}

export interface Damage {
  readonly member?: string;
  readonly offset?: bigint;
  readonly problem: string;
}

/** Damage that is listed in an error at most; more is only counted. */
const listedDamage = 100;

/**
 * Checks all of an archive and what lies beside it; returns only if everything is right. Bytes are closed at the end.
 * Memory: one member of at most 32 MiB with its frames (larger ones are streamed), and manifest and catalog whole; of what is no file,
 * also what is read ahead.
 * Throws what `openArchive` throws, and ARCHIVE_CORRUPT with `details.damage` (all places up to 100) where anything was found; ABORTED.
 */
export async function verifyArchive(archive: string | Seekable, options: VerifyOptions = {}): Promise<VerifyReport> {
  const { onEvent, sidecars = typeof archive === 'string' ? fileSidecars(archive) : undefined } = options;
  onEvent?.({ type: 'phase', phase: 'verify', detail: typeof archive === 'string' ? archive : archive.name });
  await using reader = await openArchive(archive, options);
  return await new Verification(reader, { ...options, ...(sidecars && { sidecars }) }).run();
}

class Verification {
  readonly #archive: ArchiveReader;
  readonly #bytes: Seekable;
  readonly #options: VerifyOptions;
  readonly #damage: Damage[] = [];
  #damages = 0;
  readonly #hash: Hash = createHash('sha256');
  /** Bytes of the archive that are in the hash. */
  #hashed = 0n;

  constructor(archive: ArchiveReader, options: VerifyOptions) {
    this.#archive = archive;
    this.#bytes = archive.bytes instanceof FileBytes ? archive.bytes : new Sequential(archive.bytes);
    this.#options = options;
  }

  async run(): Promise<VerifyReport> {
    const { manifest, tail, path, size } = this.#archive;
    const { totals } = manifest;
    this.#options.onEvent?.({ type: 'plan', tables: totals.tables, rows: totals.rows, bytes: totals.rawBytes, exact: true });
    await this.#members();
    await this.#hashTo(BigInt(tail.checksumOffset));
    this.#checksum(this.#hash.copy().digest('hex'));
    await this.#hashTo(size);
    const sha256 = this.#hash.digest('hex');
    const sidecars = await this.#sidecars(sha256);
    const others = await this.#others();
    this.#throwDamage();
    return {
      path,
      bytes: size,
      sha256,
      manifest,
      manifestText: tail.manifestText,
      members: tail.members.length + 1,
      rows: totals.rows,
      rawBytes: totals.rawBytes,
      sidecars,
      others,
    };
  }

  async #members(): Promise<void> {
    const { manifest, tail } = this.#archive;
    const chunks = new Map<StoredMember, readonly [StoredChunk, TableEntry]>();
    for (const table of manifest.tables) if (table.in === undefined) for (const chunk of table.chunks) chunks.set(chunk, [chunk, table]);
    let rows = 0n;
    let rawBytes = 0n;
    for (const member of tail.members) {
      this.#throwIfAborted();
      const [chunk, table] = chunks.get(member) ?? [];
      try {
        await this.#member(member, table);
      } catch (error) {
        if (!(error instanceof TidemarkError) || error.code !== 'ARCHIVE_CORRUPT') throw error;
        this.#found(error.message, member);
      }
      await this.#hashTo(member.offset + member.length);
      if (chunk !== undefined) {
        rows += chunk.rows;
        rawBytes += chunk.rawBytes;
      }
      this.#options.onEvent?.({ type: 'progress', rows, rawBytes, compressedBytes: member.offset + member.length });
    }
  }

  /** One member: hash, frames, tar, and what its kind promises. Throws ARCHIVE_CORRUPT. */
  async #member(member: StoredMember, table: TableEntry | undefined): Promise<void> {
    const { codec, limits } = this.#archive;
    const isCatalog = member.member === catalogMember;
    if (isCatalog) checkJsonSize(catalogMember, member.rawBytes, limits);
    const whole = fitsWhole(member) || isCatalog;
    const counter = table === undefined ? undefined : rowCounter(table.format, table.columns.length);
    const rowsOf = (step: () => bigint | undefined): bigint | undefined => {
      try {
        return step();
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        throw new TidemarkError('ARCHIVE_CORRUPT', `read member ${member.member} at offset ${member.offset}: ${error.message}`, {
          cause: error,
        });
      }
    };
    if (whole) {
      const frames = await readFrames(this.#bytes, member);
      this.#hash.update(frames);
      this.#hashed += member.length;
      const walk = new FrameCheck(member);
      walk.feed(frames);
      walk.end();
      if (isCatalog) this.#archive.decodeCatalog(frames, member);
      else {
        const body = decodeMember(codec, frames, member);
        rowsOf(() => void counter?.feed(body));
      }
    } else {
      const memberHash = createHash('sha256');
      for await (const piece of bodyOf(decompressed(codec, this.#passing(member, memberHash)), member))
        rowsOf(() => void counter?.feed(piece));
      const sha256 = memberHash.digest('hex');
      if (sha256 !== member.sha256) {
        throw corruptMember(member, `its SHA-256 is ${sha256}, not ${member.sha256}`);
      }
    }
    const rows = rowsOf(() => counter?.end());
    const expected = (member as StoredChunk).rows;
    if (rows !== undefined && rows !== expected) {
      throw corruptMember(member, `it has ${rows} rows, not ${expected}`);
    }
  }

  /** The bytes of a member's frames, hashed on their way. */
  async *#passing(member: StoredMember, memberHash: Hash): AsyncGenerator<Buffer> {
    const walk = new FrameCheck(member);
    for await (const piece of this.#bytes.stream(member.offset, member.length)) {
      this.#hash.update(piece);
      this.#hashed += BigInt(piece.length);
      memberHash.update(piece);
      walk.feed(piece);
      this.#throwIfAborted();
      yield piece;
    }
    walk.end();
  }

  /** Hashes what was passed over. */
  async #hashTo(end: bigint): Promise<void> {
    if (this.#hashed >= end) return;
    for await (const piece of this.#bytes.stream(this.#hashed, end - this.#hashed)) {
      this.#hash.update(piece);
      this.#hashed += BigInt(piece.length);
    }
  }

  #checksum(sha256: string): void {
    const { tail } = this.#archive;
    if (tail.checksum.sha256 !== sha256) this.#found(`the SHA-256 up to the checksum frame is ${sha256}, not ${tail.checksum.sha256}`);
    const frames = tail.members.flatMap((member) => member.frames);
    const checksumFrame = encodeChecksumFrame(tail.checksum.sha256);
    const seekTable = encodeSeekTable([...frames, tail.manifestFrame, { compressed: checksumFrame.length, raw: 0 }]);
    if (!seekTable.equals(tail.seekTable)) this.#found('the seek table is not that of the frames');
  }

  async #sidecars(sha256: string): Promise<readonly string[]> {
    const { manifest, checksum, basename } = this.#options.sidecars ?? { basename: '' };
    const compared: string[] = [];
    const manifestBeside = await manifest?.();
    if (manifestBeside !== undefined) {
      const { name, content } = manifestBeside;
      compared.push(name);
      if (!content.equals(Buffer.from(this.#archive.tail.manifestText))) this.#found(`${name} is not the manifest of the archive`);
    }
    const checksumBeside = await checksum?.();
    if (checksumBeside !== undefined) {
      const { name, content } = checksumBeside;
      compared.push(name);
      const line = parseChecksumText(content.toString('utf8'));
      if (line?.sha256 !== sha256) this.#found(`${name} does not hold the SHA-256 of the archive, ${sha256}`);
      else if (line.basename !== basename) {
        this.#options.onEvent?.({ type: 'notice', message: `${name} names the archive ${line.basename}` });
      }
    }
    return compared;
  }

  async #others(): Promise<readonly CheckedOther[]> {
    const { openOther: open } = this.#options;
    if (open === undefined) return [];
    const [found, throwIfAborted] = [this.#found.bind(this), this.#throwIfAborted.bind(this)];
    return await verifyOthers(this.#archive.manifest, { open, found, throwIfAborted });
  }

  #throwIfAborted(): void {
    const { signal } = this.#options;
    if (signal?.aborted) throw new TidemarkError('ABORTED', `verify ${this.#archive.path}: it was aborted`, { cause: signal.reason });
  }

  #found(problem: string, member?: StoredMember): void {
    this.#damages += 1;
    if (this.#damage.length < listedDamage) {
      this.#damage.push({ problem, ...(member === undefined ? {} : { member: member.member, offset: member.offset }) });
    }
  }

  #throwDamage(): void {
    const [first] = this.#damage;
    if (first === undefined) return;
    const more = this.#damages === 1 ? '' : ` (and ${this.#damages - 1} more)`;
    throw new TidemarkError('ARCHIVE_CORRUPT', `verify ${this.#archive.path}: ${first.problem}${more}`, {
      hint: 'the archive was altered after it was written: use another copy of it',
      details: { path: this.#archive.path, damages: this.#damages, damage: this.#damage },
    });
  }
}

/** Frames must begin and end where the manifest says, and have zstd's own checksum: a reader of a pipe has nothing else until the end. */
class FrameCheck {
  readonly #member: StoredMember;
  readonly #walker = new FrameWalker();
  #frames = 0;

  constructor(member: StoredMember) {
    this.#member = member;
  }

  /** Throws ARCHIVE_CORRUPT. */
  feed(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      at += this.#walker.feed(bytes, at);
      if (this.#walker.ended) this.#endFrame();
    }
  }

  end(): void {
    if (this.#frames !== this.#member.frames.length || !this.#walker.idle)
      throw corruptMember(this.#member, 'it has other frames than it should');
  }

  #endFrame(): void {
    const { header, length } = this.#walker;
    const expected = this.#member.frames[this.#frames++];
    if (header?.kind !== 'zstd' || !header.checksum) throw corruptMember(this.#member, 'a frame of it has no checksum');
    if (expected?.compressed !== length || (header.contentSize ?? expected.raw) !== expected.raw) {
      throw corruptMember(this.#member, 'it has frames of other sizes than it should');
    }
    this.#walker.next();
  }
}
