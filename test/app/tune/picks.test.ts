import { expect, test } from 'vitest';
import { choosePicks, statementOf } from '#dist/app/tune/picks.js';

type Schema = Parameters<typeof choosePicks>[0];
const mebibyte = 1 << 20;

function schemaOf(sizes: Readonly<Record<string, number>>, more: Readonly<Record<string, object>> = {}): Schema {
  const toRead = Object.entries(sizes).map(([name, megabytes], object) => ({
    table: { object, schema: 'public', name, columns: [{ name: 'a', type: 'int' }], format: 'binary', directory: `data/${object}-${name}` },
    described: { heap: true, relkind: 'r', blocks: BigInt(megabytes) * 128n, bytes: BigInt(megabytes * mebibyte), ...more[name] },
  }));
  return { toRead } as unknown as Schema;
}

const names = (picks: ReturnType<typeof choosePicks>) => picks.map(({ table }) => table.table.name);

test('the first so many picks are of each table in proportion to its size', () => {
  const picks = choosePicks(schemaOf({ large: 6000, middle: 2000, small: 500 }), 4);
  for (const count of [17, 34, 170, picks.length]) {
    const share = (name: string) => names(picks.slice(0, count)).filter((one) => one === name).length / count;
    expect(share('large')).toBeCloseTo(6 / 8.5, 1);
    expect(share('middle')).toBeCloseTo(2 / 8.5, 1);
    expect(share('small')).toBeCloseTo(0.5 / 8.5, 1);
  }
});

test('they come from all over a table, and cover each block once', () => {
  const picks = choosePicks(schemaOf({ large: 1600 }), 2);
  const blocks = 1600 * 128;
  const firsts = picks.slice(0, 4).map(({ blocks: range }) => Number(range?.[0]) / blocks);
  expect(firsts.toSorted()).toEqual([0, 0.32, 0.64, 0.96]);
  const sorted = picks.map(({ blocks: range }) => range).toSorted((a, b) => Number((a?.[0] ?? 0n) - (b?.[0] ?? 0n)));
  expect(sorted[0]?.[0]).toBe(0n);
  for (const [i, range] of sorted.entries()) expect(range?.[1] ?? null).toBe(sorted[i + 1]?.[0] ?? null);
  expect(picks.reduce((sum, { tableBytes }) => sum + tableBytes, 0)).toBe(1600 * mebibyte);
});

test('thousands of small tables do not come all at once', () => {
  const small = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`t${i}`, 1]));
  const picks = names(choosePicks(schemaOf({ large: 1000, ...small }), 2));
  const half = picks.slice(0, picks.length / 2);
  expect(half.filter((name) => name === 'large').length / picks.filter((name) => name === 'large').length).toBeCloseTo(0.5, 1);
});

test('a small database gives each worker some picks, one with nothing in it none', () => {
  expect(choosePicks(schemaOf({ a: 128 }), 4).length).toBe(16);
  expect(choosePicks(schemaOf({ a: 0 }), 4)).toEqual([]);
});

test('what cannot be split is read as a whole, or not at all', () => {
  const picks = choosePicks(schemaOf({ a: 1000, odd: 40, giant: 900 }, { odd: { heap: false }, giant: { heap: false } }), 2);
  expect(new Set(names(picks))).toEqual(new Set(['a', 'odd']));
  expect(picks.find(({ table }) => table.table.name === 'odd')).toMatchObject({ blocks: null, tableBytes: 40 * mebibyte });
});

test('the statement has the format of the trial, or that of the table', () => {
  const [pick] = choosePicks(schemaOf({ a: 1 }), 1);
  if (pick === undefined) throw new Error('there is no pick');
  expect(statementOf(pick, 'text')).toEqual({ statement: 'COPY "public"."a" ("a") TO STDOUT (FORMAT text)', format: 'text' });
  expect(statementOf(pick, 'auto').format).toBe('binary');
});
