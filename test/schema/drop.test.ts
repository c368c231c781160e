// What `--clean` may drop: only what the archive makes again.

import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { planDrops } from '#dist/restore/plan-drops.js';
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

const kinds = [
  'cast',
  'conversion',
  'transform',
  'text-search',
  'foreign-data',
  'foreign-table',
  'publication',
  'subscription',
  'operator',
  'operator-class',
  'access-method',
  'access-method-index',
  'access-method-17',
  'access-method-18',
  'operator-17',
  'operator-class-extension',
  'language',
];

/** DROP OPERATOR CLASS IF EXISTS wants its access method to exist (docs/limits.md). */
const notTwice = new Set(['access-method-index', 'access-method-18']);

// Not operator-family-built-in: nothing takes away what was added to a family of the server's between its own types (docs/limits.md).
test.each(kinds)('%s: what is made can be dropped, and need not be there', async (name) => {
  await using db = await createDatabase({ version: 18 });
  const sql = await readFile(new URL(`../../fixtures/schema/${name}.sql`, import.meta.url), 'utf8');
  // Of a loop none can be dropped alone.
  await db.run(sql.split('-- Loops')[0] ?? '');
  // With a slot it would be looked for on the other side.
  for (const { set } of await db.query<{ set: string }>(
    `SELECT format('ALTER SUBSCRIPTION %I SET (slot_name = NONE)', subname) AS set
       FROM pg_subscription JOIN pg_database d ON d.oid = subdbid WHERE datname = current_database()`,
  )) {
    await db.query(set);
  }
  const { objects, steps } = await readSchema(db.url);
  const drops = (ifExists: boolean) => planDrops({ objects, steps, tables: [] }, { ifExists, present: new Set() });
  for (const { text } of drops(false)) await db.query(text);
  expect((await readSchema(db.url)).steps).toEqual([]);
  if (!notTwice.has(name)) for (const { text } of drops(true)) await db.query(text);
});
