// Every wrong input that a user can give: one line that says what is wrong, a hint, the documented exit code, and nothing published.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checksumFrameBytes } from '#dist/archive/checksum-frame.js';
import { seekTableBytes } from '#dist/archive/seek-table.js';
import { exitCodes } from '#dist/cli/exit-codes.js';
import { errorText } from '#dist/cli/report-error.js';
import { TidemarkError } from '#dist/model/errors.js';
import type { ErrorCode } from '../../src/model/errors.js';
import { createDatabase, createRole, type TestDatabase, type TestRole } from '../server/index.js';
import { type CliOptions, jsonLines, mainPath, runCli } from './run-cli.js';

const run = promisify(execFile);

let role: TestRole;
let source: TestDatabase;
let busy: TestDatabase;
let empty: TestDatabase;
let directory: string;
const file = (name: string): string => join(directory, name);

beforeAll(async () => {
  role = await createRole();
  source = await createDatabase();
  busy = await createDatabase();
  empty = await createDatabase();
  directory = await mkdtemp(join(tmpdir(), 'tidemark-test-'));
  await source.run(`
    CREATE TABLE blocks (height bigint PRIMARY KEY, hash text NOT NULL);
    INSERT INTO blocks SELECT n, md5(n::text) FROM generate_series(1, 2000) n;
    CREATE TABLE secret (id int);
    INSERT INTO secret VALUES (1);
    GRANT SELECT ON blocks TO "${role.name}"`);
  await busy.run('CREATE TABLE other (id int)');
  const taken = await runCli(['snapshot', '-d', source.url, '-f', file('good.tar.zst')]);
  expect(taken).toMatchObject({ exitCode: 0, stderr: '' });
  const good = await readFile(file('good.tar.zst'));
  const newer = Buffer.from(good);
  const frames = good.readUInt32LE(good.length - 9);
  newer.writeUInt8(2, good.length - seekTableBytes(frames) - checksumFrameBytes + 16);
  const altered = Buffer.from(good);
  altered.writeUInt8(altered.readUInt8(good.length >> 1) ^ 1, good.length >> 1);
  await writeFile(file('newer.tar.zst'), newer);
  await writeFile(file('altered.tar.zst'), altered);
  await writeFile(file('cut.tar.zst'), good.subarray(0, good.length - 100));
  await writeFile(file('half.tar.zst'), good.subarray(0, good.length >> 1));
  await writeFile(file('text.tar.zst'), '-- PostgreSQL database dump\n');
  await writeFile(file('empty.tar.zst'), '');
  await mkdir(file('directory'));
});
afterAll(async () => {
  await rm(directory, { recursive: true });
  await source.drop();
  await busy.drop();
  await empty.drop();
  await role.drop();
});

interface Case {
  readonly args: (() => readonly string[]) | readonly string[];
  readonly code: ErrorCode;
  readonly message: string | RegExp;
  readonly options?: () => CliOptions;
}

const out = (): string => file('x.tar.zst');
const snapshot = (...args: readonly string[]) => ['snapshot', '-f', out(), ...args];
const snap = (...args: readonly string[]) => snapshot('-d', source.url, ...args);
const restore = (name: string, ...args: readonly string[]) => ['restore', file(name), '-d', empty.url, ...args];
const to = (url: string, change: (url: URL) => void): string => {
  const other = new URL(url);
  change(other);
  return other.href;
};

