// The word that was meant.
import { expect, test } from 'vitest';
import { suggest, suggestion } from '#dist/app/config/suggest.js';

const known = ['database', 'store', 'prefix', 'rules', 'retention', 'poll', 'heightQuery', 'last', 'host', 'user', 'every'];

test.each([
  ['retain', 'retention'],
  ['retension', 'retention'],
  ['lst', 'last'],
  ['Store', 'store'],
  ['stores', 'store'],
  ['height_query', 'heightQuery'],
  ['height-query', 'heightQuery'],
  ['heightquerry', 'heightQuery'],
  ['dbname', 'database'],
  ['hostname', 'host'],
  ['username', 'user'],
  ['hostaddr', 'host'],
  ['interval', 'every'],
  ['slat', 'last'],
  ['xyz', undefined],
  ['x', undefined],
  ['', undefined],
  ['__proto__', undefined],
])('%j: %s', (word, meant) => {
  expect(suggest(word, known)).toBe(meant);
});

test('where nothing is near, all are told', () => {
  expect(suggestion('zzz', ['a', 'b'])).toBe('known are a, b');
  expect(suggestion('lst', known)).toBe('did you mean last?');
  expect(suggest('a', [])).toBeUndefined();
});
