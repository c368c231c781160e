// Random tables with random and hostile values go around in both formats. What was inserted is what the source holds afterwards, so the
// source is the model.
import fc from 'fast-check';
import { test } from 'vitest';
import { quoteIdentifier, quoteLiteral } from '#dist/pg/quote.js';
import { createDatabase } from '../server/index.js';
import { readContents } from './contents.js';
import { archiveOf, restored } from './cycle.js';

/** Text as PostgreSQL has it: no NUL, no lone surrogates. */
const text = fc.oneof(
  fc.constantFrom('', '\\.', '\n\\.\n', '\\N', '\\', '\t', '\r\n', 'NULL', '"', "'", '{}', '(,)', ',', '\ufeff', '\u001a'),
  fc.string({ unit: 'binary', maxLength: 40 }).map((value) => value.replaceAll('\0', '')),
  fc.string({ unit: fc.constantFrom('\\', '\n', '\r', '\t', '.', 'N', '"', '{', '}', ',', '\u20ac', '\u{1F9A6}'), maxLength: 60 }),
);
const float = fc.double().map((value) => (Object.is(value, -0) ? '-0' : String(value)));
const day = fc.integer({ min: -2_451_000, max: 100_000_000 });

const quoted = (value: string): string => `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
/** An array literal, its bounds now and then not from 1. */
const arrayOf = (element: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(fc.array(fc.option(element, { freq: 4 }), { maxLength: 4 }), fc.integer({ min: -2, max: 3 })).map(([items, low]) => {
    const body = `{${items.map((item) => (item === null ? 'NULL' : quoted(item))).join(',')}}`;
    return items.length === 0 ? '{}' : `[${low}:${low + items.length - 1}]=${body}`;
  });

/** Types with the text of a value, as SQL where a literal does not do. */
const types: readonly (readonly [type: string, value: fc.Arbitrary<string>, unfitForBinary?: true])[] = [
  ['text', text],
  ['varchar(60)', text.map((value) => [...value].slice(0, 60).join(''))],
  ['bpchar(7)', text.map((value) => [...value].slice(0, 7).join(''))],
  ['int2', fc.integer({ min: -32768, max: 32767 }).map(String)],
  ['int4', fc.integer().map(String)],
  ['int8', fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String)],
  ['float4', fc.float().map(String)],
  ['float8', float],
  [
    'numeric',
    fc.oneof(
      fc.constantFrom('NaN', '0.000', '1e-300', '-1e300'),
      fc.bigInt().map((value) => `${value}.${String(value).replace('-', '')}0`),
    ),
  ],
  ['numeric(20,5)', fc.integer().map((value) => String(value / 7))],
  ['boolean', fc.constantFrom('t', 'f')],
  ['bytea', fc.uint8Array({ maxLength: 50 }).map((bytes) => `\\x${Buffer.from(bytes).toString('hex')}`)],
  [
    'date',
    fc.oneof(
      fc.constantFrom('infinity', '-infinity'),
      day.map((value) => `J${value + 2_451_545}`),
    ),
  ],
  [
    'timestamptz',
    fc.oneof(
      fc.constantFrom('infinity', 'epoch', '4714-11-24 BC'),
      fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-12-31T23:59:59Z') }).map((at) => at.toISOString()),
    ),
  ],
  [
    'interval',
    fc.tuple(fc.integer({ max: 1e6, min: -1e6 }), fc.integer(), fc.integer()).map(([m, d, us]) => `${m} mons ${d} days ${us} us`),
  ],
  ['uuid', fc.uuid()],
  ['json', fc.json().filter((value) => !value.includes('\\u0000'))],
  ['jsonb', fc.json().filter((value) => !/\\u0000|\\ud[89a-f]/i.test(value))],
  ['inet', fc.ipV4().map((value) => `${value}/24`)],
  ['varbit', fc.string({ unit: fc.constantFrom('0', '1'), maxLength: 20 })],
  ['point', fc.tuple(float, float).map(([x, y]) => `(${x},${y})`)],
  ['int4range', fc.tuple(fc.integer({ max: 0 }), fc.integer({ min: 1 })).map(([low, high]) => `[${low},${high})`)],
  ['text[]', arrayOf(text)],
  ['int4[]', arrayOf(fc.integer().map(String))],
  ['float8[]', arrayOf(float)],
  ['"mood"', fc.constantFrom('', 'fine', 'a "b"\n')],
  ['"short text"', text.map((value) => [...value].slice(0, 30).join(''))],
  ['"mood"[]', arrayOf(fc.constantFrom('', 'fine', 'a "b"\n')), true],
  ['"pair"', fc.tuple(fc.integer(), text).map(([a, b]) => `(${a},${quoted(b)})`)],
  ['"pair"[]', arrayOf(fc.tuple(fc.integer(), text).map(([a, b]) => `(${a},${quoted(b)})`)), true],
];

const prelude = `
  CREATE TYPE "mood" AS ENUM ('', 'fine', 'a "b"\n');
  CREATE DOMAIN "short text" AS text CHECK (length(VALUE) <= 30);
  CREATE TYPE "pair" AS (a int, b text)`;

interface RandomTable {
  readonly name: string;
  readonly columns: readonly { readonly type: string; readonly nullable: boolean; readonly unfit: boolean }[];
  readonly rows: readonly (readonly (string | null)[])[];
}

// Values of the arbitraries are plain data, so that a counterexample can be read.
const table: fc.Arbitrary<RandomTable> = fc
  .array(fc.tuple(fc.nat({ max: types.length - 1 }), fc.boolean()), { maxLength: 8 })
  .chain((chosen) => {
    const columns = chosen.flatMap(([at, nullable]) => {
      const [type, value, unfit = false] = types[at] ?? ['text', text];
      return [{ type, nullable, unfit, value: nullable ? fc.option(value, { freq: 3 }) : value }];
    });
    return fc.record({
      name: text.map((value) => [...value].slice(0, 12).join('')),
      columns: fc.constant(columns.map(({ type, nullable, unfit }) => ({ type, nullable, unfit }))),
      rows: fc.array(fc.tuple(...columns.map(({ value }) => value)), { maxLength: 25 }),
    });
  });

/** What `table` describes, as statements. */
function statements(tables: readonly RandomTable[]): string {
  const lines = [prelude];
  for (const [at, { name, columns, rows }] of tables.entries()) {
    const quotedName = quoteIdentifier(`${at}${name}`);
    const list = columns.map(
      ({ type, nullable }, column) => `${quoteIdentifier(`${name}${column}`)} ${type} ${nullable ? '' : 'NOT NULL'}`,
    );
    lines.push(`CREATE TABLE ${quotedName} (${list.join(', ')})`);
    for (const row of rows) {
      const values = row.map((value) => (value === null ? 'NULL' : quoteLiteral(value)));
      lines.push(`INSERT INTO ${quotedName} ${values.length === 0 ? 'DEFAULT VALUES' : `VALUES (${values.join(', ')})`}`);
    }
  }
  return lines.join(';\n');
}

test('random tables come back in every format', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(table, { minLength: 1, maxLength: 4 }), async (tables) => {
      await using source = await createDatabase();
      await source.run(statements(tables));
      const before = await readContents(source);
      const binary = !tables.some(({ columns }) => columns.some(({ unfit }) => unfit));
      for (const copyFormat of ['text', binary ? 'binary' : 'auto'] as const) {
        await using archive = await archiveOf(source, { copyFormat });
        await using target = await restored(archive);
        const after = await readContents(target);
        if (JSON.stringify(after) !== JSON.stringify(before))
          throw new Error(`in ${copyFormat}: ${JSON.stringify({ before, after }, null, 1)}`);
      }
    }),
    { numRuns: 12, endOnFailure: true },
  );
}, 180_000);
