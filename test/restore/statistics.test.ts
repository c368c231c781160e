// Statistics go through the server's functions some at a time: what it does not take is found among what it does, by several sessions at
// once. Whole archives are in round-trip/statistics.test.ts.
import { expect, test } from 'vitest';
import type { Catalog } from '#dist/model/catalog.js';
import { openSession } from '#dist/pg/session.js';
import { resolveConnection } from '#dist/pg/settings.js';
import { countExtended, planStatistics } from '#dist/restore/plan-statistics.js';
import { restoreStatistics, stageStatistics } from '#dist/restore/statistics.js';
import { splitStatistics, statisticsTable } from '#dist/snapshot/statistics.js';
import { createDatabase, patience } from '../server/index.js';

test('a few bad ones among many', async () => {
  await using database = await createDatabase({ version: 18 });
  await database.run(`
    CREATE SCHEMA tidemark_restoring;
    DO $$ BEGIN FOR i IN 1..450 LOOP EXECUTE format('CREATE TABLE %I (a int) WITH (autovacuum_enabled = off)', 't' || i); END LOOP; END $$;
    DROP TABLE t5; DROP TABLE t7; CREATE VIEW t7 AS SELECT 1 AS a`);
  await using one = await openSession(resolveConnection(database.url, patience), { use: 'write' });
  await using two = await openSession(resolveConnection(database.url, patience), { use: 'write' });
  for (const statement of stageStatistics('marked', statisticsTable(0))) await one.query(statement);
  // t5 is not there, t7 is a view, the values of t300 are no integers.
  await one.query(`
    INSERT INTO tidemark_restoring.statistics (version, schemaname, tablename, attname, inherited, null_frac, avg_width, n_distinct, most_common_vals, most_common_freqs)
    SELECT 180000, 'public', 't' || g, 'a', false, 0.25, 4, g, CASE g WHEN 300 THEN '{x}' ELSE '{7}' END, '{0.5}' FROM generate_series(1, 450) g`);
  const notices: string[] = [];
  const known = await restoreStatistics({
    sessions: [one, two],
    inTransaction: false,
    place: 'marked',
    relations: Array.from({ length: 440 }, (_, n) => ({ schema: 'public', name: `t${n + 1}`, itself: true, indexes: true })),
    emit: (event) => void (event.type === 'notice' && notices.push(event.message)),
  });
  expect(notices.sort()).toEqual([
    'statistics of column a of public.t300: invalid input syntax for type integer: "x"',
    expect.stringMatching(/^statistics of column a of public\.t7: .*t7/),
  ]);
  const [row] = await database.query<Record<string, unknown>>(`
    SELECT count(*)::int, count(most_common_vals)::int AS values, sum(n_distinct)::int, bool_or(tablename = 't441') AS more FROM pg_stats WHERE schemaname = 'public'`);
  const names = new Set(known.map(({ name }) => name));
  expect(Array.from({ length: 450 }, (_, n) => `t${n + 1}`).filter((name) => !names.has(name))).toEqual([
    't5',
    't7',
    't300',
    ...Array.from({ length: 10 }, (_, n) => `t${n + 441}`),
  ]);
  // 1 to 440 but 5 and 7; of 300 without its values.
  expect(row).toEqual({ count: 438, values: 437, sum: (440 * 441) / 2 - 12, more: false });
});

test('of what statistics are wanted', () => {
  const names = ['table', 'foreign table', 'materialized view', 'index', 'table', 'view'];
  const objects = names.map((kind, id) => ({ id, kind, schema: 's', name: `o${id}`, ...(kind === 'index' ? { parent: 0 } : {}) }));
  const catalog: Catalog = {
    objects: [...objects, { id: 6, kind: 'planner statistics', name: 'all' }],
    steps: [],
    tables: [statisticsTable(6)],
  };
  const { tables: archived } = catalog;
  const scope = { data: true, postData: true, refreshes: true, truncate: false, analyze: true, archived, present: new Set([4]) };
  const plan = (data: boolean, postData: boolean, more: Partial<typeof scope> = {}) =>
    planStatistics(catalog, { ...scope, data, postData, ...more }).map(
      ({ name, itself, indexes }) => `${name}${itself ? ' itself' : ''}${indexes ? ' indexes' : ''}`,
    );
  expect(plan(true, true)).toEqual(['o0 itself indexes', 'o1 itself indexes', 'o2 itself indexes']);
  expect(plan(true, false)).toEqual(['o0 itself', 'o1 itself']);
  expect(plan(true, false, { truncate: true })).toEqual(['o0 itself indexes', 'o1 itself indexes']);
  expect(plan(false, true)).toEqual(['o0 indexes', 'o1 indexes', 'o2 itself indexes']);
  expect(plan(false, true, { refreshes: false })).toEqual([]);
  expect(planStatistics({ ...catalog, tables: [] }, scope)).toEqual([]);
  expect(planStatistics({ ...catalog, tables: [{ ...statisticsTable(6), withoutData: 'excluded' }] }, scope)).toEqual([]);
});

test('what has extended statistics or gets rows of others is left to ANALYZE where that runs; what stays empty has none', () => {
  const table = { schema: 's', columns: [], format: 'text' } as const;
  const rows = (object: number) => ({ ...table, object, name: `o${object}`, directory: `data/${object}` });
  const catalog: Catalog = {
    objects: [
      { id: 0, kind: 'table', schema: 's', name: 'o0' },
      { id: 1, kind: 'table', schema: 's', name: 'o1', partitionOf: 0 },
      { id: 2, kind: 'table', schema: 's', name: 'o2' },
      { id: 3, kind: 'table', schema: 's', name: 'o3' },
      { id: 4, kind: 'statistics', schema: 's', name: 'of0', parent: 0 },
      { id: 5, kind: 'statistics', schema: 's', name: 'of2', parent: 2 },
      { id: 6, kind: 'statistics', schema: 's', name: 'of3', parent: 3 },
      { id: 7, kind: 'table', schema: 's', name: 'o7', partitionOf: 0 },
      { id: 8, kind: 'table', schema: 's', name: 'o8' },
      { id: 9, kind: 'planner statistics', name: 'all' },
    ],
    steps: [],
    tables: [
      ...[rows(1), rows(2), { ...rows(3), withoutData: 'excluded' as const }, { ...rows(7), loadInto: 0 }],
      ...[{ ...rows(8), withoutData: 'excluded' as const }, statisticsTable(9)],
    ],
  };
  const archived = [...catalog.tables.slice(0, -2), rows(8)];
  const scope = { data: true, postData: true, refreshes: true, truncate: false, analyze: true, archived, present: new Set<number>() };
  const plan = (more: Partial<typeof scope>) => {
    const planned = planStatistics(catalog, { ...scope, ...more });
    return { names: planned.map(({ name }) => name), empty: countExtended(catalog, planned) };
  };
  expect(plan({})).toEqual({ names: ['o1', 'o3'], empty: 1 });
  expect(plan({ analyze: false })).toEqual({ names: ['o0', 'o1', 'o2', 'o3', 'o7'], empty: 3 });
  expect(plan({ data: false })).toEqual({ names: ['o0', 'o1', 'o2', 'o3', 'o7'], empty: 3 });
});

test('tables are read some at a time', () => {
  const oids = Array.from({ length: 2001 }, (_, n) => n + 16384);
  expect(splitStatistics(oids).map((range) => range.length)).toEqual([1000, 1000, 1]);
  expect(splitStatistics(oids).flat()).toEqual(oids);
  expect(splitStatistics([])).toEqual([]);
});
