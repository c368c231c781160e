// Which compression parameters the chunks of a range get: by a sample of the table, or by the range's own first rows.
import { expect, test } from 'vitest';
import { type Codec, frameBound } from '#dist/frame/codec.js';
import { type CompressionParameters, defaultParameters } from '#dist/frame/compression-parameters.js';
import { ChunkBuilder } from '#dist/snapshot/chunk-builder.js';
import { FrameMemory } from '#dist/snapshot/frame-memory.js';
import type { SampledRows } from '#dist/snapshot/messages.js';
import { type ChunkTools, RangeChunks } from '#dist/snapshot/range-chunks.js';
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

/** Compresses a range of three chunks. @returns the parameters that the codec was asked for, one call after the other */
function parametersOf(factor: number, known: SampledRows | undefined, level = 3) {
  const { codec, asked } = codecTo(factor);
  const buffer = ChunkBuilder.allocate(chunkBytes);
  const sent: bigint[] = [];
  const tools: ChunkTools = {
    codec,
    settings: {
      connection: { host: '', port: 0, user: '', database: '' },
      encoding: undefined,
      chunkBytes,
      window: 8,
      framesComeBack: false,
      bare: true,
      foreignTables: false,
      spoolPrefix: '',
    },
    buffer,
    frames: new FrameMemory(frameBound(buffer.length), false),
    window: new Window(8 * chunkBytes),
    spoolPath: () => '',
    send: (_, rows) => sent.push(rows),
    stop: () => undefined,
  };
  const task = { id: 0, statement: '', format: 'text', table: 't', directory: 'd', range: 0, ...(known && { sampled: known }) } as const;
  const chunks = new RangeChunks(task, level, tools);
  const row = Buffer.from(`${'x'.repeat(chunkBytes / 2 - 1)}\n`);
  for (let n = 0; n < 6; n += 1) {
    const { builder } = chunks;
    builder.room(row.length);
    builder.offset += row.copy(builder.buffer, builder.offset);
    builder.message(row.length);
  }
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

test('a level with one meaning is never tried', () => {
  expect(parametersOf(0.2, undefined, 7)).toEqual([undefined, undefined, undefined]);
});
