// Which compression parameters the chunks of a range get: by a sample of the table, or by the range's own first rows.
import { describe, expect, test } from 'vitest';
import type { Codec } from '#dist/frame/codec.js';
import { type CompressionParameters, defaultParameters } from '#dist/frame/compression-parameters.js';
import { ChunkBuilder } from '#dist/snapshot/chunk-builder.js';
import { FrameMemory } from '#dist/snapshot/frame-memory.js';
import type { SampledRows } from '#dist/snapshot/messages.js';
import { type ChunkTools, RangeChunks } from '#dist/snapshot/range-chunks.js';
import { SeenRows } from '#dist/snapshot/seen-rows.js';
import { Window } from '#dist/snapshot/window.js';

const chunkBytes = 64 << 10;
const sampled: CompressionParameters = { strategy: 1, hashLog: 14, minMatch: 7, targetLength: 3 };

/** Rows to `factor` of their bytes, whatever the parameters; and what it was asked for. */
function codecTo(factor: number) {
  const asked: (CompressionParameters | undefined)[] = [];
  const compress: Codec['compress'] = (input, _level, { parameters } = {}) => {
    asked.push(parameters);
    return Buffer.alloc(Math.round(input.length * factor));
  };
  return { codec: { compress } as Codec, asked };
}

function toolsOf(codec: Codec, bytes: number, sent: bigint[] = []): ChunkTools {
  const buffer = ChunkBuilder.allocate(bytes);
  return {
    codec,
    settings: {
      connection: { host: '', port: 0, user: '', database: '' },
      encoding: undefined,
      chunkBytes: bytes,
      window: 8,
      framesComeBack: false,
      bare: true,
      foreignTables: false,
      spoolPrefix: '',
    },
    buffer,
    frames: new FrameMemory(false),
    window: new Window(8 * bytes),
    seen: new SeenRows(),
    spoolPath: () => '',
    send: (_, rows) => sent.push(rows),
    stop: () => undefined,
  };
}

/** Two rows fill a chunk. */
function feed({ builder }: RangeChunks, bytes: number, rows: number): void {
  const row = Buffer.from(`${'x'.repeat(bytes / 2 - 1)}\n`);
  for (let n = 0; n < rows; n += 1) {
    builder.room(row.length);
    builder.offset += row.copy(builder.buffer, builder.offset);
    builder.message(row.length);
  }
}

/** Compresses a range of three chunks. @returns the parameters that the codec was asked for, one call after the other */
function parametersOf(factor: number, known: SampledRows | undefined, level = 3) {
  const { codec, asked } = codecTo(factor);
  const sent: bigint[] = [];
  const task = { id: 0, statement: '', format: 'text', table: 't', directory: 'd', range: 0, ...(known && { sampled: known }) } as const;
  const chunks = new RangeChunks(task, level, toolsOf(codec, chunkBytes, sent));
  feed(chunks, chunkBytes, 6);
  expect(chunks.end(6n)).toBeUndefined();
  expect(sent).toEqual([2n, 2n, 2n]);
  return asked;
}

test('without a sample the rows of the first chunk are tried, and all chunks get what is best', () => {
  const asked = parametersOf(0.2, undefined);
  expect(new Set(asked.slice(0, -3)).size).toBe(3);
  expect(asked.slice(-3)).toEqual([sampled, sampled, sampled]);
});

test('rows like the sample of their table are not tried', () => {
  expect(parametersOf(0.2, { parameters: sampled, compressedTo: 0.2 })).toEqual([sampled, sampled, sampled]);
  expect(parametersOf(0.1, { parameters: sampled, compressedTo: 0.2 })).toEqual([sampled, sampled, sampled]);
});

test('rows that are not like the sample are tried after the first chunk', () => {
  const usual = defaultParameters(3) as CompressionParameters;
  const asked = parametersOf(0.2, { parameters: usual, compressedTo: 0.18 });
  expect(asked[0]).toEqual(usual);
  expect(new Set(asked.slice(1, -2)).size).toBe(3);
  expect(asked.slice(-2)).toEqual([sampled, sampled]);
});

test.each([
  { bytes: 1n << 20n, tried: 64 << 10 },
  { bytes: 4n << 20n, tried: 128 << 10 },
  { bytes: 64n << 20n, tried: 256 << 10 },
  { bytes: undefined, tried: 256 << 10 },
])('a range of $bytes bytes is tried with a part of it, as far as its first chunk goes: $tried', ({ bytes, tried }) => {
  const lengths: number[] = [];
  const compress: Codec['compress'] = (input) => {
    lengths.push(input.length);
    return Buffer.alloc(input.length >> 2);
  };
  const size = 256 << 10;
  const tools = toolsOf({ compress } as Codec, size);
  const task = { id: 0, statement: '', format: 'text', table: 't', directory: 'd', range: 0, ...(bytes && { bytes }) } as const;
  const chunks = new RangeChunks(task, 3, tools);
  feed(chunks, size, 2);
  expect(chunks.end(2n)).toBeUndefined();
  expect(new Set(lengths.slice(0, -1))).toEqual(new Set([tried]));
});

test('a level with one meaning is never tried', () => {
  expect(parametersOf(0.2, undefined, 7)).toEqual([undefined, undefined, undefined]);
});

describe('tables with the same columns', () => {
  /** Ranges of one chunk each, read one after the other. @returns how many parameters were asked for of each */
  function triesOf(
    tables: readonly { readonly name: string; readonly factor: number; readonly bytes?: number; readonly columns?: string }[],
  ) {
    const seen = new SeenRows();
    return tables.map(({ name, factor, bytes = chunkBytes, columns = 'id' }) => {
      const { codec, asked } = codecTo(factor);
      const statement = `COPY ${name} (${columns}) TO STDOUT (FORMAT text)`;
      const task = { id: 0, statement, format: 'text', table: name, directory: name, range: 0 } as const;
      const chunks = new RangeChunks(task, 3, { ...toolsOf(codec, bytes), seen });
      feed(chunks, bytes, 2);
      expect(chunks.end(2n)).toBeUndefined();
      return asked.length - 1;
    });
  }

  test('are tried once', () => {
    const tables = ['t1', 't2', '"$&"'].map((name) => ({ name, factor: 0.2 }));
    expect(triesOf(tables)).toEqual([3, 0, 0]);
  });

  test('are tried again after one that was not like those before', () => {
    const [like, unlike] = [0.2, 0.3];
    expect(triesOf([like, unlike, unlike, unlike].map((factor, n) => ({ name: `t${n}`, factor })))).toEqual([3, 0, 3, 0]);
  });

  test('are not judged by so few rows that they compress badly', () => {
    const few = { factor: 0.9, bytes: 16 << 10 };
    expect(
      triesOf([
        { name: 'a', ...few },
        { name: 'b', factor: 0.2 },
        { name: 'c', ...few },
        { name: 'd', factor: 0.2 },
      ]),
    ).toEqual([0, 3, 0, 0]);
  });

  test('in another form, or with other columns, are others', () => {
    expect(
      triesOf([
        { name: 't', factor: 0.2 },
        { name: 'u', factor: 0.2, columns: 'id, at' },
      ]),
    ).toEqual([3, 3]);
  });
});
