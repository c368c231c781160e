import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chunkMember, slug, tableDirectory } from '#dist/frame/member-names.js';
import { parseTarHeader, tarHeader } from '#dist/frame/tar.js';

test.each([
  ['public', 'events', 'public.events'],
  ['Public', 'Big Table', 'public.big-table'],
  ['..', '../../etc/passwd', 'etc-passwd'],
  ['a', '/absolute', 'a.absolute'],
  ['日本', '表', 'table'],
  ['s', 'x'.repeat(80), `s.${'x'.repeat(38)}`],
  ['s', `${'x'.repeat(37)} y`, `s.${'x'.repeat(37)}`],
  ['', '', 'table'],
])('the slug of %j.%j is %s', (schema, name, expected) => {
  expect(slug(schema, name)).toBe(expected);
});

test('a chunk is named by OID, range and number', () => {
  const directory = tableDirectory({ oid: 16403, schema: 'public', name: 'events' });
  expect(directory).toBe('data/16403-public.events');
  expect(chunkMember({ directory, format: 'text' }, 2, 11)).toBe('data/16403-public.events/00002-00011.copy');
  expect(chunkMember({ directory, format: 'binary' }, 123456, 0)).toBe('data/16403-public.events/123456-00000.bin');
});

test('whatever tables are called, their members have names that tar takes', () => {
  const identifier = fc.string({ unit: 'binary', maxLength: 63 });
  fc.assert(
    fc.property(identifier, identifier, fc.integer({ min: 1, max: 2 ** 32 - 1 }), (schema, name, oid) => {
      const directory = tableDirectory({ oid, schema, name });
      expect(directory).toMatch(/^data\/\d+-[a-z0-9_.-]{1,40}$/);
      const member = chunkMember({ directory, format: 'text' }, 2 ** 32, 2 ** 32);
      expect(parseTarHeader(tarHeader(member, 1)).name).toBe(member);
    }),
  );
});
