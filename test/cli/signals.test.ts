// Stopped in the middle: nothing is published, nothing temporary stays, no session is left, and the exit code says by what.
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, eventually, type TestDatabase } from '../server/index.js';
import { jsonLines, type RunningCli, runCli, startCli } from './run-cli.js';

let source: TestDatabase;
let directory: string;
let archive: string;
// So slow a level that the rows take much longer than the signal.
const slowly = ['-Z', '12', '-j', '2'];

beforeAll(async () => {
  source = await createDatabase();
  directory = await mkdtemp(join(tmpdir(), 'tidemark-test-'));
  archive = join(directory, 'a.tar.zst');
  await source.run(`
    CREATE TABLE big (id int, value text);
    INSERT INTO big SELECT n, (SELECT string_agg(md5((n * 64 + i)::text), '') FROM generate_series(1, 50) i) FROM generate_series(1, 40000) n`);
});
afterAll(async () => {
  await rm(directory, { recursive: true });
  await source.drop();
});

async function noSessions(database: TestDatabase): Promise<void> {
  await eventually('no session is left', async () => {
    const rows = await database.query(
      "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'tidemark%'",
    );
    return rows.length === 0;
  });
}

async function inTheRows(file: string): Promise<RunningCli> {
  const running = startCli(['snapshot', '-d', source.url, '-f', file, '--json', ...slowly]);
  await running.event(({ type }) => type === 'progress');
  return running;
}

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s in the middle of the rows', async (signal, exitCode) => {
  const folder = join(directory, signal);
  await mkdir(folder);
  const { child, ended } = await inTheRows(join(folder, 'a.tar.zst'));
  expect(await readdir(folder)).toHaveLength(1);
  child.kill(signal);
  const result = await ended;
  expect(result).toMatchObject({ exitCode, signal: null, stdout: '' });
  expect(jsonLines(result.stderr).at(-1)).toMatchObject({ type: 'error', code: 'ABORTED', exitCode, message: `stopped by ${signal}` });
  expect(await readdir(folder)).toEqual([]);
  await noSessions(source);
});

test('while it waits for a lock', async () => {
  await using other = await source.connect();
  await other.query('BEGIN; LOCK TABLE big');
  const { child, ended, event } = startCli(['snapshot', '-d', source.url, '-f', archive, '--json', '--lock-wait-timeout', '0']);
  await event(({ phase }) => phase === 'lock');
  child.kill('SIGINT');
  expect(await ended).toMatchObject({ exitCode: 130 });
  expect((await readdir(directory)).filter((name) => name.includes('a.tar'))).toEqual([]);
  await other.query('ROLLBACK');
  await noSessions(source);
});

test('while nobody reads the pipe', async () => {
  const { child, ended, event } = startCli(['snapshot', '-d', source.url, '-f', '-', '--json', '-Z', '-7']);
  child.stdout?.pause();
  await event(({ type }) => type === 'plan');
  await eventually('the workers are held up', async () => {
    const [row] = await source.query<{ held: number }>(
      "SELECT count(*)::int AS held FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'ClientWrite'",
    );
    return (row?.held ?? 0) > 0;
  });
  child.kill('SIGTERM');
  await new Promise((resolve) => child.once('exit', resolve));
  child.stdout?.resume();
  expect(await ended).toMatchObject({ exitCode: 143 });
  await noSessions(source);
});

test('a second signal does not wait for an orderly end', async () => {
  const { child, ended } = await inTheRows(archive);
  // Both are there when it goes on; which of its threads takes which, and so which comes first, is nobody's to say.
  for (const signal of ['SIGSTOP', 'SIGINT', 'SIGTERM', 'SIGCONT'] as const) child.kill(signal);
  const result = await ended;
  expect([130, 143]).toContain(result.exitCode);
  // The last word of an orderly end.
  expect(result.stderr).not.toContain('ABORTED');
  await noSessions(source);
});

test('a restore', async () => {
  const taken = await runCli(['snapshot', '-d', source.url, '-f', archive, '-Z', '-7']);
  expect(taken.exitCode).toBe(0);
  await using target = await createDatabase();
  const { child, ended, event } = startCli(['restore', archive, '-d', target.url, '--json', '-j', '1']);
  await event(({ type }) => type === 'progress');
  child.kill('SIGINT');
  const result = await ended;
  expect(result).toMatchObject({ exitCode: 130, stdout: '' });
  expect(jsonLines(result.stderr).at(-1)).toMatchObject({
    code: 'ABORTED',
    message: `stopped by SIGINT; database ${target.name} is marked incomplete (schema tidemark_restoring)`,
    details: { incomplete: true },
  });
  await noSessions(target);
  const again = await runCli(['restore', archive, '-d', target.url]);
  expect(again).toMatchObject({ exitCode: 0, stderr: '' });
});

test('a verification', async () => {
  const { child, ended, event } = startCli(['verify', archive, '--json']);
  await event(({ type }) => type === 'plan');
  child.kill('SIGINT');
  expect(await ended).toMatchObject({ exitCode: 130, stdout: '' });
});
