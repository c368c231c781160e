// `tidemark diff` as people and programs see it.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Snapshots } from '../app/diff/snapshots.js';
import { createDatabase } from '../server/index.js';
import { jsonLines, runCli } from './run-cli.js';

let snapshots: Snapshots;
let a: string;
let b: string;
const hostile = 'x\u001b[31m';
beforeAll(async () => {
  snapshots = await Snapshots.make();
  await using db = await createDatabase();
  await db.run(`
    CREATE TABLE events (id bigint PRIMARY KEY, kind text); INSERT INTO events SELECT n, 'k' || n FROM generate_series(1, 2000) n;
    CREATE TABLE same (n int); INSERT INTO same VALUES (1);
    CREATE TABLE other (n int); INSERT INTO other VALUES (1);
    CREATE SEQUENCE s;
    CREATE VIEW gone AS SELECT 1 AS n;
    CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1;
SELECT 2'`);
  a = await snapshots.of(db);
  await db.run(`
    UPDATE events SET kind = 'new' WHERE id IN (7, 8); DELETE FROM events WHERE id = 9;
    INSERT INTO events SELECT n, E'a\\tb\\x1b' FROM generate_series(2001, 2012) n;
    ALTER TABLE other ALTER n TYPE bigint; INSERT INTO other VALUES (2);
    SELECT nextval('s');
    DROP VIEW gone;
    CREATE TABLE "${hostile}" (n int); INSERT INTO "${hostile}" VALUES (1), (2);
    CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1;
SELECT 3'`);
  b = await snapshots.of(db);
});
afterAll(async () => {
  await snapshots[Symbol.asyncDispose]();
});

/** Without the lines that name the archives. */
function told(stdout: string): readonly string[] {
  const lines = stdout.trimEnd().split('\n');
  expect(lines[0]).toMatch(new RegExp(`^a: ${a} \\(.*LSN .*\\)$`));
  return lines.slice(2);
}

test('what differs is one line each, and the exit code says that something does', async () => {
  const { stdout, stderr, exitCode } = await runCli(['diff', a, b]);
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 12 });
  expect(told(stdout)).toEqual([
    '- view public.gone',
    '+ table public.x\\u001b[31m',
    '~ function public.f()',
    '~ table public.other',
    '~ sequence public.s: 1 (not used yet) -> 1',
    '~ public.events: 2,000 -> 2,011 rows (+14 -3)',
    '? public.other: 1 -> 2 rows, not compared: its columns are not the same',
    '+ public.x\\u001b[31m: 2 rows',
    'different: 4 objects, 1 sequence value, 3 tables',
  ]);
});

test('with rows and statements', async () => {
  const { stdout, exitCode } = await runCli(['diff', '--sql', a, b, '--rows=3']);
  expect(exitCode).toBe(12);
  const lines = told(stdout);
  const after = (line: string, count: number): readonly string[] => lines.slice(lines.indexOf(line) + 1).slice(0, count);
  expect(after('~ public.events: 2,000 -> 2,011 rows (+14 -3)', 7)).toEqual([
    '    + 2001\ta\\tb\\u001b',
    '    + 2002\ta\\tb\\u001b',
    '    + 2003\ta\\tb\\u001b',
    '    - 7\tk7',
    '    - 8\tk8',
    '    - 9\tk9',
    '    and +11 more',
  ]);
  expect(after('+ public.x\\u001b[31m: 2 rows', 2)).toEqual(['    + 1', '    + 2']);
  const of = lines.slice(lines.indexOf('~ function public.f()') + 1, lines.indexOf('~ table public.other'));
  expect(of.filter((line) => !line.startsWith('     '))).toEqual([
    expect.stringMatching(/^ {4}-.*SELECT 2/),
    expect.stringMatching(/^ {4}\+.*SELECT 3/),
  ]);
  expect(after('- view public.gone', 1)).toEqual([expect.stringMatching(/^ {4}-CREATE VIEW "public"\."gone"/)]);
});

test('ten rows of each list, unless said otherwise', async () => {
  const { stdout } = await runCli(['diff', a, b, '--rows', '--json']);
  const [result] = jsonLines(stdout);
  const tables = result?.tables as readonly { name: string; samples?: { added: readonly string[]; removed: readonly string[] } }[];
  expect(tables.find(({ name }) => name === 'events')?.samples).toMatchObject({ removed: { length: 3 }, added: { length: 10 } });
});

test('as JSON', async () => {
  const { stdout, stderr, exitCode } = await runCli(['diff', a, b, '--json']);
  expect(exitCode).toBe(12);
  expect(new Set(jsonLines(stderr).map(({ type }) => type))).toEqual(new Set(['phase', 'plan', 'progress']));
  expect(jsonLines(stdout)).toMatchObject([
    {
      type: 'diff',
      equal: false,
      a: { file: a, position: { lsn: expect.stringMatching(/^[0-9A-F]+\/[0-9A-F]+$/) }, source: { encoding: 'UTF8' } },
      b: { file: b },
      information: [],
      notCompared: [],
      schema: { added: [{ kind: 'table', name: hostile }], removed: [{ kind: 'view' }], changed: [{ facets: ['definition'] }, {}] },
      values: [{ name: 's', before: { lastValue: '1', isCalled: false }, after: { lastValue: '1', isCalled: true } }],
      tables: [
        { schema: 'public', name: 'events', rowsBefore: '2000', rowsAfter: '2011', added: '14', removed: '3', equal: false },
        { name: 'other', equal: false, reason: expect.any(String) },
        { name: 'same', equal: true },
        { name: hostile, rowsAfter: '2' },
      ],
    },
  ]);
});

test('nothing differs', async () => {
  const { stdout, stderr, exitCode } = await runCli(['diff', a, a]);
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  expect(told(stdout)).toEqual(['no difference']);
});

test('the schema alone', async () => {
  const { stdout, exitCode } = await runCli(['diff', a, b, '-s']);
  expect(exitCode).toBe(12);
  expect(told(stdout).at(-1)).toBe('different: 4 objects');
});

test.each([
  [['diff', 'a'], /missing required argument 'b'/, 2],
  [['diff', 'a', 'b', '--rows=x'], /whole number/, 2],
  [['diff', 'a', 'b', '--rows', '-s'], /rows are not compared with schema-only\n {2}hint: see tidemark diff --help/, 2],
  [['diff', '/nonexistent/a', '/nonexistent/b'], /there is no such file/, 7],
] as const)('%j', async (args, message, exitCode) => {
  const result = await runCli(args);
  expect(result).toMatchObject({ stdout: '', exitCode });
  expect(result.stderr).toMatch(message);
});
