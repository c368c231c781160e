import { expect, test } from 'vitest';
import { mailbox } from '#dist/snapshot/mailbox.js';

test('what is posted in one turn goes together, in its order, with its memory', async () => {
  const sent: (readonly [readonly string[], readonly ArrayBuffer[]])[] = [];
  const post = mailbox<string>((messages, transfer) => void sent.push([messages, transfer]));
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const [one, two] = [new ArrayBuffer(1), new ArrayBuffer(2)];
  post('a', [one]);
  post('b');
  await Promise.resolve();
  post('c', [two]);
  expect(sent).toEqual([]);
  await turn();
  post('d');
  await turn();
  await turn();
  expect(sent).toEqual([
    [
      ['a', 'b', 'c'],
      [one, two],
    ],
    [['d'], []],
  ]);
});