const cases: Readonly<Record<string, Readonly<Record<string, Case>>>> = {
  'the command': {
    'an unknown command': { args: ['snapshoot'], code: 'USAGE', message: "unknown command 'snapshoot'" },
    'an unknown option': { args: () => snap('--nope'), code: 'USAGE', message: "unknown option '--nope'" },
    'an option for all that is none': { args: ['--nope'], code: 'USAGE', message: "unknown option '--nope'" },
    'an option without its value': { args: ['snapshot', '-f'], code: 'USAGE', message: "option '-f, --file <file>' argument missing" },
    'no file to write': { args: ['snapshot'], code: 'USAGE', message: 'take a snapshot: it is not said where to' },
    'no file to read': { args: ['restore'], code: 'USAGE', message: "missing required argument 'archive'" },
    'too many files': { args: ['verify', 'a', 'b'], code: 'USAGE', message: /^too many arguments/ },
    'a height that is no number': {
      args: () => snap('--height', 'tall'),
      code: 'USAGE',
      message: /--height.*'tall' is invalid. It must be a whole number,/,
    },
    'jobs that are no number': { args: () => snap('-j', 'two'), code: 'USAGE', message: /--jobs.*'two' is invalid/ },
    'no jobs': { args: () => snap('-j', '0'), code: 'USAGE', message: /jobs must be a whole number from 1 to 256/ },
    'a level that is none': { args: () => snap('-Z', 'gzip'), code: 'USAGE', message: /--compress.*'gzip' is invalid/ },
    'a level too high': { args: () => snap('-Z', '23'), code: 'USAGE', message: /compression level/ },
    'a form of rows that is none': {
      args: () => snap('--copy-format', 'csv'),
      code: 'USAGE',
      message: /--copy-format.*Allowed choices are auto, text, binary/,
    },
    'a duration that is none': { args: () => snap('--max-age', 'long'), code: 'USAGE', message: /--max-age.*'long' is invalid/ },
    'schema only and data only': { args: () => snap('-s', '-a'), code: 'USAGE', message: /schema-only and data-only exclude each other/ },
    'two heights': { args: () => snap('--height', '1', '--height-query', 'SELECT 1'), code: 'USAGE', message: /exclude each other/ },
    'clean and data only': {
      args: () => restore('good.tar.zst', '-c', '-a'),
      code: 'USAGE',
      message: /clean and data-only exclude each other/,
    },
    'if-exists without clean': { args: () => restore('good.tar.zst', '--if-exists'), code: 'USAGE', message: /if-exists needs clean/ },
    'force without swap': { args: () => restore('good.tar.zst', '--force'), code: 'USAGE', message: /force needs swap/ },
    'swap and a table': {
      args: () => restore('good.tar.zst', '--swap', '-t', 'a'),
      code: 'USAGE',
      message: /swap and tables exclude each other/,
    },
  },
  'the connection': {
    'a URL of something else': {
      args: () => snapshot('-d', 'mysql://u:hunter2@h/d'),
      code: 'USAGE',
      message: /does not begin with postgres/,
    },
    'a URL with a port that is none': {
      args: () => snapshot('-d', 'postgres://u:hunter2@h:x/d'),
      code: 'USAGE',
      message: /the port is not a number/,
    },
    'a URL with a raw % in it': {
      args: () => snapshot('-d', 'postgres://u:hunter2%@h/d'),
      code: 'USAGE',
      message: /begins no percent-encoded character/,
    },
    'a URL without its scheme': { args: () => snapshot('-d', 'u:hunter2@h/d'), code: 'USAGE', message: /does not begin with postgres/ },
    'DATABASE_URL of something else': {
      args: () => snapshot(),
      options: () => ({ env: { DATABASE_URL: 'mysql://u:hunter2@h/d' } }),
      code: 'USAGE',
      message: /does not begin with postgres/,
    },
    'a keyword that is unknown': {
      args: () => snapshot('-d', 'host=h pasword=hunter2'),
      code: 'USAGE',
      message: /keywords is not supported/,
    },
    'a URL in place of a command': { args: ['postgres://u:hunter2@h/d'], code: 'USAGE', message: "unknown command '...'" },
    'a URL after a wrong option': {
      args: () => snapshot('--dbnam=postgres://u:hunter2@h/d'),
      code: 'USAGE',
      message: /^unknown option '--dbnam'/,
    },
    'nobody listens': {
      args: () => snapshot('-d', 'postgres://u:hunter2@127.0.0.1:1/d'),
      code: 'CONNECTION_FAILED',
      message: 'connect to u@127.0.0.1:1/d: connect ECONNREFUSED 127.0.0.1:1',
    },
    'a host that is not there': {
      args: () => snapshot('-d', 'postgres://u:hunter2@h.invalid/d'),
      code: 'CONNECTION_FAILED',
      message: /h\.invalid/,
    },
    'a socket that is not there': {
      args: () => snapshot('-d', 'postgres:///d?host=/nonexistent'),
      code: 'CONNECTION_FAILED',
      message: /ENOENT/,
    },
    'a database that is not there': {
      args: () =>
        snapshot(
          '-d',
          to(source.url, (url) => (url.pathname = '/nowhere')),
        ),
      code: 'DATABASE_MISSING',
      message: /database "nowhere" does not exist/,
    },
    'a role that is not there': {
      args: () =>
        snapshot(
          '-d',
          to(source.url, (url) => (url.username = 'nobody_here')),
        ),
      code: 'AUTHENTICATION_FAILED',
      message: /nobody_here/,
    },
    'a server without TLS that must have it': {
      args: () => snapshot('-d', `${source.url}?sslmode=require`),
      code: 'CONNECTION_FAILED',
      message: /does not support SSL/,
    },
    'authorities that are not there': {
      args: () => snapshot('-d', `${source.url}?sslmode=verify-full&sslrootcert=/nonexistent`),
      code: 'FILE_ERROR',
      message: /certificate/,
    },
  },
  'the source': {
    'a table pattern that matches nothing': { args: () => snap('-t', 'nothing*'), code: 'PATTERN_UNMATCHED', message: /nothing\*/ },
    'one of several that matches nothing': { args: () => snap('-t', 'blocks', '-t', 'nope'), code: 'PATTERN_UNMATCHED', message: /nope/ },
    'a schema pattern that matches nothing': { args: () => snap('-n', 'nope'), code: 'PATTERN_UNMATCHED', message: /nope/ },
    'a pattern of another database': { args: () => snap('-t', 'other.public.blocks'), code: 'USAGE', message: /other/ },
    'a pattern that is none': { args: () => snap('-t', '"open'), code: 'USAGE', message: /open/ },
    'a table that may not be read': { args: () => snapshot('-d', role.as(source.url)), code: 'PERMISSION_DENIED', message: /secret/ },
    'a height query that is wrong': { args: () => snap('--height-query', 'SELECT nope'), code: 'POSITION_INVALID', message: /nope/ },
    'a height query that gives text': { args: () => snap('--height-query', `SELECT 'x'`), code: 'POSITION_INVALID', message: /height/ },
    'a height query that gives less than nothing': {
      args: () => snap('--height-query', 'SELECT -1'),
      code: 'POSITION_INVALID',
      message: /"-1"/,
    },
    'a height query that gives two values': {
      args: () => snap('--height-query', 'SELECT 1, 2'),
      code: 'POSITION_INVALID',
      message: /it gave 2 values/,
    },
    'a height query that gives no row': {
      args: () => snap('--height-query', 'SELECT 1 WHERE false'),
      code: 'POSITION_INVALID',
      message: /it gave 0 rows/,
    },
    'a height query that changes something': {
      args: () => snap('--height-query', 'DELETE FROM blocks RETURNING 1'),
      code: 'POSITION_INVALID',
      message: /read-only transaction/,
    },
  },
  'the file to write': {
    'a directory that is missing': {
      args: () => ['snapshot', '-d', source.url, '-f', file('no/x')],
      code: 'FILE_ERROR',
      message: /the directory does not exist/,
    },
    'a directory that is none': {
      args: () => ['snapshot', '-d', source.url, '-f', file('good.tar.zst/x')],
      code: 'FILE_ERROR',
      message: /not a directory/,
    },
    'a directory that takes no files': {
      args: () => ['snapshot', '-d', source.url, '-f', '/proc/x'],
      code: 'FILE_ERROR',
      message: /create a file in \/proc/,
    },
    'a directory as the file': {
      args: () => ['snapshot', '-d', source.url, '-f', file('directory')],
      code: 'FILE_ERROR',
      message: /it is a directory/,
    },
    'a path that ends as a directory': {
      args: () => ['snapshot', '-d', source.url, '-f', file('new/')],
      code: 'FILE_ERROR',
      message: /it is a directory/,
    },
    'a device': { args: () => ['snapshot', '-d', source.url, '-f', '/dev/full'], code: 'FILE_ERROR', message: /no regular file/ },
  },
  'the archive': {
    'one that is missing': { args: () => restore('none'), code: 'FILE_ERROR', message: /there is no such file/ },
    'a directory without latest.json': { args: () => restore('directory'), code: 'SNAPSHOT_MISSING', message: /there is no latest.json/ },
    'one that is empty': { args: () => restore('empty.tar.zst'), code: 'ARCHIVE_INVALID', message: /it is empty/ },
    'one that is none': { args: () => restore('text.tar.zst'), code: 'ARCHIVE_INVALID', message: /no tidemark archive/ },
    'one cut short': { args: () => restore('cut.tar.zst'), code: 'ARCHIVE_TRUNCATED', message: /cut short/ },
    'half of one': { args: () => restore('half.tar.zst'), code: 'ARCHIVE_TRUNCATED', message: /cut short/ },
    'one that was altered': {
      args: () => restore('altered.tar.zst'),
      code: 'ARCHIVE_CORRUPT',
      message: /database .* is marked incomplete|as it was/,
    },
    'one of a newer format': { args: () => restore('newer.tar.zst'), code: 'ARCHIVE_TOO_NEW', message: /version 2/ },
    'for verify, one that is missing': { args: () => ['verify', file('none')], code: 'FILE_ERROR', message: /there is no such file/ },
    'for verify, one that is none': {
      args: () => ['verify', file('text.tar.zst')],
      code: 'ARCHIVE_INVALID',
      message: /no tidemark archive/,
    },
    'for verify, one cut short': { args: () => ['verify', file('cut.tar.zst')], code: 'ARCHIVE_TRUNCATED', message: /cut short/ },
    'for verify, one that was altered': { args: () => ['verify', file('altered.tar.zst')], code: 'ARCHIVE_CORRUPT', message: /altered/ },
    'for verify, one of a newer format': { args: () => ['verify', file('newer.tar.zst')], code: 'ARCHIVE_TOO_NEW', message: /version 2/ },
    'for show, one that is missing': { args: () => ['show', file('none')], code: 'FILE_ERROR', message: /there is no such file/ },
    'for show, one that is none': { args: () => ['show', file('text.tar.zst')], code: 'ARCHIVE_INVALID', message: /no tidemark archive/ },
    'for show, one cut short': { args: () => ['show', file('cut.tar.zst')], code: 'ARCHIVE_TRUNCATED', message: /cut short/ },
    'for show, one of a newer format': { args: () => ['show', file('newer.tar.zst')], code: 'ARCHIVE_TOO_NEW', message: /version 2/ },
    'nothing from a pipe': { args: () => ['restore', '-', '-d', empty.url], code: 'ARCHIVE_INVALID', message: /archive/ },
    'something else from a pipe': {
      args: () => ['restore', '-', '-d', empty.url],
      options: () => ({ input: Buffer.from('-- PostgreSQL database dump\n') }),
      code: 'ARCHIVE_INVALID',
      message: /archive/,
    },
    'a pattern that matches nothing in it': {
      args: () => restore('good.tar.zst', '-t', 'nope'),
      code: 'PATTERN_UNMATCHED',
      message: /nope/,
    },
  },
  'the target': {
    'one with other tables': { args: () => ['restore', file('good.tar.zst'), '-d', busy.url], code: 'TARGET_NOT_EMPTY', message: /other/ },
    'one that is missing': {
      args: () => ['restore', file('good.tar.zst'), '-d', to(source.url, (url) => (url.pathname = '/nowhere'))],
      code: 'DATABASE_MISSING',
      message: /nowhere/,
    },
    'rows for tables that it has not': {
      args: () => ['restore', file('good.tar.zst'), '-d', busy.url, '-a'],
      code: 'TARGET_MISMATCH',
      message: /blocks/,
    },
  },
};

