// `tidemark fixture` as its users type it.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../server/index.js';
import { temporaryDirectory } from '../temporary-directory.js';
import { jsonLines, runCli } from './run-cli.js';

let db: TestDatabase;
beforeAll(async () => {
  db = await createDatabase();
  await db.run(`
    CREATE TABLE users (id int PRIMARY KEY, email text); CREATE TABLE orders (id int PRIMARY KEY, "user" int REFERENCES users);
    INSERT INTO users SELECT i, 'u' || i FROM generate_series(1, 9) i; INSERT INTO orders SELECT i, i FROM generate_series(1, 9) i`);
});
afterAll(() => db.drop());

test('captures, says what is in, and what is wrong with a rule', async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, 'a.tar.zst');
  const args = ['fixture', '-d', db.url, '-f', file, '-t', 'orders', '--where', 'public.orders=id <> 2', '--limit', '3'];
  const mask = ['--mask', `users.email='user' || id || '@example.com'`];
  const json = await runCli([...args, ...mask, '--json']);
  expect(json.exitCode, json.stderr).toBe(0);
  const sha256 = createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
  expect(JSON.parse(json.stdout)).toMatchObject({
    type: 'fixture',
    file,
    sha256,
    tables: [
      { schema: 'public', name: 'orders', rows: 3, followed: 0, chosen: true },
      { schema: 'public', name: 'users', rows: 3, followed: 3, chosen: false },
    ],
    leftOut: [],
  });
  const plain = await runCli([...args, ...mask]);
  expect(plain.stdout).toMatch(/public\.users +3 +3\n.*: 2 tables, 6 rows, .*\nSHA-256 /);
  expect(plain.stdout).toContain(sha256);
  expect((await runCli(['verify', file])).exitCode).toBe(0);
  const wrong = await runCli([...args, '--mask', 'users.emal=NULL', '--json']);
  expect(wrong.exitCode).toBe(2);
  expect(jsonLines(wrong.stderr).at(-1)).toMatchObject({ code: 'USAGE', hint: 'did you mean email?' });
  const twice = await runCli([...args, '--limit', '4']);
  expect([twice.exitCode, twice.stderr]).toEqual([2, expect.stringContaining('twice')]);
});
