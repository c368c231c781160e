import { expect, test } from 'vitest';
import { openSession } from '#dist/pg/session.js';
import { resolveConnection } from '#dist/pg/settings.js';
import { analyze, planAnalysis } from '#dist/restore/analyze.js';
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
    const { statements, skipped } = await planAnalysis(session, tables);
    expect(skipped).toEqual([]);
    expect(statements).toEqual(
      version >= 18
        ? ['below', 'leaf', 'other', 'top', 'plain'].map((name) => `ANALYZE ONLY "public"."${name}"`)
        : ['ANALYZE "public"."top"', 'ANALYZE "public"."plain"'],
    );
    for (const statement of statements) await analyze(session, statement, { inTransaction: false, emit: () => undefined });
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
