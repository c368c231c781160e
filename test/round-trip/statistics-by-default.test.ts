// Which statistics come along without being asked for, and that what has none is analyzed. Those of the source are made recognizable: each
// column seems to be null for an eighth, which no ANALYZE here finds.
import { expect, test } from 'vitest';
import { checkManifest } from '#dist/archive/layout.js';
import { createDatabase, type TestDatabase } from '../server/index.js';
import { oldestHere } from '../server/version.js';
import { archiveOf, pipe, restored } from './cycle.js';

const rows = 9000;
const values = `SELECT g AS a, md5(g::text) AS b FROM generate_series(1, ${rows}) g`;
const autovacuum = 'WITH (autovacuum_enabled = off)';

/** Tables of half a megabyte, but for one. */
const tables = `
  CREATE TABLE plain ${autovacuum} AS ${values};
  CREATE INDEX plain_upper ON plain (upper(b));
  CREATE TABLE small ${autovacuum} AS ${values} LIMIT 500;
  CREATE TABLE never ${autovacuum} AS ${values};
  CREATE TABLE outdated ${autovacuum} AS ${values};
  CREATE TABLE extended ${autovacuum} AS ${values};
  CREATE STATISTICS pairs ON a, b FROM extended;
  CREATE TABLE parent ${autovacuum} AS ${values};
  CREATE TABLE child (c integer) INHERITS (parent) ${autovacuum};
  CREATE TABLE parted (a integer, b text) PARTITION BY RANGE (a);
  CREATE TABLE part1 PARTITION OF parted FOR VALUES FROM (0) TO (1000000) ${autovacuum};
  CREATE TABLE part2 PARTITION OF parted DEFAULT ${autovacuum};
  INSERT INTO parted ${values};
  CREATE MATERIALIZED VIEW view ${autovacuum} AS ${values};
  SELECT pg_stat_force_next_flush()`;

const analyze = `
  ANALYZE plain; ANALYZE small; ANALYZE outdated; ANALYZE extended; ANALYZE parent; ANALYZE parted; ANALYZE view;
  INSERT INTO outdated SELECT a, b FROM outdated LIMIT ${rows / 5};
  SET allow_system_table_mods = on;
  UPDATE pg_statistic SET stanullfrac = 0.125 WHERE starelid >= 16384;
  SELECT pg_stat_force_next_flush()`;

/** Tables and indexes, by where what is known of their columns is from. */
async function originsIn(database: TestDatabase): Promise<{ carried: string[]; gathered: string[] }> {
  const found = await database.query<{ name: string; carried: boolean }>(
    `SELECT tablename AS name, bool_and(null_frac = 0.125) AS carried FROM pg_stats WHERE schemaname = 'public' GROUP BY 1 ORDER BY 1`,
  );
  const names = (which: boolean): string[] => found.filter(({ carried }) => carried === which).map(({ name }) => name);
  return { carried: names(true), gathered: names(false) };
}

const all = ['extended', 'never', 'outdated', 'parent', 'part1', 'parted', 'plain', 'plain_upper', 'small', 'view'];

async function analyzedSource(): Promise<TestDatabase> {
  const source = await createDatabase({ version: 18 });
  // Changes count when a transaction is over.
  for (const statements of [tables, analyze]) await source.run(statements);
  return source;
}

test('those of tables that take long to analyze, where they are up to date and of nothing but rows that come along', async () => {
  await using source = await analyzedSource();
  await using archive = await archiveOf(source);
  const { manifest } = archive;
  expect(manifest.totals.rows).toBe(BigInt(rows * 6 + 500 + rows / 5));
  // They once counted, and archives of then are as good.
  const withStatistics = manifest.tables.reduce((sum, table) => sum + table.rows, 0n);
  const counting = (counted: bigint) => () => checkManifest({ ...manifest, totals: { ...manifest.totals, rows: counted } });
  expect(withStatistics).toBeGreaterThan(manifest.totals.rows);
  expect(counting(withStatistics)).not.toThrow();
  expect(counting(withStatistics - 1n)).toThrow('total of rows');
  const carried = ['part1', 'plain', 'plain_upper'];
  const gathered = all.filter((name) => !carried.includes(name));
  await using target = await restored(archive, { jobs: 2, into: { version: 18 } });
  expect(await originsIn(target)).toEqual({ carried, gathered });
  const extended = `SELECT FROM pg_stats_ext WHERE tablename = 'extended' AND dependencies IS NOT NULL`;
  expect(await target.query(extended)).toHaveLength(1);
  await using piped = await createDatabase({ version: 18 });
  await pipe(source, piped);
  expect(await originsIn(piped)).toEqual({ carried, gathered });
  await using without = await restored(archive, { noStatistics: true, into: { version: 18 } });
  expect(await originsIn(without)).toEqual({ carried: [], gathered: all });
  await using neither = await restored(archive, { noAnalyze: true, into: { version: 18 } });
  expect(await originsIn(neither)).toEqual({ carried, gathered: [] });
});

test('none of rows that are left out of a restore, or may go to other partitions', async () => {
  await using source = await analyzedSource();
  await using archive = await archiveOf(source);
  const options = { excludeTableData: ['plain'], loadViaPartitionRoot: true };
  await using target = await restored(archive, { ...options, into: { version: 18 } });
  expect(await originsIn(target)).toEqual({ carried: [], gathered: all.filter((name) => !name.startsWith('plain')) });
});

test('all of them, where that is asked for; what has none, or more than a server takes, is analyzed', async () => {
  await using source = await analyzedSource();
  await using archive = await archiveOf(source, { statistics: true });
  await using target = await restored(archive, { into: { version: 18 } });
  const gathered = ['extended', 'never'];
  expect(await originsIn(target)).toEqual({ carried: all.filter((name) => !gathered.includes(name)), gathered });
});

test.each([
  { options: { statistics: false } },
  { options: { excludeTableData: ['plain', 'part1'] } },
  { options: { dataOnly: true } },
  { options: { schemaOnly: true } },
])('none with $options', async ({ options }) => {
  await using source = await analyzedSource();
  await using archive = await archiveOf(source, options);
  expect(archive.manifest.tables.filter(({ statistics }) => statistics)).toEqual([]);
});

test('none from a server that would not take them', async () => {
  await using source = await createDatabase({ version: oldestHere });
  await source.run(`CREATE TABLE plain AS ${values}; ANALYZE plain`);
  await using archive = await archiveOf(source);
  expect(archive.manifest.tables.filter(({ statistics }) => statistics)).toEqual([]);
});
