// The driver's databases: apart from each other, of every version, and telling on what was left behind.
import { expect, test } from 'vitest';
import { createDatabase } from './index.js';

test('two databases made at once know nothing of each other', async () => {
  const [one, two] = await Promise.all([createDatabase(), createDatabase()]);
  await using _one = one;
  await using _two = two;
  await one.run('CREATE TABLE t (a int); INSERT INTO t VALUES (1);');
  expect(await one.query('SELECT a FROM t')).toEqual([{ a: 1 }]);
  await expect(two.query('SELECT a FROM t')).rejects.toThrow('relation "t" does not exist');
  expect(await two.query<{ name: string }>('SELECT current_database() AS name')).toEqual([{ name: two.name }]);
});
