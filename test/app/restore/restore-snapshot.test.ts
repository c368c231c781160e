// Restores into empty databases: from a file and from a pipe, interrupted and begun again, refused.
import { createReadStream } from 'node:fs';
import { copyFile, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RestoreOptions, restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import { openArchive } from '#dist/archive/reader.js';
import type { TidemarkEvent } from '#dist/model/events.js';
import { createDatabase, createRole, eventually, type TestDatabase } from '../../server/index.js';
import { definitions, digest, makeSample, type Sample, sampleRows, sessionsLeft } from './restore-sample.js';

let sample: Sample;
let expected: Record<string, string>;

beforeAll(async () => {
  sample = await makeSample();
  expected = await digest(sample.source);
});
afterAll(() => sample[Symbol.asyncDispose]());

const isMarked = async (target: TestDatabase): Promise<boolean> =>
  (await target.query(`SELECT 1 FROM pg_namespace WHERE nspname = 'tidemark_restoring'`)).length > 0;

const restore = (target: TestDatabase, more: Partial<RestoreOptions> = {}) =>
  restoreSnapshot({ database: target.url, file: sample.file, jobs: 2, ...more });

describe('into an empty database', () => {
  // Case 217.
  test.each([1, 2, 8])('with %i at once: the same rows, the same definitions', async (jobs) => {
    await using target = await createDatabase();
    const result = await restore(target, { jobs });
    expect(result).toMatchObject({ database: target.name, rows: sampleRows, leftOut: [] });
    expect(await digest(target)).toEqual(expected);
    expect(await isMarked(target)).toBe(false);
  });

  test('from a pipe that gives a few bytes at a time', async () => {
    await using target = await createDatabase();
    const result = await restore(target, { file: createReadStream(sample.file, { highWaterMark: 1000 }) });
    expect(result).toMatchObject({ rows: sampleRows, position: { lsn: expect.any(BigInt) } });
    expect(await digest(target)).toEqual(expected);
    expect(await isMarked(target)).toBe(false);
  });

  test('schema only', async () => {
    await using target = await createDatabase();
    expect(await restore(target, { schemaOnly: true })).toMatchObject({ rows: 0n, tables: 0 });
    const { constraints, indexes, triggers } = expected;
    expect(await definitions(target)).toEqual({ constraints, indexes, triggers });
    expect(await target.query('SELECT FROM app.blocks')).toHaveLength(0);
  });

  test('chosen tables come with what they need', async () => {
    await using target = await createDatabase();
    const result = await restore(target, { tables: ['app.tx'] });
    expect(result.rows).toBe(2000n);
    expect(result.leftOut).toEqual([expect.objectContaining({ kind: 'foreign key', name: 'app.tx_height_fkey' })]);
    const digests = await digest(target);
    expect(digests['app.tx']).toBe(expected['app.tx']);
    expect(Object.keys(digests)).not.toContain('app.blocks');
  });

  test('events tell what is ahead, what is done, and each table once', async () => {
    await using target = await createDatabase();
    const events: TidemarkEvent[] = [];
    await restore(target, { onEvent: (event) => events.push(event) });
    expect(events.find(({ type }) => type === 'plan')).toEqual({
      type: 'plan',
      tables: 7,
      rows: sampleRows,
      bytes: expect.any(BigInt),
      exact: true,
    });
    expect(events.filter(({ type }) => type === 'progress').at(-1)).toMatchObject({ rows: sampleRows });
    const tables = events.flatMap((event) => (event.type === 'table' ? [`${event.schema}.${event.name} ${event.rows}`] : []));
    expect(tables.toSorted()).toEqual(
      ['app.blocks 500', 'app.circle 10', 'app.events 5000', 'app.part1 100', 'app.part2 100', 'app.tx 2000', 'public.bare 2'].toSorted(),
    );
  });

  test('a dry run gives the plan that a restore carries out, and touches nothing', async () => {
    await using target = await createDatabase();
    const { plan } = await restore(target, { dryRun: true });
    expect(
      await target.query(`SELECT FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('public', 'information_schema')`),
    ).toHaveLength(0);
    expect(plan.map(({ action }) => action)).toEqual([
      'mark',
      'pre-data',
      'hold autovacuum',
      'rows',
      'values',
      'post-data',
      'release autovacuum',
      'privileges',
      'refresh',
      'analyze',
      'unmark',
    ]);
    expect((await restore(target)).plan).toEqual(plan);
  });
});

describe('a restore that does not end', () => {
  test('of everything: what is there stays when a part is asked for, until the mark is dropped', async () => {
    await using target = await createDatabase();
    await expect(restore(target, { file: await damaged() })).rejects.toMatchObject({ code: 'ARCHIVE_CORRUPT' });
    await target.run('CREATE TABLE public.mine AS SELECT 1 AS id');
    for (const part of [{ tables: ['app.part'] }, { clean: true, ifExists: true }]) {
      await expect(restore(target, part)).rejects.toMatchObject({
        code: 'TARGET_NOT_EMPTY',
        message: expect.stringContaining('an earlier restore of a whole one into it has not ended; nothing was changed'),
        hint: expect.stringContaining('DROP SCHEMA tidemark_restoring CASCADE'),
      });
    }
    expect(await target.query('SELECT id FROM public.mine')).toEqual([{ id: 1 }]);
    await target.run('DROP SCHEMA tidemark_restoring CASCADE');
    await restore(target, { clean: true, ifExists: true });
    expect(await digest(target)).toMatchObject(expected);
    expect(await target.query('SELECT id FROM public.mine')).toEqual([{ id: 1 }]);
  });

  test('of a part: the same again starts over', async () => {
    await using target = await createDatabase();
    const part = { tables: ['app.events'] };
    await expect(restore(target, { file: await damaged(), ...part })).rejects.toMatchObject({ code: 'ARCHIVE_CORRUPT' });
    const { plan } = await restore(target, part);
    expect(plan[0]).toMatchObject({ action: 'wipe' });
    expect(await isMarked(target)).toBe(false);
  });

  /** The archive with another byte in the middle of a chunk of app.events. */
  async function damaged(): Promise<string> {
    const path = join(sample.folder, 'damaged.tar.zst');
    await copyFile(sample.file, path);
    await using archive = await openArchive(sample.file);
    const chunk = archive.manifest.tables.find(({ name }) => name === 'events')?.chunks[0];
    if (chunk === undefined) throw new Error('the sample has no chunk of app.events');
    const at = Number(chunk.offset + chunk.length / 2n);
    await using file = await open(path, 'r+');
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at);
    await file.write(Buffer.from([(buffer[0] ?? 0) ^ 1]), 0, 1, at);
    return path;
  }

  test('leaves a marked database, says so, and the next one starts over', async () => {
    await using target = await createDatabase();
    await expect(restore(target, { file: await damaged() })).rejects.toMatchObject({
      code: 'ARCHIVE_CORRUPT',
      message: expect.stringContaining(`database ${target.name} is marked incomplete (schema tidemark_restoring)`),
      details: { incomplete: true },
    });
    expect(await isMarked(target)).toBe(true);
    expect(await sessionsLeft(target)).toEqual([]);
    // No row of a chunk whose hash is wrong was sent.
    expect(await target.query('SELECT FROM app.events')).toHaveLength(0);
    await target.run('CREATE TABLE public.leftover (); CREATE TYPE public.leftover_type AS ENUM ()');

    const { plan } = await restore(target);
    expect(plan[0]).toEqual({ action: 'wipe', extensions: [] });
    expect(await digest(target)).toEqual(expected);
    expect(await isMarked(target)).toBe(false);
    const [owner] = await target.query(
      `SELECT nspowner::regrole::text AS name, nspacl::text AS acl FROM pg_namespace WHERE nspname = 'public'`,
    );
    await using untouched = await createDatabase();
    expect([owner]).toEqual(
      await untouched.query(`SELECT nspowner::regrole::text AS name, nspacl::text AS acl FROM pg_namespace WHERE nspname = 'public'`),
    );
  });

  test('from a pipe a damaged or short archive never becomes complete', async () => {
    const whole = await readFile(sample.file);
    const wrong = await readFile(await damaged());
    for (const bytes of [wrong, whole.subarray(0, whole.length / 2), whole.subarray(0, whole.length - 1)]) {
      await using target = await createDatabase();
      await expect(restore(target, { file: Readable.from([bytes]) })).rejects.toMatchObject({ code: expect.stringMatching(/^ARCHIVE_/) });
      expect(await isMarked(target)).toBe(true);
      expect(await sessionsLeft(target)).toEqual([]);
    }
  });

  test('a statement that the server refuses names the object', async () => {
    await using target = await createDatabase({ encoding: 'UTF8' });
    await target.run(`CREATE FUNCTION public.no() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''not here''; END';
      CREATE EVENT TRIGGER no ON ddl_command_start WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION public.no()`);
    await expect(restore(target, { tables: ['app.events'] })).rejects.toMatchObject({
      code: 'RESTORE_FAILED',
      message: expect.stringMatching(/^restore index app\.events_(tx|data): not here; database .* is as it was$/),
    });
    expect(await target.query(`SELECT to_regnamespace('app') AS app`)).toEqual([{ app: null }]);
  });

  test('an abort ends every session and thread, and leaves the mark', async () => {
    await using target = await createDatabase();
    await using blocker = await sample.source.connect();
    const stop = new AbortController();
    const onEvent = (event: TidemarkEvent) => {
      if (event.type === 'progress') stop.abort();
    };
    await expect(restore(target, { signal: stop.signal, onEvent })).rejects.toMatchObject({ code: 'ABORTED' });
    expect(await sessionsLeft(target)).toEqual([]);
    expect(await isMarked(target)).toBe(true);
    await blocker.query('SELECT 1');
  });

  test('an abort in the middle of a statement ends it on the server', async () => {
    await using target = await createDatabase();
    await target.run(`CREATE FUNCTION public.slow() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(600); END';
      CREATE EVENT TRIGGER slow ON ddl_command_end WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION public.slow()`);
    const stop = new AbortController();
    const onEvent = (event: TidemarkEvent) => {
      if (event.type !== 'phase' || event.phase !== 'post-data') return;
      const sleeping = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'`;
      void eventually('the index sleeps', async () => (await target.query(sleeping)).length > 0).then(() => stop.abort());
    };
    await expect(restore(target, { tables: ['app.events'], signal: stop.signal, onEvent })).rejects.toMatchObject({ code: 'ABORTED' });
    expect(await sessionsLeft(target)).toEqual([]);
  });

  test('a signal that was aborted before', async () => {
    await using target = await createDatabase();
    await expect(restore(target, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
    expect(await isMarked(target)).toBe(false);
  });
});

describe('refused before the first change', () => {
  test('a target with other things in it', async () => {
    await using target = await createDatabase();
    await target.run('CREATE TABLE public.mine (id int); INSERT INTO mine VALUES (1)');
    await expect(restore(target)).rejects.toMatchObject({
      code: 'TARGET_NOT_EMPTY',
      message: expect.stringContaining('table public.mine'),
    });
    expect(await target.query('SELECT id FROM public.mine')).toEqual([{ id: 1 }]);
  });

  test.each(['CREATE SCHEMA mine', 'CREATE TYPE mine AS ENUM ()', 'CREATE SEQUENCE mine', 'CREATE VIEW mine AS SELECT 1'])(
    '%s',
    async (sql) => {
      await using target = await createDatabase();
      await target.run(sql);
      await expect(restore(target)).rejects.toMatchObject({ code: 'TARGET_NOT_EMPTY', message: expect.stringContaining('mine') });
    },
  );

  test('roles and extensions that are missing, all in one error', async () => {
    const role = await createRole();
    await using other = await makeSample({ sql: `CREATE TABLE app.owned (); ALTER TABLE app.owned OWNER TO "${role.name}"` });
    await other.source.run('DROP TABLE app.owned');
    await role.drop();
    await using target = await createDatabase();
    await expect(restore(target, { file: other.file })).rejects.toMatchObject({ code: 'TARGET_MISMATCH', details: { roles: [role.name] } });
    expect(await isMarked(target)).toBe(false);
    await restore(target, { file: other.file, noOwner: true });
    expect(await target.query(`SELECT to_regclass('app.owned') IS NOT NULL AS there`)).toEqual([{ there: true }]);
  });

  test('an encoding that does not have every character', async () => {
    await using target = await createDatabase({ encoding: 'LATIN1' });
    await expect(restore(target)).rejects.toMatchObject({ code: 'TARGET_MISMATCH' });
  });

  test('no archive, no such file, a pattern that matches nothing', async () => {
    await using target = await createDatabase();
    const text = join(sample.folder, 'text');
    await writeFile(text, 'SELECT 1;\n'.repeat(100));
    await expect(restore(target, { file: text })).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' });
    await expect(restore(target, { file: Readable.from([await readFile(text)]) })).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' });
    await expect(restore(target, { file: join(sample.folder, 'missing') })).rejects.toMatchObject({ code: 'FILE_ERROR' });
    await expect(restore(target, { tables: ['nothing.like_it'] })).rejects.toMatchObject({ code: 'PATTERN_UNMATCHED' });
  });

  test.each([
    { schemaOnly: true, dataOnly: true },
    { clean: true, truncate: true },
    { swap: true, create: true },
    { ifExists: true },
    { force: true },
    { jobs: 0 },
  ])('%o', async (options) => {
    await expect(restoreSnapshot({ file: 'none', database: 'none', ...options })).rejects.toMatchObject({ code: 'USAGE' });
  });

  test('from a pipe nothing that has to look at its end first', async () => {
    const file = Readable.from([]);
    await expect(restoreSnapshot({ file, database: 'none', create: true })).rejects.toMatchObject({ code: 'USAGE' });
    await expect(restoreSnapshot({ file, database: 'none', dryRun: true })).rejects.toMatchObject({ code: 'USAGE' });
  });
});
