// In which form the rows of a real database travel: by the types, and for large tables by samples of both forms.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import type { SnapshotOptions } from '#dist/app/snapshot/options.js';
import { takeSnapshot } from '#dist/app/snapshot/take-snapshot.js';
import { createDatabase, type TestDatabase } from '../../server/index.js';

let folder: string;
let source: TestDatabase;

// Short columns, in two tables; a long one that the types do not tell of; numbers that are shorter in binary; and what is slower as text. Some 90 MB, so that there are samples.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-form-'));
  source = await createDatabase();
  const line = `g AS id, abs(hashint4(g) % 100000) AS part, (abs(hashint4(g + 1) % 10000000) / 100.0)::numeric(10, 2) AS price, (abs(hashint4(g) % 11) / 100.0)::numeric(10, 2) AS tax, 'A'::char(1) AS code`;
  await source.run(`
    CREATE UNLOGGED TABLE lines AS SELECT ${line} FROM generate_series(1, 500000) AS g;
    CREATE UNLOGGED TABLE numbers AS SELECT hashint8extended(g, 0) AS a, hashint8extended(g, 1) AS b, hashint8extended(g, 2) AS c FROM generate_series(1, 300000) AS g;
    CREATE UNLOGGED TABLE hashes AS SELECT g AS id, '0x' || encode(sha256(g::text::bytea), 'hex') AS hash FROM generate_series(1, 220000) AS g;
    CREATE UNLOGGED TABLE times AS SELECT g AS id, timestamp '2026-01-01' + g * interval '1 s' AS at FROM generate_series(1, 300000) AS g;
    CREATE UNLOGGED TABLE documents AS SELECT g AS id, jsonb_build_object('id', g) AS body FROM generate_series(1, 200000) AS g;
    CREATE TABLE few AS SELECT 1 AS id, 'a'::text AS word;
    CREATE UNLOGGED TABLE lines_old AS SELECT * FROM lines WHERE id <= 1000;
  `);
});
afterAll(async () => {
  await source[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function formsOf(name: string, options: Partial<SnapshotOptions> = {}): Promise<Record<string, string>> {
  const { manifest } = await takeSnapshot({ database: source.url, file: join(folder, name), jobs: 2, statistics: false, ...options });
  return Object.fromEntries(manifest.tables.map((table) => [table.name, table.format]));
}

const byTypes = {
  lines: 'binary',
  lines_old: 'binary',
  hashes: 'binary',
  numbers: 'text',
  times: 'binary',
  documents: 'binary',
  few: 'binary',
};
const bySamples = { ...byTypes, lines: 'text', lines_old: 'text', numbers: 'binary' };

test('samples speak for short values as text and long numbers in binary, also where a table has the same columns; what is restored is equal', async () => {
  expect(await formsOf('sampled')).toEqual(bySamples);
  await using target = await createDatabase();
  await restoreSnapshot({ database: target.url, file: join(folder, 'sampled'), jobs: 2 });
  for (const table of Object.keys(byTypes)) {
    const sum = `SELECT count(*), sum(hashtextextended(t::text, 0)) AS sum FROM ${table} AS t`;
    expect(await target.query(sum)).toEqual(await source.query(sum));
  }
});

test('also where the level is asked for; with one worker of the two largest', async () => {
  expect(await formsOf('level', { compressLevel: 3 })).toEqual(bySamples);
  expect(await formsOf('one', { jobs: 1, compressLevel: 3 })).toEqual({ ...bySamples, numbers: 'text' });
});

test.each(['text', 'binary'] as const)('%s where that is asked for', async (copyFormat) => {
  expect(new Set(Object.values(await formsOf(copyFormat, { copyFormat })))).toEqual(new Set([copyFormat]));
});

test('a small database goes by its types', async () => {
  expect(await formsOf('small', { excludeTableData: ['lines', 'hashes', 'numbers', 'times', 'documents'] })).toEqual(byTypes);
});

test('rows that later snapshots refer to keep the form that their types speak for', async () => {
  await source.run(
    'CREATE TABLE parts (height int8, x int4) PARTITION BY RANGE (height); CREATE TABLE parts_0 PARTITION OF parts FOR VALUES FROM (0) TO (10)',
  );
  const forms = await formsOf('completed', { height: 100n, completed: { tables: ['public.parts'] } });
  expect(forms).toEqual({ ...byTypes, parts_0: 'text' });
});
