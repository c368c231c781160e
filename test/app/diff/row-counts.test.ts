import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allRows, keyWords, RowCounts } from '#dist/app/diff/row-counts.js';

interface Change {
  readonly key: Uint32Array;
  readonly delta: number;
}

const plenty = 1_000_000;

/** What is left of all changes by a Map, on either side. */
function expectedSums(changes: readonly Change[]): { readonly above: bigint; readonly below: bigint } {
  const counts = new Map<string, number>();
  for (const { key, delta } of changes) counts.set(key.join(), (counts.get(key.join()) ?? 0) + delta);
  const sum = (sign: number): bigint => [...counts.values()].reduce((all, count) => all + BigInt(Math.max(count * sign, 0)), 0n);
  return { above: sum(1), below: sum(-1) };
}

/** In as many passes as are needed. */
function countAll(changes: readonly Change[], most: number): { readonly above: bigint; readonly below: bigint; readonly passes: number } {
  let [above, below, passes] = [0n, 0n, 0];
  for (let from = 0; from < allRows[1]; passes += 1) {
    const counts = new RowCounts([from, allRows[1]], most);
    for (const { key, delta } of changes) counts.add(key, delta);
    const sums = counts.sums();
    [above, below] = [above + sums.above, below + sums.below];
    expect(counts.end).toBeGreaterThan(from);
    from = counts.end;
  }
  return { above, below, passes };
}

/** Of few words, so that many fall into the same place and differ elsewhere only. */
const key = fc
  .tuple(fc.constantFrom(0, 2 ** 31, 2 ** 32 - 1), fc.nat(2), fc.constant(0), fc.nat(40))
  .map((words) => Uint32Array.from(words));
const change = fc.record({ key, delta: fc.constantFrom(1, -1) });

test('what is left is what a Map would have left', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 300 }), (changes) => {
      expect(countAll(changes, plenty)).toEqual({ ...expectedSums(changes), passes: 1 });
    }),
  );
});

describe('many rows', () => {
  const spread = (n: number): number => Math.imul(n, 2_654_435_761);
  const rows = (count: number, delta: number): readonly Change[] =>
    Array.from({ length: count }, (_, n) => ({ key: Uint32Array.of(spread(n), spread(n + 7), n, 0), delta }));

  test('a hundred thousand, each three times and taken away twice', () => {
    const changes = [1, 1, -1, 1, -1].flatMap((delta) => rows(100_000, delta));
    expect(countAll(changes, plenty)).toEqual({ above: 100_000n, below: 0n, passes: 1 });
  });

  test('more than may be remembered take more passes, and the same is found', () => {
    const changes = [...rows(50_000, 1), ...rows(60_000, -1)];
    const { passes, ...sums } = countAll(changes, 5000);
    expect(sums).toEqual({ above: 0n, below: 10_000n });
    expect(passes).toBeGreaterThan(10);
  });

  test('what is even again is forgotten: rows of both sides by turns take one pass', () => {
    const [ones, others] = [rows(50_000, 1), rows(50_000, -1)];
    const changes = ones.flatMap((one, at) => [one, others[at] as Change]);
    expect(countAll([...changes, ...rows(10, 1)], 5000)).toEqual({ above: 10n, below: 0n, passes: 1 });
  });
});

test('what is left is taken as often as it is left, on its side only', () => {
  const counts = new RowCounts(allRows, plenty);
  const [one, other] = [new Uint32Array(keyWords).fill(7), new Uint32Array(keyWords).fill(8)];
  for (let n = 0; n < 3; n += 1) counts.add(one, 1);
  counts.add(one, -1);
  expect(counts.take(one, -1)).toBe(false);
  expect([counts.take(one, 1), counts.take(one, 1), counts.take(one, 1)]).toEqual([true, true, false]);
  expect(counts.take(other, 1)).toBe(false);
});

test('rows of another share are neither counted nor taken', () => {
  const counts = new RowCounts([10, 20], plenty);
  for (const word of [9, 10, 19, 20]) counts.add(Uint32Array.of(word, 1, 1, 1), 1);
  expect(counts.sums()).toEqual({ above: 2n, below: 0n });
  expect([9, 10, 19, 20].map((word) => counts.take(Uint32Array.of(word, 1, 1, 1), 1))).toEqual([false, true, true, false]);
});
