// Trials on a real server. What is faster differs from machine to machine, so nothing here says which settings win.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TidemarkEvent, takeSnapshot, tuneSnapshot } from '#dist/index.js';
import { createDatabase, type TestDatabase } from '../../server/index.js';

let database: TestDatabase;
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-test-'));
  database = await createDatabase();
  await database.run(`
    CREATE UNLOGGED TABLE numbers AS SELECT g AS id, md5(g::text) AS value FROM generate_series(1, 60000) AS g;
    CREATE UNLOGGED TABLE points AS SELECT g AS id, point(g, g) AS at FROM generate_series(1, 5000) AS g;
    CREATE TABLE nothing (id int);
  `);
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await database.drop();
});

test('tries each coordinate, recommends one of them, and a snapshot can be taken with that', async () => {
  const events: TidemarkEvent[] = [];
  const plot = join(folder, 'out.svg');
  const write = join(folder, 'tidemark.config.json');
  const result = await tuneSnapshot({ database: database.url, seconds: 600, plot, write, onEvent: (event) => events.push(event) });
  const { trials, recommended, smallest, untried } = result;
  // So small a database is read long before the time is up.
  expect(untried).toBe(0);
  const values = (name: 'copyFormat' | 'compressLevel' | 'jobs' | 'chunkBytes') => new Set(trials.map(({ settings }) => settings[name]));
  expect(values('copyFormat')).toEqual(new Set(['auto', 'text']));
  expect(values('compressLevel')).toEqual(new Set([1, 3, 5, 7, 9]));
  expect([...values('jobs')]).toEqual(expect.arrayContaining([1, 2]));
  expect(values('chunkBytes')).toEqual(new Set([1 << 20, 4 << 20, 16 << 20]));
  expect(new Set(trials.map(({ settings }) => JSON.stringify(settings))).size).toBe(trials.length);
  expect(trials).toContain(recommended);
  expect(trials).toContain(smallest);
  expect(smallest.wholeBytes).toBeLessThanOrEqual(recommended.wholeBytes);
  for (const trial of trials) {
    expect(trial.bytesPerSecond).toBeGreaterThan(0);
    expect(trial.compressedBytes).toBeLessThan(trial.rawBytes);
    expect(trial.tableBytes).toBeLessThanOrEqual(Number(result.tableBytes));
  }
  expect(events.filter(({ type }) => type === 'trial')).toHaveLength(trials.length + 1);

  expect(await readFile(plot, 'utf8')).toContain(`level ${recommended.settings.compressLevel}`);
  const { snapshot } = JSON.parse(await readFile(write, 'utf8'));
  expect(result.options).toEqual([
    ...['-j', `${snapshot.jobs}`, '-Z', `${snapshot.compressLevel}`],
    ...['--copy-format', snapshot.copyFormat, '--chunk-size', snapshot.chunkSize],
  ]);
  expect((await readdir(folder)).toSorted()).toEqual(['out.svg', 'tidemark.config.json']);

  // All of the tables was read, so the size is no guess: what is missing is the schema, with manifest and frames of their own.
  const taken = await takeSnapshot({ database: database.url, file: join(folder, 'a.tar.zst'), ...recommended.settings });
  const rows = Number(taken.manifest.totals.compressedBytes);
  expect(recommended.wholeBytes / rows).toBeGreaterThan(0.9);
  expect(recommended.wholeBytes / rows).toBeLessThan(1.15);
});

test('tables are in the forms that a snapshot would give them: where samples speak for text, text is not tried beside it', async () => {
  await using short = await createDatabase();
  await short.run(`CREATE UNLOGGED TABLE lines AS SELECT g AS id, abs(hashint4(g) % 100000) AS part, 'A'::char(1) AS code, 'B'::char(1) AS state,
    (abs(hashint4(g) % 11) / 100.0)::numeric(10, 2) AS tax FROM generate_series(1, 1300000) AS g`);
  const { trials } = await tuneSnapshot({ database: short.url, seconds: 1 });
  expect(new Set(trials.map(({ settings }) => settings.copyFormat))).toEqual(new Set(['auto']));
});

test('ends where its time is up, with what was tried until then', async () => {
  const result = await tuneSnapshot({ database: database.url, seconds: 1, tables: ['points'] });
  expect(result.tables).toBe(1);
  expect(result.trials.length).toBeGreaterThan(0);
  expect(result.trials).toContain(result.recommended);
  expect(new Set(result.trials.map(({ settings }) => settings.copyFormat))).toEqual(new Set(['auto']));
});

test.each([[['nothing']], [['numbers']]])('nothing to try on is an error: %j', async (tables) => {
  const rowsOf = tables.includes('numbers') ? { excludeTableData: ['numbers'] } : {};
  await expect(tuneSnapshot({ database: database.url, tables, ...rowsOf })).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringMatching(/there are no rows to try settings on$/),
  });
});

test.each([
  [{ seconds: 0 }, 'the seconds must be a number from 1 to 3600'],
  [{ seconds: Number.NaN }, 'the seconds must be a number from 1 to 3600'],
  [{ plot: '' }, 'the file for the picture has no name'],
  [{ write: '' }, 'the configuration to write has no name'],
])('%j is refused', async (options, message) => {
  await expect(tuneSnapshot({ database: database.url, ...options })).rejects.toMatchObject({ code: 'USAGE', message: `tune: ${message}` });
});

test('an abort ends it at once, and leaves no session', async () => {
  const stop = new AbortController();
  const reason = new Error('enough');
  const tuning = tuneSnapshot({
    database: database.url,
    seconds: 600,
    signal: stop.signal,
    onEvent: (event) => event.type === 'trial' && stop.abort(reason),
  });
  await expect(tuning).rejects.toMatchObject({ code: 'ABORTED' });
});
