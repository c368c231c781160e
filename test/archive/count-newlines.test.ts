// Newlines are counted in two ways, by turns: whatever the rows are like, and wherever they lie in memory, each is counted once.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countNewlines } from '#dist/archive/count-newlines.js';

const block = 64 * 1024;

/** Bytes of which those at the ends of rows are newlines, and the others are nearly. */
function rowsOf(lengths: readonly number[]): Buffer {
  const others = [0x0b, 0x8a, 0x00, 0xff, 0x09, 0x0e, 0x1a];
  const bytes = Buffer.alloc(lengths.reduce((sum, length) => sum + length, 0));
  for (let at = 0; at < bytes.length; at++) bytes[at] = others[at % others.length] as number;
  let end = 0;
  for (const length of lengths) {
    end += length;
    bytes[end - 1] = 0x0a;
  }
  return bytes;
}

test.each([0, 1, 2, 3])('rows of any lengths, in blocks of both kinds, from byte %i of a word on', (from) => {
  const lengths = fc.array(
    fc
      .record({ length: fc.integer({ min: 1, max: 300 }), times: fc.integer({ min: 1, max: 3000 }) })
      .map(({ length, times }) => Array<number>(times).fill(length)),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(lengths, fc.integer({ min: 0, max: 9 }), (groups, cut) => {
      const rows = groups.flat();
      const bytes = Buffer.concat([Buffer.alloc(from), rowsOf(rows), Buffer.alloc(cut)]);
      expect(countNewlines(bytes.subarray(from))).toBe(rows.length);
    }),
    { numRuns: 60 },
  );
});

test('nothing but newlines', () => {
  for (const length of [0, 1, 3, 7, 8, 1023, block, block + 1, 3 * block + 5]) {
    const memory = Buffer.alloc(length + 1, '\n');
    expect([countNewlines(memory.subarray(0, length)), countNewlines(memory.subarray(1))]).toEqual([length, length]);
  }
});

test('every byte that is none', () => {
  const others = Buffer.from(Array.from({ length: 4096 }, (_, at) => at % 256)).map((byte) => (byte === 0x0a ? 0x0b : byte));
  expect(countNewlines(Buffer.from(others))).toBe(0);
});
