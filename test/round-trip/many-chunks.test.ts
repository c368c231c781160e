// Tables of several chunks and several ctid ranges, read and loaded by 1, 2 and 4 at once: every row comes exactly once.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../server/index.js';
import { archiveOf, restored } from './cycle.js';

// Wide rows kept outside of the heap: many bytes, few blocks. 30 bytes of the row's number, repeated, so that rows cannot be mistaken.
const sql = `
  CREATE TABLE wide (id int, body text);
  ALTER TABLE wide ALTER body SET STORAGE EXTERNAL;
  INSERT INTO wide SELECT g, repeat(lpad(g::text, 30, '.'), 700) FROM generate_series(1, 7000) g;
  DELETE FROM wide WHERE id % 10 = 0;
  CREATE TABLE narrow (id int, body text);
  INSERT INTO narrow SELECT g, md5(g::text) FROM generate_series(1, 250000) g`;

const digest = `
  SELECT 'wide' AS name, count(*)::int AS rows, count(DISTINCT id)::int AS ids, md5(string_agg(id || md5(body), ',' ORDER BY id)) AS digest FROM wide
  UNION ALL SELECT 'narrow', count(*)::int, count(DISTINCT id)::int, md5(string_agg(id || body, ',' ORDER BY id)) FROM narrow`;

describe('many chunks', () => {
  let source: TestDatabase;
  let expected: unknown;
  beforeAll(async () => {
    source = await createDatabase();
    await source.run(sql);
    expected = await source.query(digest);
  });
  afterAll(() => source.drop());

  test.each([
    [1, 'text'],
    [2, 'binary'],
    [4, 'binary'],
  ] as const)('with %i at work, in %s', async (jobs, copyFormat) => {
    await using archive = await archiveOf(source, { jobs, copyFormat });
    const chunks = new Map(archive.manifest.tables.map((table) => [table.name, table.chunks]));
    const ranges = new Set(chunks.get('wide')?.map(({ range }) => String(range)));
    // One worker reads each table in one scan.
    expect(ranges.size > 2).toBe(jobs > 1);
    expect(chunks.get('wide')?.length).toBeGreaterThan(30);
    expect(chunks.get('narrow')?.length).toBeGreaterThan(2);
    await using target = await restored(archive, { jobs });
    expect(await target.query(digest)).toEqual(expected);
  });
});
