import { expect, test } from 'vitest';
import * as z from 'zod';
import { isAsSaid } from '#dist/schema/is-as-said.js';
import { kinds } from '#dist/schema/kinds/index.js';

const schema = z.object({
  oid: z.number(),
  name: z.string(),
  kind: z.enum(['r', 'p']),
  valid: z.boolean(),
  options: z.array(z.tuple([z.string(), z.string()])).nullable(),
  more: z.record(z.string(), z.object({ target: z.number().optional() })),
  list: z.custom<readonly unknown[]>(Array.isArray),
});
const row = { oid: 1, name: 'a', kind: 'r', valid: true, options: [['a', 'b']], more: { 1: { target: 2 } }, list: [] };

test.each([
  ['as it is', {}],
  ['a key that is not named', { extra: 1 }],
  ['null where it may be', { options: null }],
  ['null where it may not be', { name: null }],
  ['a text for a number', { oid: '1' }],
  ['no number', { oid: Number.NaN }],
  ['another word', { kind: 'x' }],
  ['something missing', { valid: undefined }],
  ['half a pair', { options: [['a']] }],
  ['more than a pair', { options: [['a', 'b', 'c']] }],
  ['a list for an object', { more: [] }],
  ['null deep inside', { more: { 1: { target: null } } }],
  ['nothing deep inside', { more: { 1: {} } }],
  ['an object for a list', { list: {} }],
])('says what zod says: %s', (_, change) => {
  const changed = { ...row, ...change };
  expect(isAsSaid(schema)?.(changed)).toBe(schema.safeParse(changed).success);
});

test('what is refined is looked at, what is changed is for zod', () => {
  const refined = z.object({ a: z.number() }).superRefine(({ a }, context) => {
    if (a > 1) context.addIssue('too much');
  });
  expect([1, 2].map((a) => isAsSaid(refined)?.({ a }))).toEqual([true, false]);
  const trimmed = z.object({ a: z.string().trim() });
  expect(['a', ' a'].map((a) => isAsSaid(trimmed)?.({ a }))).toEqual([true, false]);
  for (const other of [z.string().transform(Number), z.strictObject({}), z.coerce.number(), z.string().default('')]) {
    expect([undefined, false]).toContain(isAsSaid(z.object({ other }))?.({ other: undefined }));
  }
});

test('no kind needs zod for a row that is right', () => {
  expect(kinds.filter(({ row }) => isAsSaid(row) === undefined)).toEqual([]);
});
