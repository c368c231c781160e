import { expect, test } from 'vitest';
import { Slots } from '#dist/restore/slots.js';

test('so many at once; then the urgent, then the others, each in the order in which they came', async () => {
  const slots = new Slots(2);
  const [first, second] = [await slots.take(false), await slots.take(true)];
  const taken: string[] = [];
  const take = async (name: string, urgent: boolean): Promise<Disposable> => {
    const slot = await slots.take(urgent);
    taken.push(name);
    return slot;
  };
  const waiting = [take('a', false), take('b', true), take('c', false), take('d', true)];
  first[Symbol.dispose]();
  const b = await waiting[1];
  expect(taken).toEqual(['b']);
  b?.[Symbol.dispose]();
  (await waiting[3])?.[Symbol.dispose]();
  (await waiting[0])?.[Symbol.dispose]();
  (await waiting[2])?.[Symbol.dispose]();
  expect(taken).toEqual(['b', 'd', 'a', 'c']);
  second[Symbol.dispose]();
  await slots.take(false);
  await slots.take(false);
});
