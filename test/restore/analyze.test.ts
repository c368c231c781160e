import { expect, test } from 'vitest';
import { openSession } from '#dist/pg/session.js';
import { resolveConnection } from '#dist/pg/settings.js';
import { analyze, inGroups, planAnalysis } from '#dist/restore/analyze.js';
import { createDatabase, patience, requestedVersions } from '../server/index.js';

test.each(requestedVersions())(
  'a partitioned table, its partitions and theirs have statistics, each once, on PostgreSQL %i',
  async (version) => {
    await using db = await createDatabase({ version });
    await db.run(`
    CREATE TABLE top (a integer, b integer) PARTITION BY RANGE (a);
    CREATE TABLE below PARTITION OF top FOR VALUES FROM (0) TO (100) PARTITION BY RANGE (b);
    CREATE TABLE leaf PARTITION OF below FOR VALUES FROM (0) TO (100);
    CREATE TABLE other PARTITION OF top FOR VALUES FROM (100) TO (200);
    CREATE TABLE plain (a integer);
    INSERT INTO top SELECT g, g % 100 FROM generate_series(0, 199) AS g;
    INSERT INTO plain SELECT g FROM generate_series(1, 10) AS g`);
    await using session = await openSession(resolveConnection(db.url, patience), { use: 'write' });
    const tables = ['top', 'plain'].map((name) => ({ schema: 'public', name }));
    const { targets, skipped } = await planAnalysis(session, tables);
    expect(skipped).toEqual([]);
    expect(targets).toEqual(
      version >= 18
        ? ['below', 'leaf', 'other', 'top', 'plain'].map((name) => `ONLY "public"."${name}"`)
        : ['"public"."top"', '"public"."plain"'],
    );
    await analyze(session, targets, { inTransaction: false, emit: () => undefined });
    const known = await db.query(`
    SELECT relname, reltuples::int, (SELECT count(*)::int FROM pg_stats s WHERE s.tablename = c.relname AND s.schemaname = 'public') AS columns
      FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY relname`);
    expect(known).toEqual([
      { relname: 'below', reltuples: 100, columns: 2 },
      { relname: 'leaf', reltuples: 100, columns: 2 },
      { relname: 'other', reltuples: 100, columns: 2 },
      { relname: 'plain', reltuples: 10, columns: 1 },
      { relname: 'top', reltuples: 200, columns: 2 },
    ]);
  },
);

test.each([false, true])('one of several that fails is told, and the others are done; in a transaction: %s', async (inTransaction) => {
  await using db = await createDatabase();
  await db.run(`
    CREATE TABLE a AS SELECT 1 AS id;
    CREATE TABLE b AS SELECT 0 AS id;
    CREATE STATISTICS ON (1 / id) FROM b;
    CREATE TABLE c AS SELECT 1 AS id`);
  await using session = await openSession(resolveConnection(db.url, patience), { use: 'write' });
  if (inTransaction) await session.query('BEGIN');
  const notices: unknown[] = [];
  await analyze(
    session,
    ['a', 'b', 'c'].map((name) => `"public"."${name}"`),
    { inTransaction, emit: (event) => notices.push(event) },
  );
  if (inTransaction) await session.query('COMMIT');
  expect(notices).toEqual([{ type: 'notice', message: 'ANALYZE "public"."b": division by zero; the planner has no statistics of it' }]);
  expect(await db.query('SELECT DISTINCT tablename FROM pg_stats WHERE schemaname = $1 ORDER BY 1', ['public'])).toEqual([
    { tablename: 'a' },
    { tablename: 'c' },
  ]);
});

test.each([
  [0, 2, []],
  [5, 2, [1, 1, 1, 1, 1]],
  [40, 2, [5, 4, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]],
  [1000, 1, undefined],
])('%i tables for %i sessions: many together at first, one by one at the end', (count, takers, sizes) => {
  const items = Array.from({ length: count }, (_, i) => i);
  const groups = [...inGroups(items, takers)];
  expect(groups.flat()).toEqual(items);
  if (sizes !== undefined) expect(groups.map(({ length }) => length)).toEqual(sizes);
  else expect([groups[0]?.length, groups.at(-1)?.length]).toEqual([50, 1]);
});
