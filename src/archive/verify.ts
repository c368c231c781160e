// Proves an archive: reads all of it once, in order, and checks every byte against something that was said elsewhere. Structure first
// (opening does that), then each member, in threads where there are many, then the whole. What is damaged is collected, so that one run
// tells the extent.
import { createHash, type Hash } from 'node:crypto';
import { readFrames } from '../frame/decode.js';
import { catalogMember } from '../frame/member-names.js';
import type { Seekable } from '../frame/seekable.js';
import { Sequential } from '../frame/sequential.js';
import { TidemarkError } from '../model/errors.js';
import type { EventListener } from '../model/events.js';
import { usualJobs } from '../model/jobs.js';
import type { Manifest, StoredMember } from '../model/manifest.js';
import { checkFrames, checkStreamed, type MemberTask } from './check-member.js';
import { CheckPool, checkThreadsFor } from './check-pool.js';
import { encodeChecksumFrame } from './checksum-frame.js';
import { checkJsonSize } from './json-bounds.js';
import { ChecksHere, type MemberChecks, type Outcome, settled } from './member-checks.js';
import { MembersInOrder } from './members-in-order.js';
import { type Acceptance, type ArchiveReader, openArchive } from './reader.js';
import { encodeSeekTable } from './seek-table.js';
import { fileSidecars, type Sidecars } from './sidecar-files.js';
import { parseChecksumText } from './sidecars.js';
import { type CheckedOther, type OpenOther, verifyOthers } from './verify-others.js';

export interface VerifyOptions extends Acceptance {
  /** Threads that check members: at most this many, and at most one for each 64 MiB of rows. Where that is one alone, all is done in this thread.
   *  Default: processors, at most 4. */
  readonly jobs?: number;
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
 * Memory: for each job one member of at most 32 MiB and frames of as many bytes (larger ones are streamed), and manifest and catalog whole; of
 * what is no file, also what is read ahead.
 * Throws what `openArchive` throws, and ARCHIVE_CORRUPT with `details.damage` (all places up to 100) where anything was found; ABORTED.
 */
export async function verifyArchive(archive: string | Seekable, options: VerifyOptions = {}): Promise<VerifyReport> {
  const { onEvent, sidecars = typeof archive === 'string' ? fileSidecars(archive) : undefined } = options;
  onEvent?.({ type: 'phase', phase: 'verify', detail: typeof archive === 'string' ? archive : archive.name });
  await using reader = await openArchive(archive, options);
  return await new Verification(reader, { ...options, ...(sidecars && { sidecars }) }).run();
}

/** So many, and so small, that to read each by itself would take longer than what is done with it. */
const [manyMembers, smallMember] = [256, 64 << 10];

function hasSmallMembers({ size, tail: { members } }: ArchiveReader): boolean {
  return members.length >= manyMembers && size < BigInt(members.length * smallMember);
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
    this.#bytes = archive.bytes.nearby && !hasSmallMembers(archive) ? archive.bytes : new Sequential(archive.bytes);
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
    const { manifest, tail, codec } = this.#archive;
    const { jobs = usualJobs(), signal } = this.#options;
    const inOrder = new MembersInOrder(manifest, (member, problem) => this.#found(problem, member), this.#options.onEvent);
    this.#throwIfAborted();
    const threads = checkThreadsFor(manifest.totals.rawBytes, jobs);
    await using checks = threads === 0 ? new ChecksHere(codec) : new CheckPool(threads, signal);
    try {
      for (const member of tail.members) {
        this.#throwIfAborted();
        inOrder.add(member, await this.#member(inOrder.taskOf(member), checks));
        await this.#hashTo(member.offset + member.length);
        inOrder.tell();
      }
      await inOrder.end();
    } catch (error) {
      this.#throwIfAborted();
      throw error;
    }
  }

  /** Hashes a member, and has it checked. */
  async #member(task: MemberTask, checks: MemberChecks): Promise<Outcome> {
    try {
      return await this.#check(task, checks);
    } catch (error) {
      if (!(error instanceof TidemarkError) || error.code !== 'ARCHIVE_CORRUPT') throw error;
      return settled(error.message);
    }
  }

  async #check(task: MemberTask, checks: MemberChecks): Promise<Outcome> {
    const { member } = task;
    const length = Number(member.length);
    if (member.member === catalogMember) await this.#catalog(member);
    else if (!checks.takes(member)) await checkStreamed(this.#archive.codec, this.#passing(member), task);
    else {
      await checks.room(length);
      const frames = await this.#bytes.read(member.offset, length, checks.memory(length));
      this.#pass(frames);
      return await checks.check(task, frames);
    }
    return settled();
  }

  async #catalog(member: StoredMember): Promise<void> {
    checkJsonSize(catalogMember, member.rawBytes, this.#archive.limits);
    const frames = await readFrames(this.#bytes, member);
    this.#pass(frames);
    checkFrames(frames, member);
    this.#archive.decodeCatalog(frames, member);
  }

  /** The bytes of a member's frames, hashed on their way. */
  async *#passing({ offset, length }: StoredMember): AsyncGenerator<Buffer> {
    for await (const piece of this.#bytes.stream(offset, length)) {
      this.#pass(piece);
      this.#throwIfAborted();
      yield piece;
    }
  }

  #pass(bytes: Buffer): void {
    this.#hash.update(bytes);
    this.#hashed += BigInt(bytes.length);
  }

  /** Hashes what was passed over. */
  async #hashTo(end: bigint): Promise<void> {
    if (this.#hashed >= end) return;
    for await (const piece of this.#bytes.stream(this.#hashed, end - this.#hashed)) {
      this.#pass(piece);
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
