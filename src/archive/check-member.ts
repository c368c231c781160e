// Checks one member against what the manifest says of it: frames, hash, tar, rows. Where its bytes come from, and in which thread this is,
// is the caller's business.
import { createHash } from 'node:crypto';
import type { Codec } from '../frame/codec.js';
import { bodyOf, corruptMember, decodeMember, fitsWhole } from '../frame/decode.js';
import { decompressed } from '../frame/decompressed.js';
import type { CopyFormat } from '../model/catalog.js';
import { TidemarkError } from '../model/errors.js';
import type { StoredChunk, StoredMember } from '../model/manifest.js';
import { type RowSink, rowCounter } from './copy-rows.js';
import { FrameCheck } from './frame-check.js';

/** What is to be checked: plain data, so that it can go to another thread. */
export interface MemberTask {
  readonly member: StoredMember;
  /** How rows are written in it, where it is a chunk of a table. */
  readonly rows?: { readonly format: CopyFormat; readonly columns: number };
}

/** Bytes given at a time to what decompresses a stream. */
const pieceBytes = 1024 * 1024;

/** Checks a member of which all frames are at hand.
 *  @param allocate gives memory for what is decompressed, which is of no use any more when this resolves
 *  @throws TidemarkError ARCHIVE_CORRUPT */
export async function checkHeld(codec: Codec, frames: Buffer, task: MemberTask, allocate?: (bytes: number) => Buffer): Promise<void> {
  const { member } = task;
  if (!fitsWhole(member)) return await checkStreamed(codec, piecesOf(frames), task);
  checkFrames(frames, member);
  const rows = new RowCheck(task);
  rows.feed(decodeMember(codec, frames, member, allocate && { allocate }));
  rows.end();
}

/** Checks a member of any size, whose frames come in pieces. Memory: a few of them.
 *  @throws TidemarkError ARCHIVE_CORRUPT */
export async function checkStreamed(codec: Codec, frames: Iterable<Buffer> | AsyncIterable<Buffer>, task: MemberTask): Promise<void> {
  const { member } = task;
  const hash = createHash('sha256');
  const passing = async function* (): AsyncGenerator<Buffer> {
    const check = new FrameCheck(member);
    for await (const piece of frames) {
      hash.update(piece);
      check.feed(piece);
      yield piece;
    }
    check.end();
  };
  const rows = new RowCheck(task);
  for await (const piece of bodyOf(decompressed(codec, passing()), member)) rows.feed(piece);
  const sha256 = hash.digest('hex');
  if (sha256 !== member.sha256) throw corruptMember(member, `its SHA-256 is ${sha256}, not ${member.sha256}`);
  rows.end();
}

/** What a check finds wrong with its member; undefined where that is nothing. Rejects where the check failed for another reason. */
export async function problemOf(check: Promise<unknown>): Promise<string | undefined> {
  try {
    await check;
    return undefined;
  } catch (error) {
    if (error instanceof TidemarkError && error.code === 'ARCHIVE_CORRUPT') return error.message;
    throw error;
  }
}

/** @throws TidemarkError ARCHIVE_CORRUPT where the frames are not as the manifest says */
export function checkFrames(frames: Buffer, member: StoredMember): void {
  const check = new FrameCheck(member);
  check.feed(frames);
  check.end();
}

function* piecesOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

/** Counts the rows of a chunk; of another member, nothing. */
export class RowCheck {
  readonly #member: StoredMember;
  readonly #counter: ReturnType<typeof rowCounter> | undefined;

  /** @param sink who is given the rows, as they come by */
  constructor({ member, rows }: MemberTask, sink?: RowSink) {
    this.#member = member;
    this.#counter = rows && rowCounter(rows.format, rows.columns, sink);
  }

  /** @throws TidemarkError ARCHIVE_CORRUPT */
  feed(body: Buffer): void {
    this.#corruptWhere(() => this.#counter?.feed(body));
  }

  /** @throws TidemarkError ARCHIVE_CORRUPT */
  end(): void {
    const rows = this.#corruptWhere(() => this.#counter?.end());
    const expected = (this.#member as StoredChunk).rows;
    if (rows !== undefined && rows !== expected) throw corruptMember(this.#member, `it has ${rows} rows, not ${expected}`);
  }

  /** The counter says what is wrong with the data, and does not know whose it is. */
  #corruptWhere<T>(step: () => T): T {
    try {
      return step();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const { member, offset } = this.#member;
      throw new TidemarkError('ARCHIVE_CORRUPT', `read member ${member} at offset ${offset}: ${error.message}`, { cause: error });
    }
  }
}
