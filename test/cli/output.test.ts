// What goes to standard output and what to standard error: for people, as JSON, and where the archive itself goes through a pipe.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refuseTerminal } from '#dist/cli/streams.js';
import { createDatabase, type TestDatabase } from '../server/index.js';
import { jsonLines, mainPath, runCli, startCli } from './run-cli.js';

let source: TestDatabase;
let directory: string;
let archive: string;
const hostile = 'x\u001b[31m\u0007\n\u009b';
const snapshotArgs = ['--height', '9223372036854775807', '--streams-query', `SELECT 'lsn', 5 UNION ALL SELECT E'a\\x07', 7`];

beforeAll(async () => {
  source = await createDatabase();
  directory = await mkdtemp(join(tmpdir(), 'tidemark-test-'));
  archive = join(directory, 'a.tar.zst');
  await source.run(`
    CREATE TABLE blocks (height bigint PRIMARY KEY, hash text NOT NULL);
    INSERT INTO blocks SELECT n, repeat(md5(n::text), 30) FROM generate_series(1, 20000) n;
    CREATE TABLE "${hostile}" (id int)`);
});
afterAll(async () => {
  await rm(directory, { recursive: true });
  await source.drop();
});

const lsn = expect.stringMatching(/^[0-9A-F]+\/[0-9A-F]+$/);
const decimal = expect.stringMatching(/^\d+$/);

describe('for programs', () => {
  test('snapshot: events on standard error, one result on standard output', async () => {
    const { stdout, stderr, exitCode } = await runCli(['snapshot', '-d', source.url, '-f', archive, '--json', ...snapshotArgs]);
    expect(exitCode).toBe(0);
    const events = jsonLines(stderr);
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(['phase', 'plan', 'progress', 'table']));
    expect(events).toContainEqual({ type: 'table', schema: 'public', name: 'blocks', rows: '20000', rawBytes: decimal });
    expect(jsonLines(stdout)).toEqual([
      {
        type: 'snapshot',
        file: archive,
        bytes: decimal,
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        database: source.name,
        position: {
          at: expect.stringMatching(/^\d{4}-.*Z$/),
          lsn,
          height: '9223372036854775807',
          changes: expect.stringMatching(/^\d+$/),
          commits: expect.stringMatching(/^\d+$/),
          streams: { lsn: '5', 'a\u0007': '7' },
        },
        totals: { tables: 2, rows: '20000', rawBytes: decimal, compressedBytes: decimal },
        leftOut: [],
        durationMs: expect.any(Number),
        attempts: 1,
      },
    ]);
  });

  test('show: the manifest in the form that it has in the archive', async () => {
    const { stdout, stderr, exitCode } = await runCli(['show', archive, '--json']);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    const [shown, ...more] = jsonLines(stdout);
    expect(more).toEqual([]);
    expect(shown).toMatchObject({ type: 'show', file: archive, bytes: decimal });
    expect(shown?.manifest).toEqual(JSON.parse(await readFile(`${archive}.manifest.json`, 'utf8')));
  });

  test('verify', async () => {
    const { stdout, stderr, exitCode } = await runCli(['verify', archive, '--json']);
    expect(exitCode).toBe(0);
    expect(jsonLines(stderr).length).toBeGreaterThan(0);
    expect(jsonLines(stdout)).toMatchObject([{ type: 'verify', rows: '20000', position: { lsn } }]);
  });

  test('restore, its plan, and schema', async () => {
    await using target = await createDatabase();
    const plan = await runCli(['restore', archive, '-d', target.url, '--dry-run', '--json']);
    expect(plan.exitCode).toBe(0);
    jsonLines(plan.stderr);
    expect(jsonLines(plan.stdout)).toMatchObject([{ type: 'plan', plan: expect.any(Array) }]);
    const restored = await runCli(['restore', archive, '-d', target.url, '--json']);
    expect(restored.exitCode).toBe(0);
    jsonLines(restored.stderr);
    expect(jsonLines(restored.stdout)).toMatchObject([
      { type: 'restore', database: target.name, tables: 2, rows: '20000', position: { lsn } },
    ]);
    const schema = await runCli(['schema', '-d', target.url, '--json']);
    expect(jsonLines(schema.stderr)).toEqual([]);
    expect(jsonLines(schema.stdout)).toMatchObject([{ type: 'schema', preData: expect.stringContaining('"blocks"'), leftOut: [] }]);
  });
});

