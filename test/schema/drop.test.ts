// What `--clean` may drop: only what the archive makes again.
import { expect, test } from 'vitest';
import { createDatabase } from '../server/index.js';
import { readSchema } from './judge.js';

test('what has no definition of its own is not dropped', async () => {
  await using db = await createDatabase();
  await db.run(`
    ALTER SCHEMA public OWNER TO pg_monitor;
    REVOKE EXECUTE ON FUNCTION pg_catalog.now() FROM PUBLIC;
    CREATE TYPE public.span AS RANGE (subtype = integer);
    CREATE DOMAIN public.small AS integer CHECK (VALUE < 10);`);
  const { objects, steps } = await readSchema(db.url);
  const defined = new Set(steps.filter(({ facet }) => facet === 'definition').map(({ object }) => object));
  expect(objects.filter(({ drop, id }) => drop !== undefined && !defined.has(id))).toEqual([]);
  expect(objects.filter(({ drop }) => drop !== undefined).map(({ drop }) => drop)).toEqual([
    'DOMAIN "public"."small"',
    'TYPE "public"."span"',
  ]);
  expect(objects.map(({ name }) => name)).toContain('public');
});

test('a schema public that the source has not is taken away, without a DROP for --clean', async () => {
  await using db = await createDatabase();
  await db.run('DROP SCHEMA public');
  const { objects, steps } = await readSchema(db.url);
  expect(steps.flatMap(({ statements }) => statements)).toEqual(['DROP SCHEMA IF EXISTS "public"']);
  expect(objects.filter(({ drop }) => drop !== undefined)).toEqual([]);
});
