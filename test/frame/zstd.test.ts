import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Transform, type TransformCallback } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { compress, decompress } from 'zstd-napi';
import type { Codec } from '#dist/frame/codec.js';
import { decompressed } from '#dist/frame/decompressed.js';
import { walkFrame } from '#dist/frame/walk.js';
import { loadZlibCodec } from '#dist/frame/zlib-codec.js';
import { loadCodec } from '#dist/frame/zstd.js';
import { codecs } from './codecs.js';

const fixture = (name: string): Buffer => readFileSync(new URL(`../../fixtures/zstd/${name}.zst`, import.meta.url));

const contents: [string, Buffer][] = [
  ['nothing', Buffer.alloc(0)],
  ['one byte', Buffer.from('a')],
  ['3 MB of zeros', Buffer.alloc(3_000_000)],
  ['random bytes', randomBytes(300_000)],
  ['text', Buffer.alloc(1_000_000, 'one\ttwo\tthree\n')],
];

async function* one(...pieces: Buffer[]): AsyncGenerator<Buffer> {
  yield* pieces;
}

async function all(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const found: Buffer[] = [];
  for await (const piece of pieces) found.push(piece);
  return Buffer.concat(found);
}

describe.each(codecs.map((codec): [string, Codec] => [codec.name, codec]))('%s', (_, codec) => {
  test.each(contents)('%s: one frame there and back', (_what, raw) => {
    const frame = codec.compress(raw, 3);
    expect(walkFrame(frame).header).toMatchObject({ kind: 'zstd', contentSize: raw.length, checksum: true });
    expect(decompress(frame).equals(raw)).toBe(true);
    expect(codec.decompress(frame, raw.length).equals(raw)).toBe(true);
    // Its memory is its own: it can be transferred to another thread.
    expect(frame.buffer.byteLength).toBe(frame.length);
    expect(codec.compress(raw, 3).equals(frame)).toBe(true);
  });

  test.each(contents)('%s: streamed, there and back', async (_what, raw) => {
    for (const rawBytes of [raw.length, undefined]) {
      const transform = codec.compressStream(3, rawBytes);
      transform.end(raw);
      const frame = await all(transform);
      expect(walkFrame(frame).header).toMatchObject(
        rawBytes === undefined ? { checksum: true } : { checksum: true, contentSize: raw.length },
      );
      const doubled = Buffer.concat([frame, codec.compress(Buffer.from('more'), 1)]);
      const parts = one(doubled.subarray(0, 7), Buffer.alloc(0), doubled.subarray(7));
      expect((await all(decompressed(codec, parts))).equals(Buffer.concat([raw, Buffer.from('more')]))).toBe(true);
    }
  });

  test('a size that is not that of the frame is refused', () => {
    for (const [, raw] of contents) {
      const frame = codec.compress(raw, 1);
      for (const wrong of [raw.length + 1, raw.length - 1, 2 ** 40]) expect(() => codec.decompress(frame, wrong)).toThrow(RangeError);
    }
  });

  test('a frame without a content size is not believed to hold more than its blocks can', () => {
    expect(codec.decompress(fixture('zeros-piped'), 300_000).equals(Buffer.alloc(300_000))).toBe(true);
    expect(() => codec.decompress(fixture('zeros-piped'), 300_001)).toThrow();
    expect(() => codec.decompress(fixture('zeros-piped'), 2 ** 40)).toThrow('not 1099511627776');
  });

  test('a changed, cut or lengthened frame is refused, whole and streamed', async () => {
    const raw = Buffer.alloc(200_000, 'some text\n');
    const frame = codec.compress(raw, 1);
    const changed = Buffer.from(frame);
    changed.writeUInt8(changed.readUInt8(frame.length - 1) ^ 1, frame.length - 1);
    const bad = [changed, frame.subarray(0, -1), frame.subarray(0, -4), frame.subarray(0, 20), Buffer.concat([frame, Buffer.from('xx')])];
    for (const bytes of bad) {
      expect(() => codec.decompress(bytes, raw.length)).toThrow();
      await expect(all(decompressed(codec, one(bytes)))).rejects.toThrow();
    }
    expect(codec.decompress(frame, raw.length).equals(raw)).toBe(true);
  });

  test('output is made no faster than it is read', async () => {
    const frame = codec.compress(Buffer.alloc(256 * 1024 * 1024), 1);
    const before = process.memoryUsage().arrayBuffers;
    const transform = codec.decompressStream();
    transform.write(frame);
    for (let pieces = 0; pieces < 3; pieces++) {
      await new Promise((resolve) => transform.once('readable', resolve));
      transform.read();
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024);
    transform.destroy();
  });

  test('a reader that takes its time gets everything', async () => {
    // Hex digits: a piece of input is several pieces of output and a rest that gives none yet.
    const raw = Buffer.from(randomBytes(2 << 20).toString('hex'));
    const frame = codec.compress(raw, 1);
    const input = async function* (): AsyncGenerator<Buffer> {
      for (let at = 0; at < frame.length; at += 300_000) yield frame.subarray(at, at + 300_000);
    };
    const pieces: Buffer[] = [];
    for await (const piece of decompressed(codec, input())) {
      pieces.push(piece);
      for (let turns = 0; turns < 3; turns++) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(Buffer.concat(pieces).equals(raw)).toBe(true);
  });

  test('an error of the source comes through', async () => {
    const failing = async function* (): AsyncGenerator<Buffer> {
      yield codec.compress(randomBytes(1000), 1).subarray(0, 500);
      throw new Error('the disk is gone');
    };
    await expect(all(decompressed(codec, failing()))).rejects.toThrow('the disk is gone');
  });
});

describe('which codec is used', () => {
  const failing = (message: string) => async () => {
    throw new Error(message);
  };
  const [napi] = codecs;
  const load = async (): Promise<Codec> => napi as Codec;

  test('zstd-napi where it can be loaded, once for all', async () => {
    expect((await loadCodec()).name).toBe('zstd-napi');
    expect(await loadCodec()).toBe(await loadCodec());
  });

  test('the next one where the first cannot be loaded', async () => {
    const codec = await loadCodec([failing('no binding'), load]);
    expect(codec.name).toBe('zstd-napi');
  });

  test('none: an error that says why and what to install', async () => {
    await expect(loadCodec([failing('no binding\nstack'), failing('no zstd')])).rejects.toMatchObject({
      code: 'CODEC_MISSING',
      hint: expect.stringMatching(/C\+\+ compiler.*npm rebuild zstd-napi.*22\.15/),
      details: { reasons: ['no binding', 'no zstd'] },
    });
  });

  test('a node:zlib without zstd is said so', async () => {
    await expect(loadZlibCodec({ gzipSync: () => undefined })).rejects.toThrow('has no zstd');
  });
});

/** A node:zlib with zstd where Node is too old to have one: the same functions over the package, keeping the options they were given. */
function standIn(given: object[]) {
  class Whole extends Transform {
    readonly #pieces: Buffer[] = [];
    readonly #turn: (bytes: Buffer) => Buffer;
    constructor(turn: (bytes: Buffer) => Buffer) {
      super();
      this.#turn = turn;
    }
    override _transform(piece: Buffer, _encoding: string, done: TransformCallback): void {
      this.#pieces.push(piece);
      done();
    }
    override _flush(done: TransformCallback): void {
      done(null, this.#turn(Buffer.concat(this.#pieces)));
    }
  }
  const packed = (bytes: Uint8Array): Buffer => compress(bytes, { checksumFlag: true });
  const keeping = <T>(options: object, result: T): T => {
    given.push(options);
    return result;
  };
  return {
    constants: { ZSTD_c_compressionLevel: 100, ZSTD_c_contentSizeFlag: 200, ZSTD_c_checksumFlag: 201 },
    zstdCompressSync: (bytes: Uint8Array, options: object) => keeping(options, packed(bytes)),
    zstdDecompressSync: (bytes: Uint8Array, options: object) => keeping(options, decompress(bytes)),
    createZstdCompress: (options: object) => keeping(options, new Whole(packed)),
    createZstdDecompress: (options: object) => keeping(options, new Whole(decompress)),
  };
}

test('the codec on node:zlib asks for level, checksum, content size and a limit', async () => {
  const given: object[] = [];
  const codec = await loadCodec([() => loadZlibCodec(standIn(given))]);
  expect(codec.name).toBe('node:zlib');
  const raw = Buffer.from('hello hello hello');
  const frame = codec.compress(raw, 7);
  expect(codec.decompress(frame, raw.length)).toEqual(raw);
  const transform = codec.compressStream(2, raw.length);
  transform.end(raw);
  expect(await all(decompressed(codec, transform))).toEqual(raw);
  expect(given).toEqual([
    { params: { 100: 7, 200: 1, 201: 1 }, pledgedSrcSize: 17, chunkSize: 1048576 },
    { maxOutputLength: 17, chunkSize: 64 },
    { params: { 100: 2, 200: 1, 201: 1 }, pledgedSrcSize: 17 },
    { chunkSize: 131072 },
  ]);
});