/** Commands with codes that were looked at as text. Text and JSON are made of one error, so that a process for the text of each would show
 *  what errorText() shows here. */
const toldAsText = new Set<string>();

for (const [about, table] of Object.entries(cases)) {
  describe(about, () => {
    test.each(Object.entries(table))('%s', async (_, { args, code, message, options }) => {
      const given = typeof args === 'function' ? args() : args;
      const [first = '', ...rest] = given;
      const json = await runCli([first, '--json', ...rest], options?.());
      const error = jsonLines(json.stderr).at(-1);
      expect(error).toMatchObject({
        type: 'error',
        code,
        exitCode: exitCodes[code],
        message: expect.stringMatching(message),
        hint: expect.any(String),
      });
      expect(json).toMatchObject({ stdout: '', exitCode: exitCodes[code] });
      const { message: said, hint } = error as unknown as { readonly message: string; readonly hint: string };
      const expected = errorText(new TidemarkError(code, said, { hint }), (word) => word);
      expect(expected).toMatch(/^tidemark: [^\n]+\n {2}hint: [^\n]+\n$/);
      const kind = `${first} ${code}`;
      if (!toldAsText.has(kind)) {
        toldAsText.add(kind);
        expect(await runCli(given, options?.())).toMatchObject({ stdout: '', stderr: expected, exitCode: exitCodes[code] });
      }
      expect(json.stderr).not.toContain('hunter2');
      expect((await readdir(directory)).filter((name) => name.startsWith('x.') || name.startsWith('.'))).toEqual([]);
    });
  });
}

