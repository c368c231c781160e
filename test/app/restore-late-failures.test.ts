// What fails only when all the rows are there: ANALYZE of an expression that its rows are wrong for, which is told and ends nothing, and a
// materialized view whose query has come to give rows that its unique index refuses.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { restoreSnapshot } from '#dist/app/restore-snapshot.js';
import { takeSnapshot } from '#dist/app/take-snapshot.js';
import type { TidemarkEvent } from '#dist/model/events.js';
import { createDatabase } from '../server/index.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-late-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('ANALYZE that fails is told, and the restore goes on', async () => {
  await using source = await createDatabase();
  await source.run(`
    CREATE TABLE of_text (a text, b text);
    CREATE STATISTICS as_numbers ON (a::integer), b FROM of_text;
    INSERT INTO of_text VALUES ('not a number', 'b');
    CREATE TABLE plain (a integer);
    INSERT INTO plain VALUES (1), (2);`);
  const file = join(folder, 'analyze.tar.zst');
  await takeSnapshot({ database: source.url, file });
  await using target = await createDatabase();
  // The first into an empty database, the second in one transaction.
  for (const truncate of [false, true]) {
    const notices: string[] = [];
    const onEvent = (event: TidemarkEvent) => (event.type === 'notice' ? notices.push(event.message) : 0);
    const { rows } = await restoreSnapshot({ database: target.url, file, truncate, onEvent });
    expect(rows).toBe(3n);
    expect(notices).toEqual([expect.stringMatching(/ANALYZE "public"\."of_text": .*invalid input syntax for type integer/)]);
    expect(await target.query('SELECT a FROM of_text')).toEqual([{ a: 'not a number' }]);
    expect(await target.query(`SELECT reltuples FROM pg_class WHERE relname = 'plain'`)).toEqual([{ reltuples: 2 }]);
  }
});

test('a materialized view that cannot be filled again says what to do', async () => {
  await using source = await createDatabase();
  await source.run(`
    CREATE TABLE t (a integer);
    INSERT INTO t VALUES (1);
    CREATE MATERIALIZED VIEW m AS SELECT a FROM t;
    CREATE UNIQUE INDEX ON m (a);
    INSERT INTO t VALUES (1);`);
  const file = join(folder, 'refresh.tar.zst');
  await takeSnapshot({ database: source.url, file });
  await using target = await createDatabase();
  await expect(restoreSnapshot({ database: target.url, file })).rejects.toMatchObject({
    code: 'RESTORE_FAILED',
    message: expect.stringContaining('refresh of materialized view public.m'),
    hint: expect.stringContaining('refresh it on the source'),
  });
});
