// `tidemark tune` as users run it.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, eventually, type TestDatabase } from '../server/index.js';
import { jsonLines, runCli, startCli } from './run-cli.js';

let database: TestDatabase;
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-test-'));
  database = await createDatabase();
  await database.run('CREATE UNLOGGED TABLE numbers AS SELECT g AS id, md5(g::text) AS value FROM generate_series(1, 20000) AS g');
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await database.drop();
});

test('prints a table, what is recommended, and the command to use; writes what it is told to', async () => {
  const write = join(folder, 'c.json');
  await writeFile(write, '{ "store": "s" }');
  const plot = join(folder, 'c.svg');
  const { stdout, exitCode } = await runCli(['tune', '-d', database.url, '--seconds', '3', '--write', write, '--plot', plot]);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^\S+: 1 table, \d+\.\d MB on the server's disk/);
  expect(stdout).toMatch(/^format +level +jobs +chunk +MB\/s +ratio +time +archive$/m);
  expect(stdout).toMatch(/^auto +3 +\d+ +4MiB +\d+\.\d +\d+\.\d\d .*default$/m);
  expect(stdout).toMatch(/<- recommended/);
  expect(stdout).toMatch(/^tidemark snapshot -j \d+ -Z \d --copy-format (auto|text) --chunk-size \d+MiB -f FILE$/m);
  expect(JSON.parse(await readFile(write, 'utf8'))).toMatchObject({ store: 's', snapshot: { chunkSize: expect.stringMatching(/MiB$/) } });
  expect(await readFile(plot, 'utf8')).toMatch(/^<svg /);
});

test('--json has every figure', async () => {
  const { stdout, exitCode } = await runCli(['tune', '-d', database.url, '--seconds', '2', '--json']);
  expect(exitCode).toBe(0);
  const [result] = jsonLines(stdout);
  expect(result).toMatchObject({
    type: 'tune',
    tables: 1,
    trials: expect.arrayContaining([expect.objectContaining({ settings: expect.objectContaining({ compressLevel: 3 }) })]),
    recommended: {
      bytesPerSecond: expect.any(Number),
      ratio: expect.any(Number),
      wholeMs: expect.any(Number),
      wholeBytes: expect.any(Number),
    },
    smallest: { settings: {} },
    options: expect.arrayContaining(['--chunk-size']),
  });
});

test('a module is refused with what to do, before anything is tried', async () => {
  const { stderr, exitCode } = await runCli(['tune', '-d', database.url, '--write', join(folder, 'tidemark.config.mjs')]);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/only a configuration in JSON \(\.json\) can be written/);
  expect(stderr).toMatch(/by hand/);
});

test('stopped in the middle, it leaves nothing behind', async () => {
  const before = await readdir(folder);
  const args = ['tune', '-d', database.url, '--seconds', '600', '--json', '--plot', join(folder, 'x.svg')];
  const { child, ended, event } = startCli(args, { env: { TMPDIR: folder } });
  await event(({ type }) => type === 'trial');
  child.kill('SIGINT');
  const { exitCode, stderr, stdout } = await ended;
  expect(exitCode).toBe(130);
  expect(stdout).toBe('');
  expect(jsonLines(stderr).at(-1)).toMatchObject({ type: 'error', code: 'ABORTED' });
  expect(await readdir(folder)).toEqual(before);
  await eventually('no session is left', async () => {
    const rows = await database.query(
      "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'tidemark%'",
    );
    return rows.length === 0;
  });
});
