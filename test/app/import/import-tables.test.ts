// Imports into tables that are there: columns by name, other schemas, foreign keys, sequences; and a target that is as it was after whatever
// goes wrong.
import { open, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ImportOptions, importTables } from '#dist/app/import/import-tables.js';
import { startCli } from '../../cli/run-cli.js';
import { createDatabase, oldestHere, type TestDatabase, type Version } from '../../server/index.js';
import { type Exported, exportOf } from '../export/export-sample.js';

// The names of the tables are in another order than their foreign keys.
const tables = `
  CREATE SCHEMA app; CREATE TYPE app.mood AS ENUM ('sad', 'glad');
  CREATE TABLE app.z_users (id serial PRIMARY KEY, name text NOT NULL, mood app.mood);
  CREATE TABLE app.a_orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id int NOT NULL REFERENCES app.z_users, total numeric,
    twice numeric GENERATED ALWAYS AS (total * 2) STORED, parent bigint REFERENCES app.a_orders);
  CREATE TABLE app.loop_a (id int PRIMARY KEY, b int);
  CREATE TABLE app.loop_b (id int PRIMARY KEY, a int REFERENCES app.loop_a DEFERRABLE);
  ALTER TABLE app.loop_a ADD FOREIGN KEY (b) REFERENCES app.loop_b DEFERRABLE;`;
const rows = `
  INSERT INTO app.z_users (name, mood) SELECT 'u' || i, 'glad' FROM generate_series(1, 50) i;
  INSERT INTO app.a_orders (user_id, total, parent) SELECT i % 50 + 1, i, CASE WHEN i < 200 THEN i + 1 END FROM generate_series(1, 200) i;
  BEGIN; SET CONSTRAINTS ALL DEFERRED; INSERT INTO app.loop_a VALUES (1, 1); INSERT INTO app.loop_b VALUES (1, 1); COMMIT;`;

const state = `
  SELECT (SELECT count(*) || ' ' || coalesce(sum(id), 0) FROM app.z_users) AS users, (SELECT count(*) || ' ' || coalesce(sum(twice), 0) FROM app.a_orders) AS orders,
         (SELECT count(*) FROM app.loop_a) AS loops, (SELECT last_value || ' ' || is_called FROM app.z_users_id_seq) AS users_seq,
         (SELECT last_value || ' ' || is_called FROM app.a_orders_id_seq) AS orders_seq`;
const complete = { users: '50 1275', orders: '200 40200', loops: '1', users_seq: '50 true', orders_seq: '200 true' };

let source: TestDatabase;
let csv: Exported;
let binary: Exported;
beforeAll(async () => {
  source = await createDatabase();
  await source.run(tables);
  await source.run(rows);
  csv = await exportOf(source);
  binary = await exportOf(source, { format: 'binary', tables: ['a_orders'] });
});
afterAll(async () => {
  await csv?.[Symbol.asyncDispose]();
  await binary?.[Symbol.asyncDispose]();
  await source?.drop();
});

async function target(more = '', version?: Version): Promise<TestDatabase> {
  const made = await createDatabase(version === undefined ? {} : { version });
  await made.run(`${tables} INSERT INTO app.z_users VALUES (7000, 'old'); INSERT INTO app.loop_a VALUES (9, NULL); ${more}`);
  return made;
}

function into(db: TestDatabase, more: Partial<ImportOptions> = {}): ReturnType<typeof importTables> {
  return importTables({ directory: csv.directory, database: db.url, truncate: true, ...more });
}

/** The import fails so, and the target is as it was. */
async function expectRefused(db: TestDatabase, more: Partial<ImportOptions>, error: object): Promise<void> {
  const before = await db.query(state);
  await expect(into(db, more)).rejects.toMatchObject(error);
  expect(await db.query(state)).toEqual(before);
  const left = await db.query(
    `SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'tidemark import%' AND datname = current_database()`,
  );
  expect(left).toEqual([]);
}

