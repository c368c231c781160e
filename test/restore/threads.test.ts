import { expect, it } from 'vitest';
import { threadsFor } from '#dist/restore/load-rows.js';

it.each([
  [[], 4, 0],
  [[3n, 1000n], 4, 0],
  [[1n << 19n, 1n << 19n], 4, 1],
  [[3n << 20n], 2, 2],
  [[1n << 40n], 8, 8],
] as const)('rows of %s bytes and %i jobs are for %i threads', (sizes, jobs, threads) => {
  const loads = sizes.map((rawBytes) => ({ rawBytes }));
  expect(threadsFor(loads, jobs)).toBe(threads);
});
