import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rowCounter } from '#dist/archive/copy-rows.js';

/** Feeds the data cut at these places and counts. */
function count(format: 'text' | 'binary', columns: number, data: Buffer, cuts: readonly number[] = []): bigint {
  const counter = rowCounter(format, columns);
  let start = 0;
  for (const end of [...cuts.map((cut) => Math.min(cut, data.length)).sort((a, b) => a - b), data.length]) {
    counter.feed(data.subarray(start, end));
    start = end;
  }
  return counter.end();
}

/** What a sink is given, put together: the rows. */
function rowsOf(format: 'text' | 'binary', columns: number, { data, cuts }: { data: Buffer; cuts: readonly number[] }): readonly Buffer[] {
  const rows: Buffer[] = [];
  let row: Buffer[] = [];
  const counter = rowCounter(format, columns, {
    piece(bytes, last) {
      row.push(Buffer.from(bytes));
      if (!last) return;
      rows.push(Buffer.concat(row));
      row = [];
    },
  });
  let start = 0;
  for (const end of [...cuts.map((cut) => Math.min(cut, data.length)).sort((a, b) => a - b), data.length]) {
    counter.feed(data.subarray(start, end));
    start = end;
  }
  expect(counter.end()).toBe(BigInt(rows.length));
  expect(row).toEqual([]);
  return rows;
}

type Value = Uint8Array | null;

function number(value: number, bytes: 2 | 4): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeIntBE(value, 0, bytes);
  return buffer;
}

function tuple(row: readonly Value[]): Buffer {
  const values = row.map((value) => (value === null ? number(-1, 4) : Buffer.concat([number(value.length, 4), value])));
  return Buffer.concat([number(row.length, 2), ...values]);
}

function binary(rows: readonly (readonly Value[])[], extension = 0): Buffer {
  return Buffer.concat([
    Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'),
    number(0, 4),
    number(extension, 4),
    Buffer.alloc(extension, 0xff),
    ...rows.map(tuple),
    number(-1, 2),
  ]);
}

const cuts = fc.array(fc.nat(400), { maxLength: 6 });

describe('text', () => {
  test('rows end at newlines', () => {
    expect(count('text', 2, Buffer.from('a\tb\n\\N\tc\\nd\n'))).toBe(2n);
    expect(count('text', 0, Buffer.from('\n\n\n'))).toBe(3n);
    expect(count('text', 1, Buffer.alloc(0))).toBe(0n);
  });

  test('any rows, in any pieces', () => {
    const row = fc.string({ unit: 'grapheme-ascii', maxLength: 20 }).map((text) => text.replaceAll('\n', ''));
    fc.assert(
      fc.property(fc.array(row, { maxLength: 20 }), cuts, (rows, at) => {
        expect(count('text', 1, Buffer.from(rows.map((text) => `${text}\n`).join('')), at)).toBe(BigInt(rows.length));
      }),
    );
  });

  test('a sink has each row without its newline, in whatever pieces they come', () => {
    const row = fc.string({ unit: 'grapheme-ascii', maxLength: 20 }).map((text) => text.replaceAll('\n', ''));
    fc.assert(
      fc.property(fc.array(row, { maxLength: 20 }), cuts, (rows, at) => {
        const data = Buffer.from(rows.map((text) => `${text}\n`).join(''));
        expect(rowsOf('text', 1, { data, cuts: at }).map(String)).toEqual(rows);
      }),
    );
  });

  test('a row without an end is refused, also where empty pieces follow', () => {
    const counter = rowCounter('text', 1);
    counter.feed(Buffer.from('a\nb'));
    counter.feed(Buffer.alloc(0));
    expect(() => counter.end()).toThrow('no end');
  });
});

describe('binary', () => {
  const value = fc.option(fc.uint8Array({ maxLength: 30 }), { nil: null });
  const table = fc
    .nat(5)
    .chain((columns) =>
      fc.tuple(fc.constant(columns), fc.array(fc.array(value, { minLength: columns, maxLength: columns }), { maxLength: 10 })),
    );

  test('any rows, in any pieces, with any header extension', () => {
    fc.assert(
      fc.property(table, fc.nat(40), cuts, ([columns, rows], extension, at) => {
        expect(count('binary', columns, binary(rows, extension), at)).toBe(BigInt(rows.length));
      }),
    );
  });

  test('a sink has each row, in whatever pieces they come', () => {
    fc.assert(
      fc.property(table, fc.nat(40), cuts, ([columns, rows], extension, at) => {
        const found = rowsOf('binary', columns, { data: binary(rows, extension), cuts: at });
        expect(found.map(String)).toEqual(rows.map((row) => String(tuple(row))));
      }),
    );
  });

  test('byte by byte', () => {
    const data = binary(
      [
        [Buffer.from('abc'), null],
        [Buffer.alloc(0), Buffer.from('x')],
      ],
      3,
    );
    expect(count('binary', 2, data, Array.from(data.keys()))).toBe(2n);
    expect(rowsOf('binary', 2, { data, cuts: Array.from(data.keys()) })).toHaveLength(2);
  });

  test('what is cut short, at any length', () => {
    const data = binary([
      [Buffer.from('abc'), null],
      [Buffer.alloc(0), Buffer.from('x')],
    ]);
    for (let length = 0; length < data.length; length++) {
      expect(() => count('binary', 2, data.subarray(0, length)), `${length} bytes`).toThrow('trailer is missing');
    }
  });

  test.each<[string, Buffer, string]>([
    ['another signature', binary([]).fill(0x0d, 6, 7), 'does not begin'],
    ['another number of columns', binary([[null], [null, null]]), 'row 2 has 2 columns, not 1'],
    ['a negative length', binary([[null]]).fill(0xfe, 24, 25), 'a value of'],
    ['bytes behind the trailer', Buffer.concat([binary([[null]]), Buffer.from([0])]), 'follow its trailer'],
  ])('%s is refused', (_, data, reason) => {
    expect(() => count('binary', 1, data)).toThrow(reason);
  });
});
