// The hot paths of a snapshot and a restore, each alone, on rows that are the same at every run.
import { createHash } from 'node:crypto';
import type { Codec } from '#dist/frame/codec.js';
import { chooseParameters } from '#dist/frame/compression-parameters.js';
import { decodeMember } from '#dist/frame/decode.js';
import { decompressed } from '#dist/frame/decompressed.js';
import { type EncodedMember, encodeMember, headroom } from '#dist/frame/encode.js';
import { tarBlock, writeTarHeader } from '#dist/frame/tar.js';
import { loadCodec } from '#dist/frame/zstd.js';
import type { CopyFormat } from '#dist/model/catalog.js';
import { CopyDataDecoder, type CopyTarget } from '#dist/pg/copy-data-decoder.js';
import { copyIn } from '#dist/pg/copy-in.js';
import { type BuiltChunk, ChunkBuilder } from '#dist/snapshot/chunk-builder.js';
import { type CopyStream, copyStream } from './micro-rows.js';
import { createSwallower, type Swallower } from './swallower.js';

export interface Case {
  readonly name: string;
  /** What one run works through: of rows, unless the name says otherwise. */
  readonly bytes: number;
  run(): unknown;
}

/** Bytes of rows in each form. */
const sampleBytes = 32 << 20;
/** The size that snapshots have. */
const chunkBytes = 4 << 20;
const level = 3;

/** A chunk as a reading worker has it: in a buffer with room around it. */
interface Chunk {
  readonly buffer: Buffer;
  readonly bodyBytes: number;
}

export async function allCases(): Promise<{ readonly cases: readonly Case[] } & AsyncDisposable> {
  const codec = await loadCodec();
  const text = copyStream('text', sampleBytes);
  const binary = copyStream('binary', sampleBytes);
  const [textChunks, binaryChunks] = [chunksOf(text, 'text'), chunksOf(binary, 'binary')];
  const swallower = await createSwallower();
  const cases = [
    decoding(text),
    building(text, 'text'),
    building(binary, 'binary'),
    tarHeaders(),
    ...compressing(codec, textChunks, 'text'),
    ...compressing(codec, binaryChunks, 'binary'),
    feeding(swallower, textChunks),
  ];
  return { cases, [Symbol.asyncDispose]: () => swallower[Symbol.asyncDispose]() };
}

/** CopyData messages out of socket reads, into a buffer that is used again and again. */
function decoding({ pieces, rowBytes }: CopyStream): Case {
  const target: CopyTarget = {
    buffer: Buffer.alloc(chunkBytes),
    offset: 0,
    room(bytes) {
      if (this.offset + bytes > chunkBytes) this.offset = 0;
    },
    message: () => undefined,
    full: false,
    onRoom: undefined,
  };
  return { name: 'decode CopyData', bytes: rowBytes, run: () => feedAll(target, pieces) };
}

/** Decoding included, as no chunk is built without. */
function building({ pieces, rowBytes }: CopyStream, format: CopyFormat): Case {
  const buffer = ChunkBuilder.allocate(chunkBytes);
  return { name: `decode, build chunks: ${format}`, bytes: rowBytes, run: () => build(pieces, { format, buffer, take: () => undefined }) };
}

interface Building {
  readonly format: CopyFormat;
  readonly buffer: Buffer;
  readonly take: (chunk: BuiltChunk) => void;
}

function build(pieces: readonly Buffer[], { format, buffer, take }: Building): void {
  const spoolPath = (): string => {
    throw new Error('no row of a micro-benchmark is large');
  };
  const builder = new ChunkBuilder({ format, chunkBytes, spoolPath, take }, buffer);
  feedAll(builder, pieces);
  builder.end();
}

function feedAll(target: CopyTarget, pieces: readonly Buffer[]): void {
  const decoder = new CopyDataDecoder(target);
  const end = pieces.map((piece) => decoder.feed(piece)).at(-1);
  if (end?.reason !== 'done') throw new Error('the stream of CopyData did not end well');
}

function chunksOf({ pieces }: CopyStream, format: CopyFormat): readonly Chunk[] {
  const chunks: Chunk[] = [];
  const take = ({ buffer, bodyBytes }: BuiltChunk): void => void chunks.push({ buffer: Buffer.from(buffer), bodyBytes });
  build(pieces, { format, buffer: ChunkBuilder.allocate(chunkBytes), take });
  return chunks;
}

function tarHeaders(): Case {
  const count = 20_000;
  const block = Buffer.alloc(tarBlock);
  const run = (): void => {
    for (let n = 0; n < count; n += 1) writeTarHeader(block, `data/0001/${n}.copy`, n * 1000);
  };
  return { name: 'write tar headers (bytes of headers)', bytes: count * tarBlock, run };
}

/** What happens to chunks in one form, there and back. */
function compressing(codec: Codec, chunks: readonly Chunk[], format: CopyFormat): readonly Case[] {
  const bodyOf = ({ buffer, bodyBytes }: Chunk): Buffer => buffer.subarray(headroom, headroom + bodyBytes);
  const sample = bodyOf(chunks[0] as Chunk).subarray(0, 512 << 10);
  const parameters = chooseParameters(level, (one) => codec.compress(sample, level, { parameters: one }).length);
  const encode = (chunk: Chunk, index: number): EncodedMember =>
    encodeMember(codec, { ...chunk, name: `data/0001/${index}.copy`, level, parameters });
  const members = chunks.map(encode);
  const frames = members.map(({ content }) => (content.kind === 'buffer' ? content.bytes : Buffer.alloc(0)));
  const stored = members.map((member) => ({
    member: member.name,
    offset: 0n,
    length: BigInt(member.length),
    frames: member.frames,
    rawBytes: BigInt(member.rawBytes),
    sha256: member.sha256,
  }));
  const bytes = chunks.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);
  const frameBytes = frames.reduce((sum, { length }) => sum + length, 0);
  return [
    {
      name: `compress, level ${level}: ${format}`,
      bytes,
      run: () => chunks.forEach((chunk) => void codec.compress(bodyOf(chunk), level, { parameters })),
    },
    { name: `tar, compress, SHA-256 of frames: ${format}`, bytes, run: () => chunks.forEach((chunk, n) => void encode(chunk, n)) },
    {
      name: `SHA-256 of frames (bytes of frames): ${format}`,
      bytes: frameBytes,
      run: () => frames.forEach((frame) => void createHash('sha256').update(frame).digest('hex')),
    },
    {
      name: `decompress: ${format}`,
      bytes,
      run: () => frames.forEach((frame, n) => void codec.decompress(frame, members[n]?.frames[0]?.raw ?? 0)),
    },
    {
      name: `SHA-256, decompress, check tar: ${format}`,
      bytes,
      run: () => stored.forEach((one, n) => void decodeMember(codec, frames[n] as Uint8Array, one)),
    },
    { name: `decompress as a stream: ${format}`, bytes, run: () => drain(decompressed(codec, piecesOf(frames))) },
  ];
}

async function* piecesOf(frames: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* frames;
}

async function drain(pieces: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of pieces);
}

/** Rows into a COPY FROM of which the server takes everything and looks at nothing. */
function feeding({ session }: Swallower, chunks: readonly Chunk[]): Case {
  const bodies = chunks.map(({ buffer, bodyBytes }) => buffer.subarray(headroom, headroom + bodyBytes));
  const bytes = bodies.reduce((sum, { length }) => sum + length, 0);
  return { name: 'feed COPY FROM', bytes, run: () => copyIn(session, 'COPY events FROM STDIN', bodies) };
}
