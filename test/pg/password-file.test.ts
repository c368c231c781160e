// The password file: which line answers, and when the file is not asked at all.
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findPassword, readPasswordFile } from '#dist/pg/password-file.js';

const asked = { host: 'db', port: 5432, database: 'd', user: 'u' };

test.each([
  ['db:5432:d:u:p', 'p'],
  ['*:*:*:*:p', 'p'],
  ['db:5433:d:u:p', undefined],
  ['other:5432:d:u:p', undefined],
  ['db:5432:e:u:p', undefined],
  ['db:5432:d:v:p', undefined],
  ['# db:5432:d:u:p', undefined],
  ['db:5432:d:u', undefined],
  ['db:5432:d:u:', undefined],
  ['', undefined],
  ['db:5432:d:v:no\n\ndb:*:d:u:first\n*:*:*:*:second', 'first'],
  [String.raw`db:5432:d:u:a\:b\\c`, 'a:b\\c'],
  ['db:5432:d:u:p\r\n', 'p'],
  ['db:5432:d:u: p ', ' p '],
  ['db:5432:d:u:p:rest', 'p'],
])('%j', (text, password) => {
  expect(findPassword(text, asked)).toBe(password);
});

test('escapes in names, and a star that is a name', () => {
  expect(findPassword(String.raw`\:\:1:5432:a\\b:u:p`, { host: '::1', port: 5432, database: 'a\\b', user: 'u' })).toBe('p');
  expect(findPassword(String.raw`db:5432:\*:u:p`, asked)).toBeUndefined();
  expect(findPassword(String.raw`db:5432:\*:u:p`, { ...asked, database: '*' })).toBe('p');
});

test('a socket goes by the name localhost, or by its directory', () => {
  const socket = { ...asked, host: '/run/pg' };
  expect(findPassword('localhost:5432:d:u:p', socket)).toBe('p');
  expect(findPassword('/run/pg:5432:d:u:p', socket)).toBe('p');
});

test('a file that others may read is not used, nor is one that is missing', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-test-'));
  try {
    const path = join(directory, 'pgpass');
    await writeFile(path, '*:*:*:*:p\n', { mode: 0o600 });
    expect(await readPasswordFile(path, asked)).toBe('p');
    await chmod(path, 0o640);
    expect(await readPasswordFile(path, asked)).toBeUndefined();
    expect(await readPasswordFile(join(directory, 'none'), asked)).toBeUndefined();
    expect(await readPasswordFile(directory, asked)).toBeUndefined();
  } finally {
    await rm(directory, { recursive: true });
  }
});
