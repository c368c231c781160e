// Numbers, names and durations as people read and write them.
import { InvalidArgumentError } from 'commander';
import { describe, expect, test } from 'vitest';
import { collect, compressLevel, duration, height, wholeNumber } from '#dist/cli/arguments.js';
import { printable } from '#dist/model/printable.js';
import { formatAge, formatBytes, formatCount, formatCounted, formatDuration } from '#dist/model/units.js';

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [1234567n, '1.2 MB'],
  [999_949, '999.9 kB'],
  [999_950, '1.0 MB'],
  [10n ** 15n, '1.0 PB'],
  [5n * 10n ** 18n, '5000.0 PB'],
])('%s bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [0, '0'],
  [999n, '999'],
  [1000, '1,000'],
  [1234567890123456789n, '1,234,567,890,123,456,789'],
])('%s is written %s', (count, text) => {
  expect(formatCount(count)).toBe(text);
});

test('one is one, and all else are many', () => {
  expect(formatCounted(1, 'row')).toBe('1 row');
  expect(formatCounted(1n, 'row')).toBe('1 row');
  expect(formatCounted(0n, 'row')).toBe('0 rows');
  expect(formatCounted(1000, 'row')).toBe('1,000 rows');
});

test.each([
  [0, '0.00 s'],
  [420, '0.42 s'],
  [9_994, '9.99 s'],
  [9_996, '10.0 s'],
  [12_340, '12.3 s'],
  [59_960, '1 min 0 s'],
  [200_000, '3 min 20 s'],
  [3_599_999, '59 min 59 s'],
  [7_500_000, '2 h 5 min'],
])('%s ms are %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

describe('arguments', () => {
  test.each([
    [wholeNumber, '0', 0],
    [wholeNumber, '16', 16],
    [height, '0', 0n],
    [height, '9223372036854775807', 9223372036854775807n],
    [compressLevel, '3', 3],
    [compressLevel, 'zstd:19', 19],
    [compressLevel, '-5', -5],
    [duration, '1500', 1500],
    [duration, '1500ms', 1500],
    [duration, '10s', 10_000],
    [duration, '1.5s', 1500],
    [duration, '5min', 300_000],
    [duration, '5 min', 300_000],
    [duration, '2h', 7_200_000],
    [duration, '1d', 86_400_000],
    [duration, '0', 0],
  ])('%o reads %s', (read, text, value) => {
    expect(read(text)).toBe(value);
  });

  test.each([
    [wholeNumber, ''],
    [wholeNumber, '1.5'],
    [wholeNumber, '-1'],
    [wholeNumber, '1e3'],
    [wholeNumber, '0x10'],
    [wholeNumber, '1234567890'],
    [height, 'abc'],
    [height, '1.0'],
    [height, ''],
    [height, '-1'],
    [height, '18446744073709551616'],
    [compressLevel, 'gzip:3'],
    [compressLevel, 'fast'],
    [compressLevel, '3:long'],
    [duration, ''],
    [duration, '10x'],
    [duration, '-1s'],
    [duration, '1e3s'],
    [duration, 'toString'],
    [duration, '1constructor'],
  ])('%o refuses %j', (read, text) => {
    expect(() => read(text)).toThrow(InvalidArgumentError);
  });

  test('what may be given several times comes together in order', () => {
    expect(collect('b', collect('a'))).toEqual(['a', 'b']);
  });
});

test('control characters are shown, not sent', () => {
  expect(printable('a\u001b]0;x\u0007b\nc\td\u007f\u009b31m\u202e\u2028é😀')).toBe(
    'a\\u001b]0;x\\u0007b\\nc\\td\\u007f\\u009b31m\\u202e\\u2028é😀',
  );
});

test.each([
  [0, '0 seconds'],
  [1000, '1 second'],
  [119_999, '119 seconds'],
  [120_000, '2 minutes'],
  [5_400_000, '90 minutes'],
  [7_200_000, '2 hours'],
  [172_799_999, '47 hours'],
  [172_800_000, '2 days'],
  [400 * 86_400_000, '400 days'],
])('an age of %s ms is %s', (ms, text) => {
  expect(formatAge(ms)).toBe(text);
});
