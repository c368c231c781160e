import { expect, test } from 'vitest';
import { valueWidths } from '#dist/snapshot/value-widths.js';

const signature = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
const int16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
};
const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
/** A row of values of so many bytes; null: NULL. */
const row = (...lengths: (number | null)[]): Buffer =>
  Buffer.concat([
    int16(lengths.length),
    ...lengths.flatMap((length) => (length === null ? [int32(-1)] : [int32(length), Buffer.alloc(length, 'x')])),
  ]);
const header = (extension = 0): Buffer => Buffer.concat([signature, int32(0), int32(extension), Buffer.alloc(extension)]);
const trailer = int16(-1);

test('each column by itself; NULL has no length', () => {
  const copy = Buffer.concat([header(), row(4, 10, null), row(4, 20, null), row(4, null, null), row(4, 0, 8), trailer]);
  expect(valueWidths(copy)).toEqual([
    { nulls: 0, bytes: 4 },
    { nulls: 0.25, bytes: 10 },
    { nulls: 0.75, bytes: 8 },
  ]);
});

test('a row that is cut off does not count, wherever it is', () => {
  const two = Buffer.concat([header(), row(4, 6), row(4, 8)]);
  const whole = valueWidths(two);
  const third = row(4, 100);
  for (let length = 0; length < third.length; length += 1)
    expect(valueWidths(Buffer.concat([two, third.subarray(0, length)]))).toEqual(whole);
  expect(valueWidths(Buffer.concat([two, third]))?.[1]?.bytes).toBe(38);
});

test('what follows the header may be longer', () => {
  expect(valueWidths(Buffer.concat([header(7), row(3)]))).toEqual([{ nulls: 0, bytes: 3 }]);
});

test('no more rows than say something', () => {
  const copy = Buffer.concat([header(), ...Array.from({ length: 1000 }, () => row(1)), row(1_000_000)]);
  expect(valueWidths(copy)).toEqual([{ nulls: 0, bytes: 1 }]);
});

test.each([
  ['text', Buffer.from('1\tone\n2\ttwo\nthree is longer than a header\n')],
  ['nothing', Buffer.alloc(0)],
  ['part of a header', header().subarray(0, 15)],
  ['no row', Buffer.concat([header(), trailer])],
])('%s says nothing', (_, copy) => {
  expect(valueWidths(copy)).toBeUndefined();
});
