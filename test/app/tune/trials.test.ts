// The search, with machines that are functions.
import { expect, test } from 'vitest';
import { axes, type Measured, type Settings, search, withSizeOf } from '#dist/app/tune/trials.js';

const start: Settings = { copyFormat: 'auto', compressLevel: 3, jobs: 2, chunkBytes: 4 << 20 };

function measured(settings: Settings, bytesPerSecond: number, wholeBytes: number, picks = 10): Measured {
  const rest = { picks, tableBytes: 1e9, rawBytes: 1e9, compressedBytes: 1e8, busyMs: 1000, wholeMs: 1e12 / bytesPerSecond };
  return { settings, bytesPerSecond, wholeBytes, ratio: 1e9 / wholeBytes, ...rest };
}

function run(along: ReturnType<typeof axes>, machine: (settings: Settings) => Measured) {
  const tried: Settings[] = [];
  const lefts: number[] = [];
  const asking = search(start, along);
  let asked = asking.next();
  while (!asked.done) {
    tried.push(asked.value.settings);
    lefts.push(asked.value.left);
    asked = asking.next(machine(asked.value.settings));
  }
  return { tried, lefts };
}

test('each coordinate is tried with the best of those before it, nothing twice, and the time left is counted right', () => {
  const { tried, lefts } = run(axes({ binary: true, processors: 2 }), (settings) => {
    const { copyFormat, compressLevel, jobs } = settings;
    return measured(settings, 1e8 * jobs * (copyFormat === 'text' ? 2 : 1), 1e8 - compressLevel * 1e6);
  });
  expect(tried[0]).toEqual(start);
  expect(tried[1]).toEqual({ ...start, copyFormat: 'text' });
  expect(tried.slice(2, 6).map(({ copyFormat, compressLevel }) => `${copyFormat} ${compressLevel}`)).toEqual([
    'text 1',
    'text 5',
    'text 7',
    'text 9',
  ]);
  expect(tried.slice(6, 9)).toEqual([1, 3, 4].map((jobs) => ({ ...start, copyFormat: 'text', compressLevel: 9, jobs })));
  expect(tried.slice(9).map(({ jobs, chunkBytes }) => [jobs, chunkBytes])).toEqual([
    [4, 1 << 20],
    [4, 16 << 20],
  ]);
  expect(lefts).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
});

test('no format is tried that would be the same; jobs go up to twice the processors, and to 8', () => {
  const values = (name: string, processors: number) => axes({ binary: false, processors }).find((axis) => axis.name === name)?.values;
  expect(values('copyFormat', 2)).toEqual(['auto']);
  expect(values('jobs', 1)).toEqual([1, 2]);
  expect(values('jobs', 3)).toEqual([1, 2, 3, 4, 6]);
  expect(values('jobs', 64)).toEqual([1, 2, 3, 4, 6, 8]);
});

test('of trials that differ in their jobs alone the one that has read most tells the size', () => {
  const most = measured(start, 1e8, 5e7, 20);
  const others = [measured({ ...start, compressLevel: 9 }, 1e7, 4e7, 30), measured({ ...start, jobs: 3 }, 1e8, 6e7, 15), most];
  const trial = measured({ ...start, jobs: 1 }, 9e7, 7e7, 10);
  expect(withSizeOf(trial, others)).toEqual({ ...trial, wholeBytes: 5e7, ratio: most.ratio });
  expect(withSizeOf({ ...trial, picks: 25 }, others)).toEqual({ ...trial, picks: 25 });
});
