// Numbers and durations as people write them.
import { InvalidArgumentError } from 'commander';
import { describe, expect, test } from 'vitest';
import { collect, compression, compressLevel, duration, height, wholeNumber } from '#dist/cli/arguments.js';

describe('arguments', () => {
  test.each([
    [wholeNumber, '0', 0],
    [wholeNumber, '16', 16],
    [height, '0', 0n],
    [height, '9223372036854775807', 9223372036854775807n],
    [compressLevel, '3', 3],
    [compressLevel, 'zstd:19', 19],
    [compressLevel, '-5', -5],
    [compression, 'auto', 'auto'],
    [compression, 'zstd:19', 19],
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
