// Which snapshot the next one is measured from.
import { expect, test } from 'vitest';
import { lastTaken } from '#dist/rules/last-taken.js';
import type { Ordered } from '#dist/rules/order.js';

const now = new Date('2026-06-01T12:00:00Z');
const at = (hour: number): Date => new Date(now.getTime() + (hour - 12) * 3_600_000);
const taken = (id: string, hour: number, lsn: bigint, system?: string, height?: bigint): Ordered => ({
  id,
  position: { at: at(hour), lsn, ...(height === undefined ? {} : { height }) },
  ...(system === undefined ? {} : { system }),
});

test.each<[string, readonly Ordered[], string | undefined]>([
  ['none', [], undefined],
  ['of one server, its log decides, whatever clock and height say', [taken('a', 11, 5n, 's', 400n), taken('b', 9, 6n, 's', 150n)], 'b'],
  ['of several servers, the time', [taken('a', 9, 9n, 's'), taken('b', 10, 1n, 't')], 'b'],
  ['one that lies ahead comes last', [taken('a', 9, 1n, 's'), taken('b', 20, 1n, 't')], 'a'],
  ['also at one place in the log', [taken('b', 9, 1n, 's'), taken('a', 20, 1n, 's')], 'b'],
  ['of those ahead, if there is no other, the latest', [taken('a', 20, 1n), taken('b', 21, 1n)], 'b'],
  ['of the same instant, by name', [taken('b', 9, 1n), taken('a', 9, 1n)], 'b'],
])('%s', (_, snapshots, expected) => {
  expect(lastTaken(snapshots, { now })?.id).toBe(expected);
  expect(lastTaken(snapshots.toReversed(), { now })?.id).toBe(expected);
});

test('what one has made oneself comes after all that was there, and before what its server has made since', () => {
  const mine = taken('mine', 9, 5n, 's');
  const all = [taken('old', 11, 9n, 's'), mine, taken('copied', 11, 7n, 't')];
  const own = { id: 'mine', before: new Set(['old']) };
  expect(lastTaken(all, { now, own })?.id).toBe('mine');
  expect(lastTaken([...all, taken('since', 8, 6n, 's')], { now, own })?.id).toBe('since');
  expect(lastTaken([...all, taken('since', 8, 4n, 's')], { now, own })?.id).toBe('mine');
  expect(lastTaken([taken('old', 11, 9n, 's')], { now, own })?.id).toBe('old');
  expect(lastTaken([mine], { now: at(1), own })?.id).toBe('mine');
});
