import { expect, test } from 'vitest';
import { chooseLevel, type Trial, tryLevels, usualLevel, type WeightedSample } from '#dist/snapshot/choose-level.js';

/** MB/s and ratio by level, as they were measured on rows of an indexer. */
const rows: Readonly<Record<number, readonly [speed: number, ratio: number]>> = {
  1: [430, 4.3],
  3: [420, 4.3],
  5: [74, 4.5],
  7: [50, 4.6],
  9: [35, 4.7],
  12: [15, 4.71],
  15: [6, 4.72],
  19: [2, 5.2],
};
/** Articles, and source code: as before. */
const articles = { 1: [294, 2.57], 3: [250, 2.69] } as const;
const code = { 1: [497, 5.26], 3: [370, 5.79] } as const;
/** Random bytes: nothing is saved by any level. */
const random = Object.fromEntries(Object.entries(rows).map(([level, [speed]]) => [level, [speed, 1] as const]));

/** A sample of a table whose rows come at so many MB/s. */
function sampleAt(readSpeed: number, data: Readonly<Partial<typeof rows>> = rows, weight = 1_000_000_000n): WeightedSample {
  const speed = { rawBytes: 2_000_000, readMs: 2000 / readSpeed };
  const compress = (level: number): Trial => {
    const [megabytes, ratio] = data[level] ?? [1, 1];
    return { level, rawBytes: 1_000_000, compressedBytes: 1_000_000 / ratio, ms: 1000 / megabytes };
  };
  return { ...speed, weight, trials: tryLevels(speed, compress) };
}

test.each([
  { read: 500, level: 3, why: 'about as fast as reading' },
  { read: 300, level: 3, why: 'a local server: no time for level 5' },
  { read: 100, level: 3, why: 'level 5 would take more than half of the time' },
  { read: 36, level: 5, why: 'a link of 300 Mbit/s' },
  { read: 12, level: 9, why: 'a link of 100 Mbit/s' },
  { read: 0.9, level: 19, why: 'a link of 7 Mbit/s' },
])('rows at $read MB/s: level $level ($why)', ({ read, level }) => {
  const choice = chooseLevel([sampleAt(read)]);
  expect(choice.level).toBe(level);
  expect(choice.sample?.readMegabytesPerSecond).toBe(Math.round(read));
  expect(choice.sample?.tried.find((one) => one.level === 3)).toEqual({ level: 3, megabytesPerSecond: 420, ratio: 4.3 });
});

test.each([
  { data: articles, level: 1, reason: 'level 3 takes longer than reading, and this one makes it 5 % larger' },
  { data: code, level: 3, reason: 'level 1 would make it 10 % larger' },
  { data: rows, level: 3, reason: 'level 1 is hardly faster' },
])('where level 3 would be waited for: $reason', ({ data, level, reason }) => {
  expect(chooseLevel([sampleAt(600, data)])).toMatchObject({ level, reason });
  // Another table that comes more slowly, where level 3 is not waited for, counts with that.
  expect(chooseLevel([sampleAt(600, data), sampleAt(100, data, 1_000_000n)])).toMatchObject({ level });
});

test('a higher level that saves nothing is not taken', () => {
  expect(chooseLevel([sampleAt(1, random)])).toMatchObject({ level: usualLevel, reason: expect.stringContaining('next to nothing') });
});

test('levels that there is no time for are not tried', () => {
  expect(sampleAt(300).trials.map(({ level }) => level)).toEqual([3]);
  expect(sampleAt(100).trials.map(({ level }) => level)).toEqual([3, 5]);
  expect(sampleAt(600).trials.map(({ level }) => level)).toEqual([3, 1]);
});

test('a level that there is no time for need not be measured exactly, whatever is compared with another one must', () => {
  const asked: [number, number | undefined][] = [];
  tryLevels({ rawBytes: 2_000_000, readMs: 28 }, (level, affordable) => {
    asked.push([level, affordable]);
    return { level, rawBytes: 1_000_000, compressedBytes: 500_000, ms: level };
  });
  expect(asked).toEqual([
    [3, undefined],
    [5, 7e-6],
    [7, 7e-6],
    [9, 7e-6],
  ]);
});

test('tables count by their size, and the fastest reading counts for all', () => {
  expect(chooseLevel([sampleAt(12, rows, 1n), sampleAt(12, random, 1_000_000n)]).level).toBe(usualLevel);
  expect(chooseLevel([sampleAt(12), sampleAt(12, random, 1n)]).level).toBe(9);
  expect(chooseLevel([sampleAt(12), sampleAt(300)]).level).toBe(usualLevel);
  expect(chooseLevel([sampleAt(12), sampleAt(3000)]).level).toBe(usualLevel);
});

test('without samples it is the usual level, and says so', () => {
  expect(chooseLevel([])).toEqual({ level: usualLevel, reason: 'there is too little to read for a sample' });
});
