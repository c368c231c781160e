import { expect, test } from 'vitest';
import { chooseFormat } from '#dist/snapshot/copy-format.js';

const base = (typeOid: number) => ({ typeOid, typtype: 'b', elementOid: 0 });
const bool = base(16);
const int8 = base(20);
const int4 = base(23);
const text = base(25);
const oid = base(26);
const timestamptz = base(1184);
const colour = { typeOid: 50_000, typtype: 'e', elementOid: 0 };
const composite = { typeOid: 50_001, typtype: 'c', elementOid: 0 };
const integers = { typeOid: 1007, typtype: 'b', elementOid: 23 };
const composites = { typeOid: 50_002, typtype: 'b', elementOid: 50_001 };

test.each([
  ['text', 'integers, booleans and enums alone', [bool, int4, int8, colour]],
  ['binary', 'one column among them that gains by it', [bool, int4, timestamptz]],
  ['binary', 'texts, which may be long', [int8, text]],
  ['binary', 'an array of a type of the server', [integers]],
  ['text', 'OIDs of the source', [timestamptz, oid]],
  ['text', 'a type of the database', [timestamptz, composite]],
  ['text', 'an array of such', [timestamptz, composites]],
  ['text', 'no column at all', []],
] as const)('auto is %s for %s', (format, _, columns) => {
  expect(chooseFormat('auto', columns)).toBe(format);
});

test('what is asked for is taken, whatever the columns are', () => {
  expect(chooseFormat('binary', [composite])).toBe('binary');
  expect(chooseFormat('text', [timestamptz])).toBe('text');
});
