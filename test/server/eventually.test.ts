// Waiting for what sends no event: until it is so, and no longer than allowed.
import { expect, test } from 'vitest';
import { eventually } from './index.js';

test('resolves with what the probe gives once it gives something', async () => {
  let calls = 0;
  const value = await eventually('the third call', () => {
    calls += 1;
    if (calls === 1) throw new Error('not yet');
    return calls === 3 ? 'now' : undefined;
  });
  expect(value).toBe('now');
});

test('zero and the empty string are something', async () => {
  expect(await eventually('zero', () => 0)).toBe(0);
  expect(await eventually('nothing in it', () => '')).toBe('');
});

test('gives up with what was waited for and the last error', async () => {
  const why = new Error('closed');
  const waiting = eventually('the door opens', () => Promise.reject(why), { withinMs: 1 });
  await expect(waiting).rejects.toThrow('wait until the door opens: not so after 1 ms');
  await expect(waiting).rejects.toHaveProperty('cause', why);
});
