// `tidemark config check` as users run it: what it prints, exit codes, and no password.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../temporary-directory.js';
import { runCli } from './run-cli.js';

const content = {
  database: 'postgres://app:hunter2@db/indexer',
  role: 'reader',
  preset: 'runtime',
  position: { heightQuery: 'SELECT max(height) FROM blocks', hashQuery: 'SELECT hash FROM blocks WHERE height = $1' },
  snapshot: { jobs: 8, excludeTables: ['queue_*'], lockTimeout: '5s', noOwner: true },
  rules: [
    { by: 'height', every: 1000, from: 'multiples' },
    { by: 'wal', every: '1GB' },
  ],
  atShutdown: true,
  retry: { height: 100, after: '15m' },
  retention: { last: 2, within: '30d', daily: 7, yearly: 'all', heights: { every: 1000000 }, timeZone: 'Europe/Berlin' },
  poll: { listen: 'blocks' },
  webhook: { success: 'https://hooks.example/token-hunter2', failure: 'https://hooks.example/other-hunter2' },
  drill: { rule: { by: 'time', every: '7d' }, database: 'postgres://drill:hunter2@scratch/x' },
};

async function check(what: unknown, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  await using place = await temporaryDirectory();
  await writeFile(join(place.path, 'tidemark.config.json'), JSON.stringify(what));
  return { ...(await runCli(['config', 'check', ...args], { cwd: place.path, env })), directory: place.path };
}

describe('a configuration that is right', () => {
  test('is told in plain sentences', async () => {
    const { stdout, stderr, exitCode, directory } = await check(content, [], { TIDEMARK_PREFIX: 'paima', TIDEMARK_HTTP: 'false' });
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    expect(
      stdout.replaceAll(directory, 'DIRECTORY'),
    ).toBe(`DIRECTORY/tidemark.config.json is right (preset runtime, prefix from TIDEMARK_PREFIX, http from TIDEMARK_HTTP)
  database   app@db:5432/indexer, as role reader
  store      DIRECTORY/snapshots, names as paima-<height>.tar.zst
  position   height by SELECT max(height) FROM blocks; hash by SELECT hash FROM blocks WHERE height = $1
  snapshot   jobs 8; excludeTables queue_*; noOwner; lockTimeout 5 s
  rules      at multiples of 1000 of height
             every 1000000000 bytes of write-ahead log
             at once while there is no good one
             at an orderly end, if the database has moved
  retry      100 of height or 15 min after a failure
  retention  the newest 2
             all that are at most 30 d older than the newest
             the newest of each day, of the last 7 that have one (Europe/Berlin)
             the newest of each year (Europe/Berlin)
             the newest of each stretch of 1000000 heights
  poll       every 10 s, and when channel blocks is notified
  http       nothing is served
  log        level info
  webhook    hooks.example after each success, hooks.example after each failure
  lease      a daemon that is silent for 30 s loses the store
  drill      every 7 d on drill@scratch:5432/x
  reserve    1.0 GB of the disk stay free
`);
  });

  test('and as JSON, without passwords', async () => {
    const { stdout, stderr, exitCode, directory } = await check(content, ['--json'], { PGPASSWORD: 'hunter2' });
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    expect(stdout).not.toContain('hunter2');
    expect(JSON.parse(stdout)).toMatchObject({
      type: 'config',
      file: join(directory, 'tidemark.config.json'),
      database: 'app@db:5432/indexer',
      role: 'reader',
      schedule: {
        rules: [{ by: 'height', every: '1000', meaning: 'at multiples of 1000 of height' }, { by: 'wal' }],
        retry: { height: '100', ms: 900_000 },
      },
      webhook: { success: 'hooks.example', failure: 'hooks.example', timeoutMs: 10_000 },
      drill: { rule: { by: 'time', every: 604_800_000 }, database: 'drill@scratch:5432/x' },
      fromEnvironment: [],
    });
  });

  test('all from the environment, with -c for what is elsewhere', async () => {
    const env = { TIDEMARK_PRESET: 'memory', DATABASE_URL: 'postgres://u@h/d' };
    await using place = await temporaryDirectory();
    const alone = await runCli(['config', 'check'], { cwd: place.path, env });
    expect(alone.stdout).toMatch(/^the environment is right \(preset memory, preset from TIDEMARK_PRESET\)\n {2}database {3}u@h:5432\/d\n/);
    await writeFile(join(place.path, 'other.mjs'), 'console.log("noise"); export default { preset: "indexer" };');
    const other = await runCli(['config', 'check', '-c', 'other.mjs', '--json'], { cwd: place.path });
    expect(JSON.parse(other.stdout)).toMatchObject({ preset: 'indexer', file: join(place.path, 'other.mjs') });
  });
});

describe('a configuration that is not', () => {
  test('ends with 2, and says what is wrong', async () => {
    const { stdout, stderr, exitCode, directory } = await check({ ...content, retain: 3 });
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 2 });
    expect(stderr.replaceAll(directory, 'DIRECTORY')).toBe(
      'tidemark: read configuration DIRECTORY/tidemark.config.json: retain: unknown key, did you mean retention?\n  hint: docs/config.md has every key and an example\n',
    );
  });

  test('for programs, too', async () => {
    const { stderr, exitCode } = await check({ ...content, retention: { last: 0 } }, ['--json']);
    expect(exitCode).toBe(2);
    expect(JSON.parse(stderr)).toMatchObject({ type: 'error', code: 'USAGE', exitCode: 2, details: { problems: [{ key: 'retention' }] } });
  });

  test('is not there', async () => {
    await using place = await temporaryDirectory();
    const { stderr, exitCode } = await runCli(['config', 'check'], { cwd: place.path });
    expect(stderr).toMatch(/^tidemark: find the configuration in [^\n]+ or above: there is no tidemark.config.json, [^\n]+\n {2}hint: /);
    expect(exitCode).toBe(2);
    expect((await runCli(['config', 'check', '-c', 'gone.json'], { cwd: place.path })).exitCode).toBe(7);
  });
});

test.each([
  [['config', 'chek'], /^tidemark: unknown command 'chek'\n {2}hint: Did you mean check\? Or see tidemark config --help\n$/],
  [['config', 'check', '--jsn'], /^tidemark: unknown option '--jsn'\n {2}hint: .*Did you mean --json/],
  [['config'], /^Usage: tidemark config /],
])('%j is told as every wrong command', async (args, told) => {
  const { stderr, exitCode } = await runCli(args);
  expect(stderr).toMatch(told);
  expect(exitCode).toBe(2);
});
