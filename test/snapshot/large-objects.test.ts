// How large objects are split among the workers, and what of them a COPY asks for.
import { expect, test } from 'vitest';
import { copyLargeObjects, splitLargeObjects } from '#dist/snapshot/large-objects.js';

const split = (small: readonly (readonly [cell: number, objects: number, bytes: number])[], target = 1000) =>
  splitLargeObjects(
    { large: [], small: small.map(([cell, objects, bytes]) => ({ cell, objects, bytes: BigInt(bytes) })) },
    BigInt(target),
  ).map(({ name, oids }) => [name, ...oids]);

test('a few are one range, wherever they are', () => {
  expect(split([[64, 3, 100]], 10_000)).toEqual([['0000000000', 0, 2 ** 32 - 1]]);
  expect(split([])).toEqual([]);
});

test('boundaries are powers of two, and every cell is in exactly one range', () => {
  // Each cell weighs its bytes and 2048 for its object.
  const cells = [0, 1, 2, 3, 100, 2 ** 24 - 1].map((cell) => [cell, 1, 900] as const);
  expect(split(cells, 6000)).toEqual([
    ['0000000000', 0, 511],
    ['0000000512', 512, 1023],
    ['0000016384', 16384, 32767],
    ['2147483648', 2 ** 31, 2 ** 32 - 1],
  ]);
});

test('what is far away does not move a boundary', () => {
  const here = [0, 1, 2, 3].map((cell) => [cell, 1, 900] as const);
  const ranges = split([...here, [1000, 1, 900]], 6000);
  expect(split([...here, [1000, 1, 900], [2000, 1, 900], [2 ** 23, 500, 900]], 6000).slice(0, 2)).toEqual(ranges.slice(0, 2));
});

test('one cell is not split', () => {
  expect(split([[7, 256, 10 ** 9]])).toEqual([['0000001792', 1792, 2047]]);
});

test('a large one is read in parts', () => {
  const ranges = splitLargeObjects({ large: [{ oid: 77, bytes: 2500n }], small: [] }, 1000n);
  expect(ranges.map(({ name, part }) => [name, part])).toEqual([
    ['0000000077.00000', { from: 0n, end: 1000n, size: 2500n }],
    ['0000000077.00001', { from: 1000n, end: 2000n, size: 2500n }],
    ['0000000077.00002', { from: 2000n, end: 2500n, size: 2500n }],
  ]);
  expect(copyLargeObjects(ranges[1] ?? never(), 'binary')).toContain('generate_series(1000::int8, 2000::int8 - 1, 262144)');
});

function never(): never {
  throw new Error('no such range');
}
