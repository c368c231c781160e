// Exports as files: what is in the folder, names and values that make trouble, one view under concurrent writers, and nothing left where it
// fails or is killed.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportTables } from '#dist/app/export/export-tables.js';
import { importTables } from '#dist/app/import/import-tables.js';
import { parseSums } from '#dist/archive/export-manifest.js';
import { decompressed } from '#dist/frame/decompressed.js';
import { loadCodec } from '#dist/frame/zstd.js';
import type { ExportFormat } from '#dist/model/export.js';
import { startCli } from '../../cli/run-cli.js';
import { createDatabase, eventually, type TestDatabase } from '../../server/index.js';
import { exportOf, makeFolder, targetOf } from './export-sample.js';

async function contentOf(path: string): Promise<Buffer> {
  const bytes = await readFile(path);
  const pieces: Buffer[] = [];
  for await (const piece of decompressed(await loadCodec(), one(bytes))) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

async function* one(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

describe('the folder of an export', () => {
  it('has a file a table, with a header line, and checksums that sha256sum reads', async () => {
    await using db = await createDatabase();
    await db.run(`
      CREATE SCHEMA "a b"; CREATE SCHEMA a;
      CREATE TABLE "a b"."c""d" ("x,y" int, "q""q" text, n text, e text, total int GENERATED ALWAYS AS ("x,y" * 2) STORED);
      INSERT INTO "a b"."c""d" VALUES (1, E'a"b,c\\n\\\\.\\nd', NULL, ''), (2, '\\.', 'NULL', ' ');
      CREATE TABLE a.b (id int); CREATE TABLE a."B" (id int); CREATE TABLE a."../b" ();
      INSERT INTO a."../b" DEFAULT VALUES`);
    await using exported = await exportOf(db);
    const { directory, manifest } = exported;
    const files = manifest.tables.map(({ schema, name, file, rows }) => [schema, name, file, rows]);
    expect(files).toEqual([
      ['a', '../b', 'a.b.csv.zst', 1n],
      ['a', 'B', 'a.B-2.csv.zst', 0n],
      ['a', 'b', 'a.b-3.csv.zst', 0n],
      ['a b', 'c"d', 'a-b.c-d.csv.zst', 2n],
    ]);
    expect((await contentOf(join(directory, 'a-b.c-d.csv.zst'))).toString()).toBe(
      '"x,y","q""q",n,e\n1,"a""b,c\n\\.\nd",,""\n2,\\.,NULL, \n',
    );
    expect((await contentOf(join(directory, 'a.b-3.csv.zst'))).toString()).toBe('id\n');
    const sums = parseSums(await readFile(join(directory, 'SHA256SUMS'), 'utf8'));
    expect([...sums.keys()].sort()).toEqual((await readdir(directory)).filter((name) => name !== 'SHA256SUMS').sort());
    for (const [name, sha256] of sums) {
      expect(
        createHash('sha256')
          .update(await readFile(join(directory, name)))
          .digest('hex'),
        name,
      ).toBe(sha256);
    }
    const raw = await Promise.all(manifest.tables.map(async ({ file }) => BigInt((await contentOf(join(directory, file))).length)));
    expect(manifest.tables.map(({ rawBytes }) => rawBytes)).toEqual(raw);
  });

  it('has the partitions, or with loadViaPartitionRoot their table', async () => {
    await using db = await createDatabase();
    await db.run(`
      CREATE TABLE m (id int GENERATED ALWAYS AS IDENTITY, k int, v text) PARTITION BY RANGE (k);
      CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10);
      CREATE TABLE m2 (v text, k int, id int NOT NULL); ALTER TABLE m ATTACH PARTITION m2 FOR VALUES FROM (10) TO (20);
      INSERT INTO m (k, v) SELECT i, 'v' || i FROM generate_series(0, 19) i;
      CREATE TABLE skipped AS SELECT 1 AS i; CREATE TABLE secret AS SELECT 2 AS i`);
    await using apart = await exportOf(db, { excludeTableData: ['secret'], excludeTables: ['skipped'] });
    expect(apart.manifest.tables.map(({ name, rows, partitionOf }) => [name, rows, partitionOf?.name])).toEqual([
      ['m1', 10n, 'm'],
      ['m2', 10n, 'm'],
    ]);
    expect(apart.manifest.withoutRows).toEqual([{ schema: 'public', name: 'secret', reason: 'excluded' }]);
    expect(apart.manifest.sequences).toEqual([{ schema: 'public', table: 'm', column: 'id', lastValue: 20n, isCalled: true }]);
    await using together = await exportOf(db, { tables: ['m'], loadViaPartitionRoot: true });
    expect(together.manifest.tables.map(({ name, file, rows }) => [name, file, rows])).toEqual([['m', 'public.m.csv.zst', 20n]]);
    // Other partitions than those of the source.
    await using target = await createDatabase();
    await target.run(`CREATE TABLE m (id int GENERATED ALWAYS AS IDENTITY, k int, v text) PARTITION BY RANGE (k);
      CREATE TABLE low PARTITION OF m FOR VALUES FROM (0) TO (5); CREATE TABLE rest PARTITION OF m DEFAULT`);
    for (const { directory } of [apart, together]) {
      await importTables({ directory, database: target.url, tables: ['m'], loadViaPartitionRoot: true, truncate: true });
      expect(await target.query(`SELECT (SELECT count(*) FROM low) AS low, (SELECT count(*) FROM rest) AS rest`)).toEqual([
        { low: '5', rest: '15' },
      ]);
      expect(await target.query(`INSERT INTO m (k) VALUES (1) RETURNING id`)).toEqual([{ id: 21 }]);
    }
  });

  it('has text in UTF-8, whatever the encoding of the database', async () => {
    await using db = await createDatabase({ encoding: 'LATIN1' });
    await db.run(`CREATE TABLE "t\u00e9" ("\u00fc" text); INSERT INTO "t\u00e9" VALUES ('\u00df')`);
    await using exported = await exportOf(db);
    const { manifest, directory } = exported;
    expect(manifest.encoding).toBe('UTF8');
    expect((await contentOf(join(directory, manifest.tables[0]?.file ?? ''))).toString()).toBe('\u00fc\n\u00df\n');
    await using target = await targetOf(exported, { encoding: 'LATIN1' });
    await importTables({ directory, database: target.url });
    expect(await target.query('SELECT * FROM "t\u00e9"')).toEqual([{ '\u00fc': '\u00df' }]);
  });

  it.each<ExportFormat>(['csv', 'text', 'binary'])('has a large table and a row that does not fit into memory: %s', async (format) => {
    await using db = await createDatabase();
    await db.run(`CREATE TABLE big AS SELECT i, repeat(md5(i::text), 16) AS f FROM generate_series(1, 200000) i;
      CREATE TABLE wide AS SELECT i, repeat(md5(i::text), 700000) AS f FROM generate_series(1, 2) i`);
    await using exported = await exportOf(db, { format });
    await using target = await targetOf(exported);
    await importTables({ directory: exported.directory, database: target.url });
    const digest = `SELECT (SELECT md5(string_agg(md5(b::text), '' ORDER BY i)) FROM big b) AS big, (SELECT md5(string_agg(md5(w::text), '' ORDER BY i)) FROM wide w) AS wide`;
    expect(await target.query(digest)).toEqual(await db.query(digest));
  });
});

describe('an export under fire', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await createDatabase();
    await db.run(`CREATE TABLE big AS SELECT i, repeat(md5(i::text), 10) AS f FROM generate_series(1, 60000) i;
      CREATE TABLE small AS SELECT 1 AS i;
      CREATE TABLE accounts AS SELECT i, 100 AS balance FROM generate_series(1, 200) i; CREATE TABLE ledger (n int)`);
  });
  afterAll(() => db.drop());

  async function expectNothingLeft(path: string): Promise<void> {
    expect(await readdir(path)).toEqual([]);
    await eventually('no session of ours is left', async () => {
      const rows = await db.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'tidemark%'`,
      );
      return rows.length === 0;
    });
  }

  it('is one view of tables that are written together', async () => {
    const stop = new AbortController();
    const writing = Promise.all(
      [1, 2].map(async (writer) => {
        await using session = await db.connect();
        for (let i = 0; !stop.signal.aborted; i += 1) {
          const account = ((i * writer) % 200) + 1;
          await session.query(
            `BEGIN; UPDATE accounts SET balance = balance - 1 WHERE i = ${account}; INSERT INTO ledger VALUES (1); COMMIT`,
          );
        }
      }),
    );
    try {
      for (let round = 0; round < 3; round += 1) {
        await using exported = await exportOf(db, { tables: ['accounts', 'ledger'] });
        await using target = await targetOf(exported);
        await importTables({ directory: exported.directory, database: target.url });
        const sums = `SELECT (SELECT sum(balance) FROM accounts) + (SELECT count(*) FROM ledger) AS sum`;
        expect(await target.query(sums)).toEqual([{ sum: '20000' }]);
      }
    } finally {
      stop.abort();
      await writing;
    }
  });

  it('refuses a folder that holds something, a file, and one in no directory', async () => {
    await using folder = await makeFolder();
    const { path } = folder;
    const to = (directory: string) => exportTables({ database: db.url, directory, tables: ['small'] });
    await mkdir(join(path, 'full/inner'), { recursive: true });
    await writeFile(join(path, 'file'), '');
    await expect(to(join(path, 'full'))).rejects.toMatchObject({ code: 'FILE_ERROR', message: expect.stringContaining('it is not empty') });
    await expect(to(join(path, 'file'))).rejects.toMatchObject({ code: 'FILE_ERROR', message: expect.stringContaining('it is a file') });
    await expect(to(join(path, 'none/out'))).rejects.toMatchObject({ code: 'FILE_ERROR' });
    await mkdir(join(path, 'empty'));
    await to(join(path, 'empty'));
    expect(await readdir(path)).toEqual(['empty', 'file', 'full']);
  });

  it('leaves nothing when its folder vanishes, when it is aborted, and when a worker is ended', async () => {
    await using folder = await makeFolder();
    const { path } = folder;
    const failing = async (act: () => Promise<unknown>, more: object = {}) => {
      let acted: Promise<unknown> | undefined;
      const onEvent = ({ type }: { type: string }): void => {
        if (type === 'progress') acted ??= act();
      };
      const result = await exportTables({ database: db.url, directory: join(path, 'out'), jobs: 2, onEvent, ...more }).then(
        () => 'no error',
        (error: { code: string }) => error.code,
      );
      await acted;
      await expectNothingLeft(path);
      return result;
    };
    const vanish = async () => {
      for (const name of await readdir(path)) await rm(join(path, name), { recursive: true, force: true, maxRetries: 10 });
    };
    expect(await failing(vanish)).toBe('FILE_ERROR');
    const stop = new AbortController();
    expect(await failing(async () => stop.abort(), { signal: stop.signal })).toBe('ABORTED');
    const kill = () =>
      db.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'tidemark'`,
      );
    expect(await failing(kill)).toBe('CONNECTION_LOST');
  });

  it('that is killed is never visible, and its remains go at the next start', async () => {
    await using folder = await makeFolder();
    const { path } = folder;
    const running = startCli(['export', '-d', db.url, '--to', join(path, 'out'), '-j', '2', '--json']);
    await running.event(({ type }) => type === 'progress');
    running.child.kill('SIGKILL');
    expect((await running.ended).signal).toBe('SIGKILL');
    expect((await readdir(path)).map((name) => name.replace(/\d+-\d+/, 'N'))).toEqual(['.out.N.tidemark']);
    const again = await startCli(['export', '-d', db.url, '--to', join(path, 'out'), '-t', 'small', '--json']).ended;
    expect(again.exitCode, again.stderr).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ type: 'export', totals: { tables: 1, rows: '1' } });
    expect(await readdir(path)).toEqual(['out']);
  });

  // A file system of 1 MiB can be mounted by root alone; elsewhere a limit on the size of files stands for it.
  it('on a full disk says so, and leaves nothing', async () => {
    await using folder = await makeFolder();
    const { path } = folder;
    const run = promisify(execFile);
    const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', path]).then(
      () => true,
      () => false,
    );
    try {
      const limit = mounted ? '' : 'ulimit -f 100; trap "" XFSZ; ';
      const script = `${limit}exec "$0" "$@"`;
      const main = new URL('../../../dist/bundle/main.js', import.meta.url).pathname;
      const ended = await run('bash', [
        '-c',
        script,
        process.execPath,
        main,
        'export',
        '-d',
        db.url,
        '--to',
        join(path, 'out'),
        '-j',
        '1',
      ]).then(
        () => undefined,
        (error: { code: number; stderr: string }) => error,
      );
      expect(ended?.code, ended?.stderr).toBe(7);
      await expectNothingLeft(path);
    } finally {
      if (mounted) await run('umount', [path]);
    }
  });
});
