import { expect, test } from 'vitest';
import { chunkBytesFor } from '#dist/snapshot/chunk-size.js';

const gb = 10n ** 9n;

test.each([
  [0n, 4],
  [400n * gb, 4],
  [450n * gb, 5],
  [2000n * gb, 20],
  [6000n * gb, 58],
  [100_000n * gb, 64],
])('of %i bytes, chunks are of %i MiB', (bytes, mebi) => {
  expect(chunkBytesFor(bytes)).toBe(mebi << 20);
});