describe('an import', () => {
  it.each([...new Set<Version>([18, oldestHere])])(
    'replaces rows in the order of foreign keys, and sets sequences: PostgreSQL %i',
    async (version) => {
      await using db = await target('', version);
      expect(await into(db)).toMatchObject({ tables: 4, rows: 252n, sequences: 2, position: { lsn: csv.manifest.position.lsn } });
      expect(await db.query(state)).toEqual([complete]);
      expect(await db.query('SELECT reltuples FROM pg_class WHERE relname = $1', ['a_orders'])).toEqual([{ reltuples: 200 }]);
    },
  );

  it('adds to the rows that are there, and never sets a sequence back', async () => {
    await using db = await target(`SELECT setval('app.z_users_id_seq', 9000)`);
    await into(db, { truncate: false });
    expect(await db.query(state)).toEqual([{ ...complete, users: '51 8275', loops: '2', users_seq: '9000 true' }]);
    await expectRefused(db, { truncate: false }, { code: 'RESTORE_FAILED', hint: expect.stringContaining('--truncate') });
  });

  it('leaves sequences alone when told to', async () => {
    await using db = await target();
    expect(await into(db, { noSequences: true })).toMatchObject({ sequences: 0 });
    expect(await db.query(state)).toEqual([{ ...complete, users_seq: '1 false', orders_seq: '1 false' }]);
  });

  it('goes into another schema, whose tables have more columns in another order', async () => {
    const other = `
      CREATE SCHEMA new; CREATE TYPE new.mood AS ENUM ('sad', 'glad');
      CREATE TABLE new.a_orders (note text DEFAULT 'none', parent bigint, total numeric, user_id int, id bigint, extra int GENERATED ALWAYS AS (1) STORED);
      CREATE TABLE new.z_users (since date DEFAULT '2020-01-01', mood new.mood, name text, id int)`;
    await using db = await target(other);
    await into(db, { intoSchema: 'new', tables: ['a_orders', 'z_users'] });
    const digest = `SELECT (SELECT count(*) || ' ' || sum(total) || ' ' || min(note) || ' ' || sum(extra) FROM new.a_orders) AS orders,
      (SELECT count(*) || ' ' || min(mood) || ' ' || min(since) FROM new.z_users) AS users`;
    expect(await db.query(digest)).toEqual([{ orders: '200 20100 none 200', users: '50 glad 2020-01-01' }]);
    expect(await db.query('SELECT name FROM app.z_users')).toEqual([{ name: 'old' }]);
    await into(db, { mapSchemas: { app: 'new' }, tables: ['a_orders'], directory: binary.directory });
    expect(await db.query(digest)).toEqual([{ orders: '200 20100 none 200', users: '50 glad 2020-01-01' }]);
  });

  it('refuses a target that does not fit, and names every table and column', async () => {
    await using db = await target('DROP TABLE app.loop_b CASCADE; ALTER TABLE app.z_users DROP COLUMN mood');
    await using whole = await target();
    const missing = { code: 'TARGET_MISMATCH', details: { problems: ['there is no table app.loop_b', 'app.z_users has no column mood'] } };
    await expect(into(db)).rejects.toMatchObject(missing);
    await whole.run(`ALTER TABLE app.a_orders ALTER COLUMN user_id TYPE bigint`);
    const types = ['column user_id of app.a_orders is bigint, the export has integer in binary'];
    await expectRefused(whole, { directory: binary.directory }, { code: 'TARGET_MISMATCH', details: { problems: types } });
    await whole.run(`ALTER TABLE app.a_orders DROP COLUMN total CASCADE, ADD COLUMN total numeric GENERATED ALWAYS AS (1) STORED,
      ADD COLUMN twice numeric`);
    await expectRefused(whole, {}, { details: { problems: ['column total of app.a_orders is generated'] } });
  });

  it.each<[string, Partial<ImportOptions>, string, RegExp]>([
    ['a table that is not in the export', { tables: ['nowhere'] }, 'PATTERN_UNMATCHED', /nowhere/],
    ['a schema that is not in the export', { mapSchemas: { nowhere: 'x' } }, 'USAGE', /no schema nowhere/],
    ['two ways to name the schema', { intoSchema: 'a', mapSchemas: { app: 'x' } }, 'USAGE', /exclude each other/],
    ['tables that others refer to', { tables: ['z_users'] }, 'RESTORE_FAILED', /truncate the tables/],
  ])('refuses %s', async (_, more, code, message) => {
    await using db = await target();
    await expectRefused(db, more, { code, message: expect.stringMatching(message) });
  });

  it('says in which table, file and line a row is refused', async () => {
    await using db = await target(`ALTER TABLE app.a_orders ADD CHECK (total <> 150)`);
    await expectRefused(
      db,
      { tables: ['a_orders', 'z_users'] },
      {
        code: 'RESTORE_FAILED',
        message: expect.stringMatching(
          /^import rows of app\.a_orders from app\.a_orders\.csv\.zst, line 151: .*; database \S+ is as it was$/,
        ),
      },
    );
    await using typed = await target(`ALTER TABLE app.loop_b DROP CONSTRAINT loop_b_a_fkey;
      ALTER TABLE app.loop_b ALTER COLUMN a TYPE date USING NULL`);
    await expectRefused(typed, {}, { message: expect.stringMatching(/app\.loop_b from app\.loop_b\.csv\.zst, line 2, column a: /) });
  });

  it('finds rows that a trigger swallows, and what was deferred and does not hold', async () => {
    await using db = await target(`CREATE FUNCTION app.swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
      CREATE TRIGGER t BEFORE INSERT ON app.loop_b FOR EACH ROW EXECUTE FUNCTION app.swallow()`);
    await expectRefused(db, {}, { code: 'RESTORE_FAILED', message: expect.stringContaining('there are 1, the server took 0') });
    await using half = await target('DROP TABLE app.a_orders');
    await half.run(`CREATE TABLE app.a_orders (id bigserial, twice numeric)`);
    await expectRefused(half, { tables: ['loop_a'], truncate: false }, { message: expect.stringContaining('check what was deferred') });
  });
});

