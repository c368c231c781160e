// What a selective restore finds in its target: names as hard as can be, looked up by the text of the DROP statement.
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { openSession } from '#dist/pg/session.js';
import { resolveConnection } from '#dist/pg/settings.js';
import { findPresent } from '#dist/restore/present.js';
import { readSchema } from '../schema/judge.js';
import { createDatabase, type TestDatabase } from '../server/index.js';

/** Kinds that nothing takes along unless it is chosen. */
const ofTables = new Set(['table', 'view', 'materialized view', 'index', 'constraint', 'check', 'policy']);

test.each(['cast', 'conversion', 'transform', 'text-search', 'names'])('%s', async (name) => {
  await using source = await createDatabase();
  await source.run(await readFile(new URL(`../../fixtures/schema/${name}.sql`, import.meta.url), 'utf8'));
  const { objects, steps } = await readSchema(source.url);
  const candidates = objects.filter(({ kind, drop }) => drop !== undefined && !ofTables.has(kind));
  const found = async (db: TestDatabase) => {
    await using session = await openSession(resolveConnection(db.url, {}), { use: 'write' });
    const present = await findPresent(session, { objects, steps, tables: [] }, candidates);
    return candidates.filter(({ id }) => present.has(id)).map(({ drop }) => drop);
  };
  expect(await found(source)).toEqual(candidates.map(({ drop }) => drop));
  await using empty = await createDatabase();
  expect(await found(empty)).toEqual([]);
});
