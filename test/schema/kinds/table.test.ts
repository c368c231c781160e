// What pg_dump does not show of families of tables: where columns and constraints come from, and how often. pg_dump itself loses some of
// it. Not compared: the order of columns in a child that has some from its parents only, among them ones that the parents got later.
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { createDatabase, requestedVersions, type TestDatabase } from '../../server/index.js';
import { readSchema, runSteps } from '../judge.js';

const facts = `
  SELECT c.oid::regclass::text AS "table", a.attname AS name, a.attnotnull AS "notNull", a.attislocal AS "isLocal", a.attinhcount AS count,
         a.attidentity::text AS more,
         CASE WHEN c.relispartition OR bool_and(a.attislocal) OVER (PARTITION BY c.oid)
              THEN row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum) END AS place
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
   WHERE c.relkind IN ('r', 'p') AND c.relnamespace >= 2200 AND c.relnamespace <> 'information_schema'::regnamespace
  UNION ALL
  SELECT conrelid::regclass::text, conname, connoinherit, conislocal, coninhcount, convalidated::text, NULL
    FROM pg_constraint WHERE contype IN ('c', 'n') AND conrelid >= 16384
  UNION ALL
  SELECT inhrelid::regclass::text, inhparent::regclass::text, NULL, NULL, NULL, NULL, row_number() OVER (PARTITION BY inhrelid ORDER BY inhseqno)
    FROM pg_inherits
   ORDER BY 1, 2, 3, 4`;

async function compare(source: TestDatabase, target: TestDatabase): Promise<void> {
  const { steps } = await readSchema(source.url);
  await runSteps(target.url, steps);
  const expected = await source.query(facts);
  expect(expected.length).toBeGreaterThan(5);
  expect(await target.query(facts)).toEqual(expected);
}

describe.each(requestedVersions())('families of tables on PostgreSQL %i', (version) => {
  test.each(
    [
      ['inheritance', 14],
      ['not-null', 14],
      ['not-null-18', 18],
      ['partition', 14],
      ['sequence-partitioned', 17],
    ].filter(([, from]) => Number(from) <= version),
  )('%s.sql', async (name) => {
    await using source = await createDatabase({ version });
    await using target = await createDatabase({ version });
    await source.run(await readFile(new URL(`../../../fixtures/schema/${name}.sql`, import.meta.url), 'utf8'));
    await compare(source, target);
  });
});

test('a child that is put under its parents has its own order of columns and no constraints of theirs as its own', async () => {
  await using source = await createDatabase();
  await using target = await createDatabase();
  await source.run(`
    CREATE TABLE parent (a integer, b integer);
    CREATE TABLE child (b integer, a integer);
    ALTER TABLE child INHERIT parent;
    ALTER TABLE parent ADD CONSTRAINT positive CHECK (a > 0), ALTER b SET NOT NULL`);
  await compare(source, target);
});
