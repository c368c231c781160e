import { expect, test } from 'vitest';
import { together } from '#dist/restore/together.js';

const kib = 1024n;

/** Sizes in KiB, as they go together. */
const grouped = (sizes: readonly bigint[]): bigint[][] =>
  [...together(sizes.map((size) => ({ chunk: { rawBytes: size * kib } })))].map((group) => group.map(({ chunk }) => chunk.rawBytes / kib));

test.each([
  ['nothing', [], []],
  ['a large one', [4096n], [[4096n]]],
  ['large ones, each by itself', [4096n, 65n, 70n], [[4096n], [65n], [70n]]],
  ['small ones', [1n, 64n, 0n], [[1n, 64n, 0n]]],
  ['small ones between large ones, in their order', [100n, 1n, 2n, 100n, 3n], [[100n], [1n, 2n], [100n], [3n]]],
  ['no more than 512 KiB', Array(9).fill(60n), [Array(8).fill(60n), [60n]]],
  ['no more than 32', Array(70).fill(1n), [Array(32).fill(1n), Array(32).fill(1n), Array(6).fill(1n)]],
])('%s', (_what, sizes, groups) => {
  expect(grouped(sizes)).toEqual(groups);
});
