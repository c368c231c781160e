import { expect, test } from 'vitest';
import { decideFormat } from '#dist/snapshot/copy-format.js';
import { timeOfText } from '#dist/snapshot/form-time.js';

const base = (typeOid: number) => ({ typeOid, typtype: 'b', elementOid: 0 });
const bytea = base(17);
const int8 = base(20);
const int4 = base(23);
const text = base(25);
const date = base(1082);
const timestamptz = base(1184);
const numeric = base(1700);
const jsonb = base(3802);
const colour = { typeOid: 50_000, typtype: 'e', elementOid: 0 };
const wide = (...bytes: number[]) => bytes.map((one) => ({ nulls: 0, bytes: one }));

test.each([
  ['integers and short codes', [int8, int4, int4, text], [8, 4, 4, 1], 'faster'],
  ['prices and dates among them', [int8, int4, int4, int4, numeric, numeric, text, text, date], [8, 4, 4, 4, 10, 12, 1, 10, 4], 'faster'],
  ['a label', [int8, colour], [8, 5], 'faster'],
  ['a hash as text', [int8, text], [8, 66], 'slower'],
  ['times', [int8, int4, timestamptz], [8, 4, 8], 'slower'],
  ['bytes', [int8, bytea], [8, 32], 'slower'],
  ['numbers of 78 digits', [int8, numeric], [8, 48], 'slower'],
] as const)('%s', (_, columns, bytes, is) => {
  const time = timeOfText(columns, wide(...bytes)) ?? Number.NaN;
  expect(is === 'faster' ? time < 1 : time > 1.05).toBe(true);
});

test('NULL takes next to nothing in either form', () => {
  const [all, none] = [0, 1].map((nulls) =>
    timeOfText(
      [int4, timestamptz],
      [
        { nulls: 0, bytes: 4 },
        { nulls, bytes: 8 },
      ],
    ),
  );
  expect(all).toBeGreaterThan(1.5);
  expect(none).toBeLessThan(1);
});

test('without widths values count as short', () => {
  expect(timeOfText([int8, text])).toBeLessThan(1);
  expect(timeOfText([int8, timestamptz])).toBeGreaterThan(1);
});

test.each([
  ['no column', []],
  ['a type of which it is not known', [int8, jsonb]],
  ['more columns than widths', [int8, int8, int8]],
])('%s: no word of it', (_, columns) => {
  expect(timeOfText(columns, wide(8, 8))).toBeUndefined();
});

test.each([
  ['text', 'as fast, and smaller', { timeOfText: 1, text: 99, binary: 100 }],
  ['binary', 'as fast, but larger', { timeOfText: 0.9, text: 101, binary: 100 }],
  ['binary', 'smaller, but slower', { timeOfText: 1.05, text: 50, binary: 100 }],
  ['binary', 'neither', { timeOfText: 1, text: 100, binary: 100 }],
] as const)('%s: text is %s', (format, _, sample) => {
  expect(decideFormat(sample)).toBe(format);
});