describe('an export that was damaged', () => {
  async function damaged(act: (directory: string) => Promise<void>, error: object): Promise<void> {
    await using exported = await exportOf(source);
    await act(exported.directory);
    await using db = await target();
    await expectRefused(db, { directory: exported.directory }, error);
  }

  it('is refused before a row is sent: a byte, an end, a file, a manifest', async () => {
    const flip = async (path: string): Promise<void> => {
      await using file = await open(path, 'r+');
      const { buffer } = await file.read(Buffer.alloc(1), 0, 1, 30);
      await file.write(Buffer.of((buffer[0] ?? 0) ^ 1), 0, 1, 30);
    };
    const corrupt = { code: 'ARCHIVE_CORRUPT', message: expect.stringContaining('app.z_users.csv.zst') };
    await damaged((directory) => flip(join(directory, 'app.z_users.csv.zst')), corrupt);
    await damaged((directory) => truncate(join(directory, 'app.z_users.csv.zst'), 40), corrupt);
    await damaged((directory) => rm(join(directory, 'app.z_users.csv.zst')), { code: 'FILE_ERROR' });
    await damaged((directory) => rm(join(directory, 'manifest.json')), { code: 'ARCHIVE_INVALID' });
    const edit = async (directory: string): Promise<void> => {
      const path = join(directory, 'manifest.json');
      await writeFile(path, (await readFile(path, 'utf8')).replace('"rows": "50"', '"rows": "51"'));
    };
    await damaged(edit, { code: 'ARCHIVE_CORRUPT', message: expect.stringContaining('manifest.json') });
  });

  it('is found where it changes after it was verified', async () => {
    await using exported = await exportOf(source);
    const path = join(exported.directory, 'app.z_users.csv.zst');
    const other = await readFile(join(exported.directory, 'app.a_orders.csv.zst'));
    await using db = await target();
    const before = await db.query(state);
    let changed: Promise<void> | undefined;
    const onEvent = ({ type }: { type: string }): void => {
      if (type === 'plan') changed = writeFile(path, other);
    };
    await expect(into(db, { directory: exported.directory, onEvent })).rejects.toMatchObject({ code: 'ARCHIVE_CORRUPT' });
    await changed;
    expect(await db.query(state)).toEqual(before);
  });
});

describe('an import that does not end', () => {
  it('leaves the target as it was: aborted, its session ended, killed', async () => {
    await using db = await target();
    const stop = new AbortController();
    const abort = ({ type }: { type: string }): void => {
      if (type === 'progress') stop.abort();
    };
    await expectRefused(db, { signal: stop.signal, onEvent: abort }, { code: 'ABORTED' });
    const before = await db.query(state);
    const running = startCli(['import', csv.directory, '-d', db.url, '--truncate', '--json']);
    await running.event(({ type }) => type === 'progress');
    running.child.kill('SIGKILL');
    await running.ended;
    // Waits for the locks of the session that has lost its client.
    const after = await db.query(state);
    if (JSON.stringify(after) !== JSON.stringify([complete])) expect(after).toEqual(before);
    const again = await startCli(['import', csv.directory, '-d', db.url, '--truncate', '--json']).ended;
    expect(again.exitCode, again.stderr).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ type: 'import', tables: 4, rows: '252', sequences: 2 });
    expect(await db.query(state)).toEqual([complete]);
  });

  it('gives up where a lock takes too long', async () => {
    await using db = await target();
    await using other = await db.connect();
    await other.query('BEGIN; LOCK TABLE app.z_users IN ACCESS SHARE MODE');
    await expect(into(db, { lockTimeoutMs: 50 })).rejects.toMatchObject({ code: 'LOCK_TIMEOUT' });
    await other.query('COMMIT');
  });
});