describe('for people', () => {
  test('the result is text, in a pipe there is no progress, and names cannot drive a terminal', async () => {
    await using target = await createDatabase();
    const other = join(directory, 'b.tar.zst');
    const runs = [
      await runCli(['snapshot', '-d', source.url, '-f', other, ...snapshotArgs]),
      await runCli(['show', other]),
      await runCli(['verify', other]),
      await runCli(['restore', other, '-d', target.url, '--dry-run']),
      await runCli(['restore', other, '-d', target.url]),
    ];
    for (const { stdout, stderr, exitCode } of runs) {
      expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    }
    expect(runs[0]?.stdout).toMatch(/b\.tar\.zst: 2 tables, 20,000 rows, [\d.]+ MB -> [\d.]+ kB in /);
    expect(runs[1]?.stdout).toContain('public.x\\u001b[31m\\u0007\\n\\u009b');
    expect(runs[2]?.stdout).toContain('every byte is right');
    expect(runs[4]?.stdout).toContain(`database ${target.name}: 2 tables, 20,000 rows`);
  });
});

describe('through a pipe', () => {
  test('standard output has the archive and nothing else; the result goes to standard error', async () => {
    const { bytes, stderr, exitCode } = await runCli(['snapshot', '-d', source.url, '-f', '-', '--json', ...snapshotArgs]);
    expect(exitCode).toBe(0);
    expect(jsonLines(stderr).at(-1)).toMatchObject({ type: 'snapshot', totals: { rows: '20000' } });
    await using target = await createDatabase();
    const restored = await runCli(['restore', '-', '-d', target.url], { input: bytes });
    expect(restored).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await target.query('SELECT count(*)::int AS n, sum(height)::int AS s FROM blocks')).toEqual([{ n: 20000, s: 200010000 }]);
  });

  test('for people, too', async () => {
    const { bytes, stderr, exitCode } = await runCli(['snapshot', '-d', source.url, '-f', '-']);
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^standard output: 2 tables, 20,000 rows/);
    expect(bytes.subarray(0, 4).toString('hex')).toBe('28b52ffd');
  });

  test('a reader that goes away is one error', async () => {
    const { child, ended } = startCli(['snapshot', '-d', source.url, '-f', '-', '-Z', '-7']);
    child.stdout?.once('data', () => child.stdout?.destroy());
    const { stderr, exitCode } = await ended;
    expect(stderr).toMatch(/^tidemark: write the archive to its stream: [^\n]+\n {2}hint: [^\n]+\n$/);
    expect(exitCode).toBe(7);
  });

  test('a writer that goes away is one error, and the database is marked', async () => {
    const { bytes } = await runCli(['snapshot', '-d', source.url, '-f', '-']);
    await using target = await createDatabase();
    const { stderr, exitCode } = await runCli(['restore', '-', '-d', target.url], { input: bytes.subarray(0, bytes.length - 1000) });
    expect(stderr).toMatch(/^tidemark: [^\n]+cut short[^\n]+is marked incomplete[^\n]+\n {2}hint: [^\n]+\n$/);
    expect(exitCode).toBe(5);
  });

  test('a restore that fails does not wait for the writer to end', async () => {
    await using busy = await createDatabase();
    await busy.run('CREATE TABLE other (id int)');
    const { bytes } = await runCli(['snapshot', '-d', source.url, '-f', '-']);
    const child = spawn(process.execPath, [mainPath, 'restore', '-', '-d', busy.url], { stdio: ['pipe', 'ignore', 'ignore'] });
    child.stdin.on('error', () => undefined);
    child.stdin.write(bytes.subarray(0, bytes.length - 1000));
    const [exitCode] = await once(child, 'exit');
    expect(exitCode).toBe(6);
  });

  test('output that nobody reads any more is no crash', async () => {
    const { child, ended } = startCli(['schema', '-d', source.url]);
    child.stdout?.destroy();
    const { stderr, exitCode } = await ended;
    expect(stderr).toBe(
      'tidemark: write the result to standard output: nobody reads it any more\n  hint: look whether the command that reads it failed\n',
    );
    expect(exitCode).toBe(7);
  });

  test('a terminal is no place for an archive', () => {
    expect(() => refuseTerminal({ isTTY: true }, { attempt: 'write it', hint: 'redirect it' })).toThrow(
      expect.objectContaining({ code: 'USAGE', message: 'write it: it is a terminal', hint: 'redirect it' }),
    );
    expect(() => refuseTerminal({ isTTY: false }, { attempt: 'write it', hint: '' })).not.toThrow();
    expect(() => refuseTerminal({}, { attempt: 'write it', hint: '' })).not.toThrow();
  });
});

test('nothing is left beside the archives', async () => {
  const names = await readdir(directory);
  expect(names.toSorted()).toEqual(
    ['a', 'b'].flatMap((name) => ['', '.manifest.json', '.sha256'].map((end) => `${name}.tar.zst${end}`)).toSorted(),
  );
});