describe('a full disk', () => {
  test('behind standard output', async () => {
    const { stderr, code } = await shell(`exec "$0" "$@" > /dev/full`, ['snapshot', '-d', source.url, '-f', '-']);
    expect(stderr).toMatch(/^tidemark: write the archive to its stream: no space left on the device\n {2}hint: /);
    expect(code).toBe(exitCodes.DISK_FULL);
  });

  test('behind the result', async () => {
    const { stderr, code } = await shell(`exec "$0" "$@" > /dev/full`, ['show', file('good.tar.zst')]);
    expect(stderr).toMatch(/^tidemark: write the result to standard output: no space left on the device\n {2}hint: /);
    expect(code).toBe(exitCodes.DISK_FULL);
  });

  test('under the file', async () => {
    const { stdout, stderr, code, full } = await onSmallDisk(16, ['snapshot', '-d', source.url, '-f', file('directory/x.tar.zst')]);
    expect(stderr).toMatch(/^tidemark: write [^\n]+: [^\n]+\n {2}hint: /);
    expect(code).toBe(full);
    expect(stdout).toBe('');
  });

  test('under rows that do not fit into memory', async () => {
    await using wide = await createDatabase();
    await wide.run(`CREATE TABLE t AS SELECT repeat('0123456789', 3000000) AS x`);
    const { stdout, stderr, code, full } = await onSmallDisk(16 << 10, ['snapshot', '-d', wide.url, '-f', file('directory/x.tar.zst')]);
    expect(stderr).toMatch(/^tidemark: write a large row to [^\n]+: [^\n]+\n {2}hint: /);
    expect(code).toBe(full);
    expect(stdout).toBe('');
  });

  test('where rows that do not fit into memory would go', async () => {
    const args = ['snapshot', '-d', source.url, '-f', '-'];
    const { stderr, exitCode } = await runCli(args, { env: { TMPDIR: file('no/such/directory') } });
    expect(stderr).toMatch(/^tidemark: find room for large rows in [^\n]+: the directory does not exist\n {2}hint: /);
    expect(exitCode).toBe(exitCodes.FILE_ERROR);
  });
});

