import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dueByHeight, heightBucket } from '#dist/rules/index.js';

describe('dueByHeight', () => {
  it.each([
    [{ every: 151_200n }, undefined, 7n, true, 7n],
    [{ every: 151_200n }, 302_400n, 453_599n, false, 453_600n],
    [{ every: 151_200n }, 302_400n, 453_600n, true, 453_600n],
    [{ every: 151_200n }, 302_400n, 999_999n, true, 453_600n],
    [{ every: 100n, from: 'multiples' as const }, 250n, 299n, false, 300n],
    [{ every: 100n, from: 'multiples' as const }, 250n, 301n, true, 300n],
  ])('%o after %s at %s: %s, next %s', (rule, last, now, due, next) => {
    expect(dueByHeight(rule, last, now)).toMatchObject({ due, next });
  });

  it.each([0n, -1n])('refuses a distance of %s', (every) => {
    expect(() => dueByHeight({ every }, 1n, 2n)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  it('is due exactly from its mark on', () => {
    fc.assert(
      fc.property(fc.bigInt(1n, 10n ** 9n), fc.bigInt(0n, 10n ** 12n), fc.bigInt(0n, 10n ** 12n), (every, last, now) => {
        for (const from of ['last', 'multiples'] as const) {
          const { due, next } = dueByHeight({ every, from }, last, now);
          expect(due).toBe(now >= next);
          expect(next > last && next <= last + every).toBe(true);
        }
      }),
    );
  });

  it('counts buckets downwards below zero', () => {
    expect([-1n, 0n, 99n, 100n, -100n, -101n].map((height) => heightBucket(height, 100n))).toEqual([-1n, 0n, 0n, 1n, -1n, -2n]);
  });
});
