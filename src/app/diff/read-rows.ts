// Reads the rows of chunks, each checked as every reader checks it: nothing of a chunk is looked at before its hash was found right.
import { RowCheck } from '../../archive/check-member.js';
import type { RowSink } from '../../archive/copy-rows.js';
import { ReusedMemory } from '../../archive/reused-memory.js';
import type { Codec } from '../../frame/codec.js';
import { decodeMember, fitsWhole, openMemberStream, readFrames } from '../../frame/decode.js';
import type { Seekable } from '../../frame/seekable.js';
import type { CopyFormat } from '../../model/catalog.js';
import type { ChunkOf } from './pair-tables.js';
import { TextOfRows } from './text-of-rows.js';

export interface RowSource {
  readonly codec: Codec;
  /** The archive that has a chunk: the one that is compared, or another one that it refers to. */
  readonly bytesOf: (chunk: ChunkOf) => Seekable;
  /** Told after each chunk. May throw to end it. */
  readonly passed: (chunk: ChunkOf) => void;
}

/** Chunks of archives far away that are asked for before they are needed. */
const ahead = 2;

/** Gives all rows of the chunks, in order, each to the sink of its side, in one form: text, or binary where all of them are.
 *  @throws TidemarkError ARCHIVE_CORRUPT, ARCHIVE_TRUNCATED, STORE_ERROR; NotAsText */
export async function readRows(
  source: RowSource,
  { chunks, form }: { readonly chunks: readonly ChunkOf[]; readonly form: CopyFormat },
  sinks: Readonly<Record<ChunkOf['side'], RowSink>>,
): Promise<void> {
  const { codec, bytesOf, passed } = source;
  const memory = new ReusedMemory();
  const allocate = (bytes: number): Buffer => memory.take(bytes);
  for await (const [one, frames] of withFrames(chunks, bytesOf)) {
    const { chunk: member, table, side } = one;
    const sink = table.format === form ? sinks[side] : new TextOfRows(table.columns, sinks[side]);
    const check = new RowCheck({ member, rows: { format: table.format, columns: table.columns.length } }, sink);
    if (frames !== undefined) check.feed(decodeMember(codec, frames, member, { allocate }));
    else for await (const piece of await openMemberStream(codec, bytesOf(one), member)) check.feed(piece);
    check.end();
    passed(one);
  }
}

/** Each chunk with all its frames; without them where it is too large. */
async function* withFrames(
  chunks: readonly ChunkOf[],
  bytesOf: RowSource['bytesOf'],
): AsyncGenerator<readonly [chunk: ChunkOf, frames: Buffer | undefined]> {
  const asked: Promise<Buffer | undefined>[] = [];
  for (const [at, one] of chunks.entries()) {
    const last = at + (bytesOf(one).nearby ? 0 : ahead);
    for (const next of chunks.slice(at + asked.length, last + 1)) {
      const frames = fitsWhole(next.chunk) ? readFrames(bytesOf(next), next.chunk) : Promise.resolve(undefined);
      // Nobody may come for it any more, where an earlier one failed.
      frames.catch(() => undefined);
      asked.push(frames);
    }
    yield [one, await asked.shift()];
  }
}
