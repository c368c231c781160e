// Restores into databases that hold something: one transaction, so that every failure leaves what was there.
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RestoreOptions, restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import type { TidemarkEvent } from '#dist/model/events.js';
import { archiveOf } from '../../round-trip/cycle.js';
import { createDatabase, createRole, type TestDatabase } from '../../server/index.js';
import { digest, makeSample, type Sample, sampleRows, sessionsLeft } from './restore-sample.js';

let sample: Sample;
let expected: Record<string, string>;

beforeAll(async () => {
  sample = await makeSample();
  expected = await digest(sample.source);
});
afterAll(() => sample[Symbol.asyncDispose]());

const restore = (target: TestDatabase, more: Partial<RestoreOptions> = {}) =>
  restoreSnapshot({ database: target.url, file: sample.file, jobs: 2, ...more });

/** A copy of the source. */
const copy = (): Promise<TestDatabase> => createDatabase({ template: sample.source.name });

/** Other rows than the archive's in every table. */
const disturb = `
  UPDATE app.tx SET payload = NULL WHERE id < 100;
  DELETE FROM app.events WHERE id > 4000;
  UPDATE app.part SET v = 'other';
  SELECT setval('app.tx_id_seq', 7);`;

describe('clean', () => {
  test('drops what the archive has, circles of foreign keys and all, and makes it anew', async () => {
    await using target = await copy();
    await target.run(`${disturb}; ALTER TABLE app.blocks ADD FOREIGN KEY (height) REFERENCES app.blocks`);
    await target.run('CREATE TABLE public.mine (id int)');
    const { plan } = await restore(target, { clean: true });
    expect(plan.map(({ action }) => action)).toEqual([
      'begin',
      'drop',
      'pre-data',
      'rows',
      'values',
      'post-data',
      'privileges',
      'refresh',
      'analyze',
      'commit',
    ]);
    expect(await digest(target)).toMatchObject(expected);
    expect(await target.query(`SELECT to_regclass('public.mine') IS NOT NULL AS kept`)).toEqual([{ kept: true }]);
  });

  test('what is missing is an error, unless told otherwise', async () => {
    await using target = await copy();
    await target.run('DROP VIEW app.heights');
    const before = await digest(target);
    await expect(restore(target, { clean: true })).rejects.toMatchObject({
      code: 'RESTORE_FAILED',
      message: expect.stringMatching(/^restore view app\.heights \(drop\): .* is as it was$/),
      hint: expect.stringContaining('--if-exists'),
    });
    expect(await digest(target)).toEqual(before);
    await restore(target, { clean: true, ifExists: true });
    expect(await digest(target)).toEqual(expected);
  });

  test('what depends on the old objects without being in the archive keeps them', async () => {
    await using target = await copy();
    await target.run('CREATE VIEW public.mine AS SELECT height FROM app.blocks');
    await expect(restore(target, { clean: true })).rejects.toMatchObject({ code: 'RESTORE_FAILED', details: { sqlstate: '2BP01' } });
    expect(await target.query('SELECT count(*)::int AS n FROM public.mine')).toEqual([{ n: 500 }]);
  });

  test('into an empty database there is nothing to drop', async () => {
    await using target = await createDatabase();
    await restore(target, { clean: true });
    expect(await digest(target)).toEqual(expected);
  });

  test('of chosen tables leaves the others, and the types and schemas that are there', async () => {
    await using target = await copy();
    await target.run(disturb);
    const before = await digest(target);
    await restore(target, { clean: true, tables: ['app.events'] });
    const after = await digest(target);
    expect(after['app.events']).toBe(expected['app.events']);
    for (const name of ['app.tx', 'app.part1', 'app.blocks']) expect(after[name]).toBe(before[name]);
  });
});

