// More than a thousand tables: locked in several statements, read many with one message, and loaded by threads that get several at a time.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { restoreSnapshot, takeSnapshot } from '#dist/index.js';
import { createDatabase, eventually, type TestDatabase } from '../../server/index.js';

const count = 1100;
let source: TestDatabase;
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-test-'));
  source = await createDatabase();
  await source.run(`DO $$ BEGIN
    FOR i IN 1..${count} LOOP
      EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, note text)', i);
      EXECUTE format('INSERT INTO t%1$s SELECT g, repeat(md5(%1$s || ''-'' || g), 40) FROM generate_series(1, %2$s) g', i, i % 7);
      IF i % 200 = 0 THEN
        COMMIT;
      END IF;
    END LOOP;
  END $$`);
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await source.drop();
});

/** All rows of each table as one hash, in the order of the names. */
const rowsOfAll = `
  SELECT c.relname, md5(query_to_xml(format('SELECT * FROM %I ORDER BY id', c.relname), true, false, '')::text) AS rows
    FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY c.relname`;

test('all are there, rows and all', async () => {
  const file = join(folder, 'all.tar.zst');
  const { manifest } = await takeSnapshot({ database: source.url, file, jobs: 2 });
  expect(manifest.totals.tables).toBe(count);
  await using target = await createDatabase();
  await restoreSnapshot({ database: target.url, file, jobs: 2 });
  expect(await target.query(rowsOfAll)).toEqual(await source.query(rowsOfAll));
});

test('one that was altered is named', async () => {
  const file = join(folder, 'altered.tar.zst');
  const { manifest } = await takeSnapshot({ database: source.url, file, jobs: 2 });
  const chunk = manifest.tables.find(({ name }) => name === 't503')?.chunks[0];
  const bytes = await readFile(file);
  const at = Number(chunk?.offset) + Number(chunk?.length) - 5;
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  await writeFile(file, bytes);
  await using target = await createDatabase();
  const restoring = restoreSnapshot({ database: target.url, file, jobs: 2 });
  await expect(restoring).rejects.toMatchObject({ code: 'ARCHIVE_CORRUPT', message: expect.stringContaining(`${chunk?.member}`) });
});

test('a table that comes between the choice and the locks starts the snapshot over', async () => {
  const file = join(folder, 'late.tar.zst');
  await using other = await source.connect();
  await other.query('BEGIN; LOCK TABLE t1000; CREATE TABLE late AS SELECT 1 AS id');
  const taking = takeSnapshot({ database: source.url, file, jobs: 2 });
  const waiting = `SELECT 1 FROM pg_stat_activity WHERE application_name = 'tidemark' AND wait_event_type = 'Lock'`;
  await eventually('it waits, with its list of tables from before', async () => (await source.query(waiting)).length === 1);
  await other.query('COMMIT');
  const { manifest, attempts } = await taking;
  expect(attempts).toBe(2);
  expect(manifest.tables.find(({ name }) => name === 'late')?.rows).toBe(1n);
});
