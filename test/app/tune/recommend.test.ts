import { expect, test } from 'vitest';
import { estimateArchive } from '#dist/app/tune/estimate.js';
import { recommend, smallest } from '#dist/app/tune/recommend.js';
import { shareOf } from '#dist/app/tune/share.js';
import type { Measured } from '#dist/app/tune/trials.js';

const chunk = 4 << 20;

function trial(megabytesPerSecond: number, archive: number, { jobs = 2, chunkBytes = chunk } = {}): Measured {
  const rest = { picks: 1, tableBytes: 1, rawBytes: 1, compressedBytes: 1, busyMs: 1, wholeMs: 1, ratio: 1 };
  return {
    settings: { copyFormat: 'auto', compressLevel: 3, jobs, chunkBytes },
    bytesPerSecond: megabytesPerSecond * 1e6,
    wholeBytes: archive,
    ...rest,
  };
}

test.each([
  ['the smallest within 5 % of the fastest', [trial(100, 50), trial(96, 40), trial(94, 30)], 1],
  ['the fastest, where nothing is near it', [trial(100, 50), trial(80, 40)], 0],
  [
    'of one size the one with the fewest jobs',
    [trial(100, 5000, { jobs: 4 }), trial(96, 5010, { jobs: 2 }), trial(97, 5000, { jobs: 3 })],
    1,
  ],
  ['then the smallest chunks', [trial(100, 5000, { chunkBytes: 2 * chunk }), trial(98, 5001)], 1],
  ['then the fastest', [trial(98, 5000), trial(100, 5000)], 1],
])('recommended: %s', (_, trials, index) => {
  expect(recommend(trials)).toBe(trials[index]);
});

test('the smallest archive, whatever it costs; of several the fastest', () => {
  const trials = [trial(100, 5000), trial(10, 3001), trial(20, 3010), trial(50, 4000)];
  expect(smallest(trials)).toBe(trials[2]);
  expect(recommend([])).toBeUndefined();
});

const part = (table: number, wholeBytes: number, reference: number, compressed?: number) => ({
  ...{ table, wholeBytes, tableBytes: 100, reference },
  compressed,
});

test('a table counts by its size in the database, however much of it was read; what was not read as the mean', () => {
  const parts = [part(1, 800, 10, 10), part(2, 100, 50, 50)];
  expect(estimateArchive(parts, 900)).toBeCloseTo(130);
  expect(estimateArchive(parts, 1800)).toBeCloseTo(260);
  expect(estimateArchive([], 1800)).toBe(0);
});

test('a slow trial is judged by the parts that it has read, against the first reading of the same parts', () => {
  // The first part compresses well, the second badly; only the first was tried, and got smaller by a tenth.
  expect(estimateArchive([part(1, 1000, 10, 9), part(1, 1000, 50)], 1000)).toBeCloseTo(300 * 0.9);
  expect(estimateArchive([part(1, 1000, 10, 9), part(2, 1000, 50)], 2000)).toBeCloseTo((100 + 500) * 0.9);
  expect(estimateArchive([part(1, 1000, 10, 9), part(2, 1000, 50, 50)], 2000)).toBeCloseTo(90 + 500);
});

test('time is shared out among what is to come, less what a trial takes beside its reading', () => {
  expect(shareOf({ leftMs: 10_000, trials: 10, asideMs: 0 })).toBe(1000);
  expect(shareOf({ leftMs: 10_000, trials: 10, shares: 2, asideMs: 300 })).toBe(1700);
  expect(shareOf({ leftMs: 1000, trials: 10, asideMs: 300 })).toBe(20);
  expect(shareOf({ leftMs: 100, trials: 1, asideMs: 300 })).toBeUndefined();
});