describe('truncate', () => {
  test('replaces the rows, without waking triggers', async () => {
    await using target = await copy();
    await target.run(disturb);
    expect(await restore(target, { truncate: true })).toMatchObject({ rows: sampleRows });
    expect(await digest(target)).toEqual(expected);
  });

  test('from a pipe', async () => {
    await using target = await copy();
    await target.run(disturb);
    expect(await restore(target, { truncate: true, file: createReadStream(sample.file) })).toMatchObject({ rows: sampleRows });
    expect(await digest(target)).toEqual(expected);
  });

  test('from a pipe that ends too early: the old rows stay', async () => {
    await using target = await copy();
    const whole = await readFile(sample.file);
    await target.run(disturb);
    const before = await digest(target);
    for (const length of [whole.length - 1, Math.floor(whole.length / 2)]) {
      await expect(restore(target, { truncate: true, file: Readable.from([whole.subarray(0, length)]) })).rejects.toMatchObject({
        code: 'ARCHIVE_TRUNCATED',
        message: expect.stringContaining(`${target.name} is as it was`),
      });
      expect(await digest(target)).toEqual(before);
    }
    expect(await sessionsLeft(target)).toEqual([]);
  });

  test('partitions with a foreign key go with their partitioned table, but not where that has others, too', async () => {
    await using source = await createDatabase();
    await using target = await createDatabase();
    const sql = `CREATE TABLE k (id int PRIMARY KEY); CREATE TABLE p (id int, k int REFERENCES k) PARTITION BY RANGE (id);
      CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (k); CREATE TABLE p11 PARTITION OF p1 FOR VALUES FROM (0) TO (10);
      CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20); INSERT INTO k VALUES (1); INSERT INTO p VALUES (1, 1), (11, 1)`;
    await source.run(sql);
    await target.run(`${sql}; INSERT INTO k VALUES (2); INSERT INTO p VALUES (2, 2)`);
    await using archive = await archiveOf(source);
    const put = () => restore(target, { file: archive.file, truncate: true });
    await put();
    const rows = () => target.query('SELECT tableoid::regclass::text AS partition, p.* FROM p ORDER BY id');
    const expected = [
      { partition: 'p11', id: 1, k: 1 },
      { partition: 'p2', id: 11, k: 1 },
    ];
    expect(await rows()).toEqual(expected);
    await target.run('CREATE TABLE p3 PARTITION OF p FOR VALUES FROM (20) TO (30); INSERT INTO p VALUES (21, 1)');
    await expect(put()).rejects.toMatchObject({ code: 'RESTORE_FAILED', hint: expect.stringContaining('choose that one, too') });
    expect(await rows()).toEqual([...expected, { partition: 'p3', id: 21, k: 1 }]);
  });

  test('a table that others refer to is not truncated under them', async () => {
    await using target = await copy();
    await expect(restore(target, { truncate: true, tables: ['app.blocks'] })).rejects.toMatchObject({
      code: 'RESTORE_FAILED',
      hint: expect.stringContaining('foreign key'),
    });
    expect(await digest(target)).toEqual(expected);
  });

  test('rows that refer to what is not there are found', async () => {
    await using target = await copy();
    await target.run('TRUNCATE app.events; DELETE FROM app.tx WHERE id = 77');
    await expect(restore(target, { truncate: true, tables: ['app.events'] })).rejects.toMatchObject({
      code: 'TARGET_MISMATCH',
      message: expect.stringContaining('events_tx_fkey'),
    });
    expect(await target.query('SELECT FROM app.events')).toHaveLength(0);
  });

  test('an abort leaves the old rows', async () => {
    await using target = await copy();
    await target.run(disturb);
    const before = await digest(target);
    const stop = new AbortController();
    const onEvent = (event: TidemarkEvent) => {
      if (event.type === 'progress') stop.abort();
    };
    await expect(restore(target, { truncate: true, signal: stop.signal, onEvent })).rejects.toMatchObject({ code: 'ABORTED' });
    expect(await sessionsLeft(target)).toEqual([]);
    expect(await digest(target)).toEqual(before);
  });
});

describe('data only', () => {
  test('into tables that are there and empty, as superuser and as their owner', async () => {
    await using role = await createRole();
    for (const as of [(url: string) => url, role.as]) {
      await using target = await createDatabase();
      await restore(target, { schemaOnly: true });
      await target.run(`DO $$ DECLARE t text; BEGIN
        FOR t IN SELECT c.oid::regclass::text FROM pg_class c WHERE relnamespace IN ('app'::regnamespace, 'public'::regnamespace) AND relkind IN ('r', 'p')
        LOOP EXECUTE format('ALTER TABLE %s OWNER TO "${role.name}"', t); END LOOP; END $$;
        GRANT USAGE ON SCHEMA app TO "${role.name}"; ALTER TABLE app.blocks DISABLE TRIGGER touch; ALTER TABLE app.circle ALTER CONSTRAINT circle_next_fkey DEFERRABLE INITIALLY DEFERRED`);
      expect(await restore(target, { dataOnly: true, database: as(target.url) })).toMatchObject({ rows: sampleRows });
      await target.run('REFRESH MATERIALIZED VIEW app.totals');
      const { constraints: _deferrability, triggers: _disabled, ...rows } = expected;
      expect(await digest(target)).toMatchObject(rows);
    }
  });

  test('binary rows do not go into columns of other types', async () => {
    await using target = await createDatabase();
    await restore(target, { schemaOnly: true });
    await target.run('ALTER TABLE app.events ALTER amount TYPE real');
    await expect(restore(target, { dataOnly: true })).rejects.toMatchObject({
      code: 'TARGET_MISMATCH',
      message: expect.stringContaining('amount of app.events'),
    });
    expect(await target.query('SELECT FROM app.blocks')).toHaveLength(0);
  });

  test('without the tables', async () => {
    await using target = await createDatabase();
    await expect(restore(target, { dataOnly: true })).rejects.toMatchObject({
      code: 'TARGET_MISMATCH',
      message: expect.stringContaining('there is no table app.blocks'),
    });
  });

  test('rows that are there already', async () => {
    await using target = await copy();
    await expect(restore(target, { dataOnly: true })).rejects.toMatchObject({ code: 'RESTORE_FAILED', details: { sqlstate: '23505' } });
    expect(await digest(target)).toEqual(expected);
  });

  test('into an incomplete database it is refused', async () => {
    await using target = await copy();
    await target.run('CREATE SCHEMA tidemark_restoring');
    await expect(restore(target, { truncate: true })).rejects.toMatchObject({ code: 'TARGET_NOT_EMPTY' });
  });

  test('an archive of rows alone', async () => {
    await using rows = await makeSample({ dataOnly: true });
    await using target = await createDatabase();
    await restore(target, { schemaOnly: true });
    expect(await restore(target, { file: rows.file })).toMatchObject({ rows: sampleRows });
  });
});
