// Numbers, names and durations as people read them.
import { expect, test } from 'vitest';
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
  [172_799_999, '47 h 59 min'],
  [273_600_000, '3 d 4 h'],
])('%s ms are %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
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