/** Runs the command where `directory` has so many kB, and prints what is left in there. `full` is the exit code to expect. */
async function onSmallDisk(kB: number, args: readonly string[]) {
  const unshared = await run('unshare', ['-rm', 'true']).then(
    () => true,
    () => false,
  );
  const mount = `mount -t tmpfs -o size=${kB}k none "$DIR" && { "$0" "$@"; code=$?; ls -A "$DIR"; exit $code; }`;
  // Where nothing may be mounted the limit on the size of a file stands in: the system then says EFBIG.
  const limit = `ulimit -f ${Math.ceil(kB / 2)}; trap "" XFSZ; "$0" "$@"; code=$?; ls -A "$DIR"; exit $code`;
  const result = await shell(unshared ? mount : limit, args, { unshared, env: { DIR: file('directory') } });
  return { ...result, full: unshared ? exitCodes.DISK_FULL : exitCodes.FILE_ERROR };
}

/** Runs the command within a shell script, in which it is `"$0" "$@"`. */
async function shell(
  script: string,
  args: readonly string[],
  { unshared = false, env = {} }: { readonly unshared?: boolean; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<{ stdout: string; stderr: string; code: number | null }> {
  const command = ['sh', '-c', script, process.execPath, mainPath, ...args];
  const [program = '', ...rest] = unshared ? ['unshare', '-rm', ...command] : command;
  try {
    const { stdout, stderr } = await run(program, rest, { env: { PATH: process.env.PATH, HOME: '/nonexistent', ...env } });
    return { stdout, stderr, code: 0 };
  } catch (error) {
    const { stdout, stderr, code } = error as { stdout: string; stderr: string; code: number };
    return { stdout, stderr, code };
  }
}
