// Rows of binary COPY data are told as COPY would have written them as text: compared with what the server writes.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { binaryRowText } from '#dist/app/diff/binary-row-text.js';
import { diffSnapshots } from '#dist/app/diff/diff-snapshots.js';
import { createDatabase } from '../../server/index.js';
import { Snapshots } from './snapshots.js';

let snapshots: Snapshots;
beforeAll(async () => {
  snapshots = await Snapshots.make();
});
afterAll(async () => {
  await snapshots[Symbol.asyncDispose]();
});

/** A column of a type, and its values. */
const values: readonly (readonly [type: string, values: readonly string[]])[] = [
  ['boolean', ['true', 'false']],
  ['smallint', ['-32768', '7']],
  ['integer', ['-2147483648', '7']],
  ['bigint', ['-9223372036854775808', '9007199254740993']],
  ['oid', ['4294967295']],
  ['real', ['0.1', '-3.4e38', '1e-45', '16777216', '123456', '-0', '1.17549435e-38', '0.0001', 'Infinity', 'NaN']],
  [
    'double precision',
    ['0.1', '1e-7', '5e-324', '-Infinity', 'NaN', '9007199254740993', '123456789012345', '0', '-1.7976931348623157e308', '1e15', '1.5'],
  ],
  [
    'numeric',
    ['0', '0.00', '-0.00012', '123456789012345678901234567890.5', '10000', '0.00010000', '1e-10', 'NaN', 'Infinity', '-Infinity'],
  ],
  ['numeric(10,3)', ['-1234567.891', '0.1', '10000']],
  ['text', ['x', E(String.raw`a\tb\nc\\d\r\b\f\v`), 'é€😀', '']],
  ['varchar(20)', ['x']],
  ['char(5)', ['ab']],
  ['name', ['x']],
  ['json', ['{"a":  1}']],
  ['jsonb', ['{"b": [1, null], "a": "x\\\\y"}']],
  ['uuid', ['00112233-4455-6677-8899-aabbccddeeff']],
  ['bytea', [String.raw`\x00ff`, '']],
  [
    'date',
    [
      '2026-01-31',
      '1970-01-01',
      '0099-12-31',
      '0001-01-01',
      '0001-12-31 BC',
      '0044-03-15 BC',
      '4714-11-24 BC',
      '12345-06-07',
      '275000-01-01',
      'infinity',
      '-infinity',
    ],
  ],
  ['time', ['00:00:00', '23:59:59.999999', '12:34:56.5', '24:00:00']],
  [
    'timestamp',
    [
      '2026-01-31 23:59:59.000001',
      '1969-12-31 23:59:59.9',
      '1999-12-31 00:00:00',
      '0044-03-15 12:00:00.5 BC',
      '10000-01-01 00:00:00',
      'infinity',
      '-infinity',
    ],
  ],
  ['timestamptz', ['2026-01-31 23:59:59.12+02', '1900-01-01 00:00:00+00', '0044-03-15 12:00:00.25+00 BC', '20000-01-01 00:00:00+00']],
  ['mood', ['so so']],
  ['email', ['a@b']],
];

function E(text: string): string {
  return `E:${text}`;
}

function literal(value: string): string {
  return value.startsWith('E:') ? `E'${value.slice(2)}'` : `'${value}'`;
}

test('every value is as the server writes it', async () => {
  await using db = await createDatabase();
  await db.run("CREATE TYPE mood AS ENUM ('so so'); CREATE DOMAIN email AS text");
  await using empty = await createDatabase();
  for (const [at, [type, list]] of values.entries()) {
    await db.run(`CREATE TABLE t${at} (n int, v ${type}, nothing ${type});
      INSERT INTO t${at} VALUES ${list.map((value, n) => `(${n}, ${literal(value)}, NULL)`).join(', ')}`);
  }
  const nothing = await snapshots.of(empty);
  const texts = async (copyFormat: 'text' | 'binary') => {
    const diff = await diffSnapshots({ a: nothing, b: await snapshots.of(db, { copyFormat }), rows: 100 });
    return Object.fromEntries(diff.tables.map(({ name, samples }) => [name, samples?.added]));
  };
  const written = await texts('text');
  expect(Object.keys(written)).toHaveLength(values.length);
  expect(await texts('binary')).toEqual(written);
});

function field(value: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(value.length);
  return Buffer.concat([length, value]);
}

test.each([
  ['of other types, what looks like text is told as it is', '"public"."odd"', Buffer.from('a b'), 'a b'],
  ['and all else in hex', '"public"."odd"', Buffer.from([1, 2, 0xff]), '\\\\x0102ff'],
  ['also a number that is none', 'integer', Buffer.from([1, 2, 3]), '\\\\x010203'],
  ['and a time that JavaScript has not', 'date', Buffer.from([0x7f, 0xff, 0xff, 0xf0]), '\\\\x7ffffff0'],
  ['and a numeric of more digits than there are', '"numeric"', Buffer.from([0, 1, 0x7f, 0xff, 0, 0, 0, 0]), '\\\\x00017fff00000000'],
])('%s', (_, type, value, expected) => {
  expect(binaryRowText(Buffer.concat([Buffer.from([0, 1]), field(value)]), [{ name: 'a', type }])).toBe(expected);
});

test('a row that is cut is told as far as it goes', () => {
  const row = Buffer.concat([Buffer.from([0, 2]), field(Buffer.from('abc')), field(Buffer.from('defg'))]);
  const columns = [
    { name: 'a', type: '"text"' },
    { name: 'b', type: '"text"' },
  ];
  const told = Array.from({ length: row.length }, (_, length) => binaryRowText(row.subarray(0, length), columns));
  expect(new Set(told)).toEqual(new Set(['', 'a', 'ab', 'abc', 'abc\t', 'abc\td', 'abc\tde', 'abc\tdef']));
});
