// Every fixture of schemas, several in one database, through an untrusted restore: none of them makes it fail, what is there has the rows that it
// had, and what is not there is named.
import { expect, test } from 'vitest';
import { restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import { readContents } from '../round-trip/contents.js';
import { archiveOf } from '../round-trip/cycle.js';
import { fillDatabase } from '../round-trip/fill.js';
import { fixtureVersions, readFixtures } from '../round-trip/fixtures.js';
import { shareDatabases } from '../round-trip/share-databases.js';
import type { TestDatabase, Version } from '../server/index.js';
import { createLoaderDatabase } from './loader.js';

const version = fixtureVersions().at(-1) as Version;

/** Casts of their own make all expressions of a database doubtful: those by themselves. */
const apart = /CREATE CAST/i;

async function columnsOf(database: TestDatabase): Promise<ReadonlyMap<string, string>> {
  const rows = await database.query<{ name: string; columns: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name, string_agg(a.attname, ' ' ORDER BY a.attname) AS columns
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped GROUP BY 1`,
  );
  return new Map(rows.map(({ name, columns }) => [name, columns]));
}

/** `"a b".c` -> `a b.c` */
function spoken(name: string): string {
  return name.replaceAll(/"((?:[^"]|"")*)"/g, (_all, inner: string) => inner.replaceAll('""', '"'));
}

async function comesAround(source: TestDatabase): Promise<void> {
  await fillDatabase(source);
  await using archive = await archiveOf(source);
  await using target = await createLoaderDatabase({ version });
  const { leftOut } = await restoreSnapshot({ database: target.url, file: archive.file, jobs: 2, untrusted: true });
  const before = await readContents(source);
  const after = await readContents(target.database);
  expect(after.sequences).toEqual(Object.fromEntries(Object.entries(before.sequences).filter(([name]) => name in after.sequences)));
  const columns = { before: await columnsOf(source), after: await columnsOf(target.database) };
  // Without a generated column a row has another text.
  const whole = Object.keys(after.rows).filter((name) => columns.after.get(name) === columns.before.get(name));
  expect(whole.filter((name) => JSON.stringify(after.rows[name]) !== JSON.stringify(before.rows[name]))).toEqual([]);
  const fewer = Object.keys(after.rows).length - whole.length;
  expect(fewer).toBeLessThanOrEqual(3 * leftOut.filter(({ kind }) => kind === 'generated column').length);
  const gone = Object.keys(before.rows).filter((name) => !(name in after.rows) && name !== 'large objects');
  const named = (name: string): boolean => leftOut.some((one) => one.name === spoken(name));
  expect(gone.filter((name) => !named(name) && !/[\n\t]/.test(name))).toEqual([]);
}

test(`all fixtures of schemas on PostgreSQL ${version}`, { timeout: 600_000 }, async () => {
  const fixtures = (await readFixtures()).filter(({ from, folder }) => from <= version && folder === 'schema');
  for (const group of [fixtures.filter(({ sql }) => !apart.test(sql)), fixtures.filter(({ sql }) => apart.test(sql))]) {
    await shareDatabases(group, version, comesAround);
  }
});
