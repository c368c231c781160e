// Statistics go through the server's functions some at a time: what it does not take is found among what it does, by several sessions at
// once. Whole archives are in round-trip/statistics.test.ts.
import { expect, test } from 'vitest';
import type { Catalog } from '#dist/model/catalog.js';
import { openSession } from '#dist/pg/session.js';
import { resolveConnection } from '#dist/pg/settings.js';
import { planStatistics } from '#dist/restore/plan-statistics.js';
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
  await restoreStatistics({
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
  const plan = (data: boolean, postData: boolean, { refreshes = true, truncate = false } = {}) =>
    planStatistics(catalog, { data, postData, refreshes, truncate, present: new Set([4]) }).map(
      ({ name, itself, indexes }) => `${name}${itself ? ' itself' : ''}${indexes ? ' indexes' : ''}`,
    );
  expect(plan(true, true)).toEqual(['o0 itself indexes', 'o1 itself indexes', 'o2 itself indexes']);
  expect(plan(true, false)).toEqual(['o0 itself', 'o1 itself']);
  expect(plan(true, false, { truncate: true })).toEqual(['o0 itself indexes', 'o1 itself indexes']);
  expect(plan(false, true)).toEqual(['o0 indexes', 'o1 indexes', 'o2 itself indexes']);
  expect(plan(false, true, { refreshes: false })).toEqual([]);
  const scope = { data: true, postData: true, refreshes: true, truncate: false, present: new Set<number>() };
  expect(planStatistics({ ...catalog, tables: [] }, scope)).toEqual([]);
  expect(planStatistics({ ...catalog, tables: [{ ...statisticsTable(6), withoutData: 'excluded' }] }, scope)).toEqual([]);
});

test('tables are read some at a time', () => {
  const oids = Array.from({ length: 2001 }, (_, n) => n + 16384);
  expect(splitStatistics(oids).map((range) => range.length)).toEqual([1000, 1000, 1]);
  expect(splitStatistics(oids).flat()).toEqual(oids);
  expect(splitStatistics([])).toEqual([]);
});
