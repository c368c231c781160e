// What a selective restore finds in its target: names as hard as can be, looked up by the text of the DROP statement.
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { openSession } from '#dist/pg/session.js';
import { resolveConnection } from '#dist/pg/settings.js';
import { findPresent } from '#dist/restore/present.js';
import { readSchema } from '../schema/judge.js';
import { createDatabase, patience, type TestDatabase } from '../server/index.js';

/** Kinds that nothing takes along unless it is chosen. */
const ofTables = new Set(['table', 'view', 'materialized view', 'index', 'constraint', 'check', 'policy']);

test.each(['cast', 'conversion', 'transform', 'text-search', 'names', 'operator', 'operator-class', 'access-method', 'language'])(
  '%s',
  async (name) => {
    await using source = await createDatabase();
    await source.run(await readFile(new URL(`../../fixtures/schema/${name}.sql`, import.meta.url), 'utf8'));
    const { objects, steps } = await readSchema(source.url);
    // A shell of an operator is made by whichever operator names it: whether it is there is nothing to go by.
    const made = new Set(
      steps.filter(({ facet, statements }) => facet === 'definition' && statements.length > 0).map(({ object }) => object),
    );
    const candidates = objects.filter(({ id, kind, drop }) => drop !== undefined && made.has(id) && !ofTables.has(kind));
    const found = async (db: TestDatabase) => {
      await using session = await openSession(resolveConnection(db.url, patience), { use: 'write' });
      const present = await findPresent(session, { objects, steps, tables: [] }, candidates);
      return candidates.filter(({ id }) => present.has(id)).map(({ drop }) => drop);
    };
    expect(await found(source)).toEqual(candidates.map(({ drop }) => drop));
    await using empty = await createDatabase();
    expect(await found(empty)).toEqual([]);
  },
);
