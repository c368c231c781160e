// Durations and sizes as people write them.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseBytes, parseDuration } from '#dist/app/quantities.js';
import { describeMs } from '#dist/rules/rule.js';

test.each([
  ['0', 0],
  ['1500', 1500],
  ['500ms', 500],
  ['10s', 10_000],
  ['1.5s', 1500],
  ['15m', 900_000],
  ['15 min', 900_000],
  ['1h30m', 5_400_000],
  ['2 d 12 h', 216_000_000],
  ['7d', 604_800_000],
])('%j is %d ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(['', 's', '-1s', '1e3s', '10x', '30m1h', '1h1h', '1h 30', '1,5s', 'toString', '1constructor', `${'9'.repeat(20)}d`])(
  '%j is no duration',
  (text) => {
    expect(parseDuration(text)).toBeUndefined();
  },
);

test('what durations are printed as can be read again', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 40), (ms) => {
      expect(parseDuration(describeMs(ms))).toBe(ms);
    }),
  );
});

test.each([
  ['0', 0n],
  ['512', 512n],
  ['512B', 512n],
  ['64MB', 64_000_000n],
  ['64 mb', 64_000_000n],
  ['1GiB', 1n << 30n],
  ['1.5 kB', 1500n],
  ['0.5KiB', 512n],
  ['2T', 2_000_000_000_000n],
  ['9PiB', 9n << 50n],
])('%j is %d bytes', (text, bytes) => {
  expect(parseBytes(text)).toBe(bytes);
});

test.each(['', 'MB', '-1MB', '1e3', '1iB', '1XB', '1,5GB', '1 G B', '0x10'])('%j is no size', (text) => {
  expect(parseBytes(text)).toBeUndefined();
});
