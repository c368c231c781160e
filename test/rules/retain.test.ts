import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { type Candidate, newestFirst, type RetentionPolicy, retain } from '#dist/rules/index.js';

const day = 86_400_000;
const snapshot = (at: string, rest: Partial<Candidate> & { readonly height?: bigint } = {}): Candidate => {
  const { height, ...others } = rest;
  return { id: at, position: { at: new Date(at), lsn: 0n, ...(height === undefined ? {} : { height }) }, good: true, ...others };
};
const ids = (snapshots: readonly Candidate[]): readonly string[] => snapshots.map(({ id }) => id);
const kept = (policy: RetentionPolicy, snapshots: readonly Candidate[]) =>
  retain(policy, snapshots).keep.map(({ snapshot: { id }, reasons }) => `${id}: ${reasons.join(', ')}`);

const days = [
  '2026-01-05T01:00:00Z',
  '2026-01-05T23:00:00Z',
  '2026-01-04T12:00:00Z',
  '2025-12-31T23:30:00Z',
  '2025-12-29T00:00:00Z',
  '2025-12-28T00:00:00Z',
].map((at) => snapshot(at));

describe('what a policy keeps, and why', () => {
  it.each<[policy: RetentionPolicy, expected: readonly string[]]>([
    [{ last: 1 }, ['2026-01-05T23:00:00Z: last snapshot']],
    [{ last: 2 }, ['2026-01-05T23:00:00Z: last snapshot', '2026-01-05T01:00:00Z: last snapshot']],
    [{ within: 2 * day }, ['2026-01-05T23:00:00Z: within 2 d', '2026-01-05T01:00:00Z: within 2 d', '2026-01-04T12:00:00Z: within 2 d']],
    [{ daily: 2 }, ['2026-01-05T23:00:00Z: daily snapshot', '2026-01-04T12:00:00Z: daily snapshot']],
    // The week of 2025-12-29 has the first of January; the one of 2025-12-28 is the one before.
    [{ weekly: 2 }, ['2026-01-05T23:00:00Z: weekly snapshot', '2026-01-04T12:00:00Z: weekly snapshot']],
    [
      { weekly: 'all' },
      ['2026-01-05T23:00:00Z: weekly snapshot', '2026-01-04T12:00:00Z: weekly snapshot', '2025-12-28T00:00:00Z: weekly snapshot'],
    ],
    [{ monthly: 'all' }, ['2026-01-05T23:00:00Z: monthly snapshot', '2025-12-31T23:30:00Z: monthly snapshot']],
    // In Berlin it is the new year already.
    [{ yearly: 'all', timeZone: 'Europe/Berlin' }, ['2026-01-05T23:00:00Z: yearly snapshot', '2025-12-29T00:00:00Z: yearly snapshot']],
    [
      { yearly: 3, last: 1 },
      [
        '2026-01-05T23:00:00Z: last snapshot, yearly snapshot',
        '2025-12-31T23:30:00Z: yearly snapshot',
        '2025-12-28T00:00:00Z: oldest yearly snapshot',
      ],
    ],
  ])('%o', (policy, expected) => {
    expect(kept(policy, days)).toEqual(expected);
    expect(ids(retain(policy, days).remove)).toHaveLength(days.length - expected.length);
  });

  test('the two hours of one name, when clocks are put back, are two', () => {
    const hours = ['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z'].map((at) => snapshot(at));
    expect(retain({ hourly: 'all', timeZone: 'Europe/Berlin' }, hours).remove).toEqual([]);
    expect(ids(retain({ daily: 'all', timeZone: 'Europe/Berlin' }, hours).remove)).toEqual(['2026-10-25T00:30:00Z']);
  });

  test('one of each stretch of heights', () => {
    const heights = [5n, 99n, 100n, 199n, 350n].map((height) =>
      snapshot(`2026-01-01T00:00:00.${height.toString().padStart(3, '0')}Z`, { height }),
    );
    const left = (policy: RetentionPolicy) => retain(policy, heights).keep.map(({ snapshot: { position } }) => position.height);
    expect(left({ heights: { every: 100n } })).toEqual([350n, 199n, 99n]);
    expect(left({ heights: { every: 100n, keep: 2 } })).toEqual([350n, 199n]);
    expect(() => retain({ heights: { every: 100n } }, days)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});

describe('what stays whatever the policy says', () => {
  test('what is pinned, with its note', () => {
    const pinned = snapshot('2020-01-01T00:00:00Z', { pinned: 'before the fork' });
    expect(kept({ last: 1 }, [...days, pinned]).at(-1)).toBe('2020-01-01T00:00:00Z: pinned: before the fork');
  });

  test('what is not known to be good neither counts nor goes', () => {
    const broken = snapshot('2026-02-01T00:00:00Z', { good: false });
    const { keep, remove } = retain({ last: 1 }, [...days, broken]);
    expect(ids(keep.map((one) => one.snapshot))).toEqual(['2026-02-01T00:00:00Z', '2026-01-05T23:00:00Z']);
    expect(ids(remove)).not.toContain('2026-01-05T23:00:00Z');
  });

  // Promise 9: failures, clocks that jump by years, pins.
  test('the newest good one, in any history', () => {
    const policies = fc.record(
      {
        last: fc.integer({ min: 1, max: 3 }),
        within: fc.integer({ min: 1, max: 3 * day }),
        hourly: fc.integer({ min: 1, max: 3 }),
        daily: fc.integer({ min: 1, max: 3 }),
        weekly: fc.constant('all' as const),
        monthly: fc.integer({ min: 1, max: 2 }),
        yearly: fc.integer({ min: 1, max: 2 }),
      },
      { requiredKeys: [] },
    );
    const history = fc.array(
      fc.record({
        at: fc.date({ min: new Date('1990-01-01'), max: new Date('2200-01-01'), noInvalidDate: true }),
        good: fc.boolean(),
        pinned: fc.option(fc.constantFrom('', 'a note'), { nil: undefined, freq: 9 }),
        height: fc.bigInt(0n, 50n),
      }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(policies, history, fc.boolean(), (policy, events, heights) => {
        fc.pre(Object.keys(policy).length > 0);
        const snapshots = events.map(({ at, good, pinned, height }, place): Candidate & { place: number } => ({
          id: String(place),
          place,
          position: { at, lsn: BigInt(place), ...(heights ? { height } : {}) },
          good,
          ...(pinned === undefined ? {} : { pinned }),
        }));
        const { keep, remove } = retain(policy, snapshots);
        const stays = new Set(keep.map((one) => one.snapshot));
        expect([...stays, ...remove].toSorted((a, b) => a.place - b.place)).toEqual(snapshots);
        const newest = newestFirst(snapshots).find(({ good }) => good);
        expect(newest === undefined || stays.has(newest)).toBe(true);
        expect(remove.every(({ good, pinned }) => good && pinned === undefined)).toBe(true);
        expect(keep.every(({ reasons }) => reasons.length > 0)).toBe(true);
        // What one asked for with `last` is there.
        const wanted = Math.min(policy.last ?? 1, snapshots.filter(({ good }) => good).length);
        expect([...stays].filter(({ good }) => good).length).toBeGreaterThanOrEqual(wanted);
        // A second look finds nothing more to remove, or a run that was cut off would go on for ever.
        expect(retain(policy, [...stays]).remove).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('which one is the newest', () => {
  const one = (id: string, at: number, lsn: bigint, rest: { height?: bigint; system?: string } = {}) => {
    const { height, ...others } = rest;
    return { id, position: { at: new Date(at), lsn, ...(height === undefined ? {} : { height }) }, ...others };
  };

  it.each([
    ['the height', [one('a', 9, 9n, { height: 1n, system: 's' }), one('b', 1, 1n, { height: 2n, system: 's' })], ['b', 'a']],
    ['of one server, the log, as clocks are put back', [one('a', 9, 1n, { system: 's' }), one('b', 1, 2n, { system: 's' })], ['b', 'a']],
    ['of two servers, the time', [one('a', 9, 1n, { system: 's' }), one('b', 1, 2n, { system: 't' })], ['a', 'b']],
    ['where some have no height, the time', [one('a', 9, 1n), one('b', 1, 2n, { height: 5n })], ['a', 'b']],
    ['the name', [one('a', 1, 1n), one('b', 1, 1n)], ['b', 'a']],
  ])('%s', (_name, snapshots, expected) => {
    expect(newestFirst(snapshots).map(({ id }) => id)).toEqual(expected);
    expect(newestFirst(snapshots.toReversed()).map(({ id }) => id)).toEqual(expected);
  });
});

describe('refuses', () => {
  it.each<[policy: RetentionPolicy, why: string]>([
    [{}, 'it is empty'],
    [{ timeZone: 'UTC' }, 'it is empty'],
    [{ last: 0 }, 'last is 0'],
    [{ daily: -1 }, 'daily is -1'],
    [{ weekly: 1.5 }, 'weekly is 1.5'],
    [{ within: 0 }, 'within is 0'],
    [{ within: Number.NaN }, 'within is NaN'],
    [{ heights: { every: 0n } }, 'a stretch of 0 heights'],
    [{ heights: { every: 1n, keep: 0 } }, 'heights.keep is 0'],
    [{ last: 1, timeZone: 'Nowhere' }, 'Nowhere'],
  ])('%o: %s', (policy, why) => {
    expect(() => retain(policy, [])).toThrow(expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(why) }));
  });
});

test('one that does not count, and has no height, does not decide which of the others is the newest', () => {
  const ahead = snapshot('2030-01-01T00:00:00Z', { height: 1n });
  const newest = snapshot('2026-01-01T00:00:00Z', { height: 2n });
  const unverified = snapshot('2026-01-02T00:00:00Z', { good: false });
  expect(retain({ last: 1 }, [ahead, newest, unverified]).remove).toEqual([ahead]);
});

describe('snapshots that refer to others', () => {
  const of = (height: bigint, refersTo?: readonly string[]) => ({
    id: `s-${height}`,
    good: true,
    position: { at: new Date(0), lsn: height, height },
    ...(refersTo && { refersTo }),
  });

  test('what holds a part of one that stays, stays, and what holds a part of that', () => {
    const { keep, remove } = retain({ last: 1 }, [of(4n, ['s-2']), of(3n, ['s-1']), of(2n, ['s-0']), of(1n), of(0n)]);
    expect(keep.map(({ snapshot, reasons }) => [snapshot.id, ...reasons])).toEqual([
      ['s-4', 'last snapshot'],
      ['s-2', 'referred to by s-4'],
      ['s-0', 'referred to by s-2'],
    ]);
    expect(remove.map(({ id }) => id)).toEqual(['s-3', 's-1']);
  });

  test('that what it refers to is not there, or refers back, ends nothing', () => {
    const { keep, remove } = retain({ last: 1 }, [of(3n, ['s-2', 'gone']), of(2n, ['s-3']), of(1n, ['s-1'])]);
    expect([keep.map(({ snapshot }) => snapshot.id), remove.map(({ id }) => id)]).toEqual([['s-3', 's-2'], ['s-1']]);
  });
});
