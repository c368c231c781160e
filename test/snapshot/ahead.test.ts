import { expect, test } from 'vitest';
import { Ahead, Load, largeShare } from '#dist/snapshot/ahead.js';

const task = (id: number, bytes?: bigint) => ({
  id,
  statement: `COPY t${id} TO STDOUT`,
  format: 'text' as const,
  table: `"t${id}"`,
  directory: `data/${id}`,
  range: 0,
  ...(bytes !== undefined && { bytes }),
});

const ids = (tasks: readonly { readonly id: number }[]) => tasks.map(({ id }) => id);

test('a large one, or one of unknown size, is given alone', () => {
  const waiting = new Ahead([task(0, 1n << 26n), task(1), task(2, 100n)]);
  const load = new Load();
  expect(ids(waiting.next(load))).toEqual([0]);
  expect(waiting.next(load)).toEqual([]);
  load.remove(task(0, 1n << 26n));
  expect(ids(waiting.next(load))).toEqual([1]);
  load.remove(task(1));
  expect(ids(waiting.next(load))).toEqual([2]);
  load.remove(task(2, 100n));
  expect(waiting.next(load)).toEqual([]);
  expect(load).toMatchObject({ ranges: 0, bytes: 0n });
});

test('small ones are given up to a number, and more when half of them are read', () => {
  const all = Array.from({ length: 100 }, (_, id) => task(id, 8192n));
  const waiting = new Ahead(all);
  const load = new Load();
  expect(ids(waiting.next(load))).toEqual(ids(all.slice(0, 64)));
  for (const done of all.slice(0, 31)) load.remove(done);
  expect(waiting.next(load)).toEqual([]);
  load.remove(all[31] as (typeof all)[number]);
  expect(ids(waiting.next(load))).toEqual(ids(all.slice(64, 96)));
});

test('small ones are given up to a size', () => {
  const waiting = new Ahead(Array.from({ length: 9 }, (_, id) => task(id, 300n << 10n)));
  expect(ids(waiting.next(new Load()))).toEqual([0, 1, 2]);
  expect(ids(waiting.next(new Load()))).toEqual([3, 4, 5]);
});

test('two workers share what there is, in its order', () => {
  const waiting = new Ahead([task(0, 1n << 26n), task(1, 1n << 26n), task(2, 5n), task(3, 5n)]);
  const [a, b] = [new Load(), new Load()];
  expect(ids(waiting.next(a))).toEqual([0]);
  expect(ids(waiting.next(b))).toEqual([1]);
  b.remove(task(1, 1n << 26n));
  expect(ids(waiting.next(b))).toEqual([2, 3]);
});

test('one that nobody can take yet is not asked for', () => {
  const asked: number[] = [];
  function* tasks() {
    for (const id of [0, 1]) {
      asked.push(id);
      yield task(id);
    }
  }
  const waiting = new Ahead(tasks());
  const load = new Load();
  waiting.next(load);
  waiting.next(load);
  expect(asked).toEqual([0]);
});

test('with a large share each of two workers is given a quarter of all, and no less than usual', () => {
  const all = Array.from({ length: 1000 }, (_, id) => task(id, 8192n));
  const waiting = new Ahead(all, largeShare(all, 2));
  expect(ids(waiting.next(new Load()))).toEqual(ids(all.slice(0, 250)));
  expect(ids(waiting.next(new Load()))).toEqual(ids(all.slice(250, 500)));
  const few = Array.from({ length: 10 }, (_, id) => task(id, 0n));
  expect(ids(new Ahead(few, largeShare(few, 2)).next(new Load()))).toEqual(ids(few));
});
