// Every type of the fixtures out of one database and into another, in each format: rows and sequences are the same.
import { describe, expect, it } from 'vitest';
import { importTables } from '#dist/app/import/import-tables.js';
import type { ExportFormat } from '#dist/model/export.js';
import { type Contents, readContents } from '../../round-trip/contents.js';
import { fitForBinary, likenessOf } from '../../round-trip/every-fixture.js';
import { readFixtures } from '../../round-trip/fixtures.js';
import { groupsOf, shareDatabases } from '../../round-trip/share-databases.js';
import { oldestHere, type TestDatabase, type Version } from '../../server/index.js';
import { exportOf, runSchema, targetOf } from './export-sample.js';

const fixtures = (await readFixtures()).filter(({ folder }) => folder === 'data');

/** Large objects and rows of extensions' tables are for snapshots. */
function withoutOthers({ rows, sequences }: Contents, leftOut: ReadonlySet<string>): Contents {
  const kept = Object.entries(rows).filter(([name]) => name !== 'large objects' && !leftOut.has(name));
  return { rows: Object.fromEntries(kept), sequences };
}

async function goesAround(source: TestDatabase, before: Contents, { format, version }: { format: ExportFormat; version: Version }) {
  await using exported = await exportOf(source, { format });
  await using target = await targetOf(exported, { version });
  const { tables, rows } = await importTables({ directory: exported.directory, database: target.url });
  expect({ tables, rows }).toEqual({ tables: exported.manifest.tables.length, rows: exported.manifest.totals.rows });
  await runSchema(target, exported.directory, 'schema-after.sql');
  const leftOut = new Set(exported.manifest.leftOut.filter(({ kind }) => kind === 'rows').map(({ name }) => name));
  expect(withoutOthers(await readContents(target), leftOut)).toEqual(withoutOthers(before, leftOut));
}

describe.each([...new Set<Version>([18, oldestHere])])('on PostgreSQL %i', (version) => {
  const groups = groupsOf(
    fixtures.filter(({ from }) => from <= version),
    8,
    likenessOf,
  ).map((group) => ({ group, names: group.map(({ name }) => name).join(', ') }));

  it.each(groups)('$names: around', { timeout: 180_000 }, async ({ group }) => {
    await shareDatabases(group, version, async (source) => {
      const before = await readContents(source);
      for (const format of ['csv', 'text'] as const) await goesAround(source, before, { format, version });
      if (group.every(fitForBinary)) await goesAround(source, before, { format: 'binary', version });
      else await expect(exportOf(source, { format: 'binary' })).rejects.toMatchObject({ code: 'UNSUPPORTED_OBJECT' });
    });
  });
});
