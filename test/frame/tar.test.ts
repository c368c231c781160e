import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { extract, pack } from 'tar-stream';
import { describe, expect, test } from 'vitest';
import { paddingOf, parseTarHeader, tarBytes, tarHeader } from '#dist/frame/tar.js';

/** Headers that GNU tar 1.34 wrote. */
const fixture = (name: string): Buffer => readFileSync(new URL(`../../fixtures/tar/${name}.header`, import.meta.url));

const safeName = fc
  .array(fc.stringMatching(/^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,20}$/), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join('/'))
  .filter((name) => name.length <= 100);

test('a header is, byte for byte, what GNU tar writes for such a file', () => {
  expect(tarHeader('data/000001-a/000001.copy', 12)).toEqual(fixture('ustar'));
});

test.each([0, 1, 511, 512, 513, 8 ** 11 - 1, 8 ** 11, 2 ** 40 + 3])('tar-stream reads a header for %i bytes', async (bytes) => {
  const reading = extract();
  const header = await new Promise((resolve) => {
    reading.on('entry', (found) => resolve(found));
    reading.write(tarHeader('data/1-public.a/00000-00000.copy', bytes));
  });
  reading.destroy();
  expect(header).toMatchObject({
    name: 'data/1-public.a/00000-00000.copy',
    size: bytes,
    type: 'file',
    mode: 0o600,
    uid: 0,
    gid: 0,
    pax: null,
  });
});

test('reads headers that tar-stream writes', async () => {
  const writing = pack();
  writing.entry({ name: 'schema/pre-data.sql', mode: 0o644, uid: 1000, uname: 'someone', mtime: new Date() }, 'SELECT 1');
  const { value: first } = await writing[Symbol.asyncIterator]().next();
  expect(parseTarHeader((first as Buffer).subarray(0, 512))).toEqual({ name: 'schema/pre-data.sql', bytes: 8 });
});

test('reads back what it wrote', () => {
  fc.assert(
    fc.property(safeName, fc.maxSafeNat(), (name, bytes) => {
      fc.pre(!name.split('/').some((part) => /^\.+$/.test(part)));
      expect(parseTarHeader(tarHeader(name, bytes))).toEqual({ name, bytes });
    }),
  );
});

test('any single changed byte of a header is found by its checksum, or in the magic', () => {
  const header = tarHeader('data/1-a/1.copy', 300);
  for (let at = 0; at < 512; at++) {
    for (const mask of [1, 0x80, 0xff]) {
      const changed = Buffer.from(header);
      changed.writeUInt8(changed.readUInt8(at) ^ mask, at);
      // The two fill bytes behind the checksum's own digits are the only ones that nothing depends on.
      if (at >= 154 && at < 156) continue;
      expect(() => parseTarHeader(changed), `byte ${at}`).toThrow(RangeError);
    }
  }
});

describe('headers of others', () => {
  test.each([
    ['ustar', { name: 'data/000001-a/000001.copy', bytes: 12 }],
    ['ustar-owned', { name: 'plain.txt', bytes: 1000 }],
  ])('%s is read', (name, header) => {
    expect(parseTarHeader(fixture(name))).toEqual(header);
  });

  test.each([
    ['gnu', 'not ustar'],
    ['pax', 'type "x"'],
    ['gnu-long-name', 'not ustar'],
    ['symlink', 'type "2"'],
    ['directory', 'type "5"'],
    ['absolute', 'not safe'],
    ['climbing', 'leaves its directory'],
    ['ustar-prefix', 'not safe'],
  ])('%s is refused: %s', (name, reason) => {
    expect(() => parseTarHeader(fixture(name))).toThrow(reason);
  });

  test('zeros and short blocks are refused', () => {
    expect(() => parseTarHeader(Buffer.alloc(512))).toThrow(RangeError);
    expect(() => parseTarHeader(Buffer.alloc(511))).toThrow('too early');
  });
});

test.each(['', '/etc/passwd', '../a', 'a/../b', 'a//b', 'a/', './a', 'a\\b', 'a b', 'é', 'a\0b', 'x'.repeat(101)])(
  'the name %j is refused',
  (name) => {
    expect(() => tarHeader(name, 1)).toThrow(RangeError);
  },
);

test.each([-1, 1.5, 2 ** 53, Number.NaN])('the size %d is refused', (bytes) => {
  expect(() => tarHeader('a', bytes)).toThrow(RangeError);
});

test('padding fills up to a block', () => {
  expect([0, 1, 511, 512, 513].map(paddingOf)).toEqual([0, 511, 1, 0, 511]);
  expect([0, 1, 512, 513].map(tarBytes)).toEqual([512, 1024, 1024, 1536]);
});
