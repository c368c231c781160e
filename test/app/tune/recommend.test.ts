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

test('a table counts by its size in the database, however much of it was read; others as the mean', () => {
  const samples = [
    { wholeBytes: 800, tableBytes: 80, compressedBytes: 8 },
    { wholeBytes: 100, tableBytes: 100, compressedBytes: 50 },
    { wholeBytes: 50, tableBytes: 0, compressedBytes: 0 },
  ];
  expect(estimateArchive(samples, 900)).toBeCloseTo(130);
  expect(estimateArchive(samples, 1800)).toBeCloseTo(260);
  expect(estimateArchive([], 1800)).toBe(0);
});

test('time is shared out among what is to come, less what a trial takes beside its reading', () => {
  expect(shareOf({ leftMs: 10_000, trials: 10, asideMs: 0 })).toBe(1000);
  expect(shareOf({ leftMs: 10_000, trials: 10, shares: 2, asideMs: 300 })).toBe(1700);
  expect(shareOf({ leftMs: 1000, trials: 10, asideMs: 300 })).toBe(20);
  expect(shareOf({ leftMs: 100, trials: 1, asideMs: 300 })).toBeUndefined();
});
