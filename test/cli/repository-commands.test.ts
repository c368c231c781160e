// The commands for a store of snapshots: what they print for people and for programs, and their exit codes.
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Repository } from '#dist/app/repository/repository.js';
import { takeSnapshot } from '#dist/app/snapshot/take-snapshot.js';
import { takeLock } from '#dist/pg/advisory-lock.js';
import { resolveConnection } from '#dist/pg/settings.js';
import { fillStore } from '../app/repository/fill-store.js';
import { createDatabase, patience } from '../server/index.js';
import { temporaryDirectory } from '../temporary-directory.js';
import { jsonLines, runCli } from './run-cli.js';

const hour = 3_600_000;

/** Snapshots of heights 100, 200, ... 500, an hour apart, the newest ten hours and a half old: whatever a test takes, it stays ten. */
async function storeOfFive() {
  const folder = await temporaryDirectory();
  const heights = [100n, 200n, 300n, 400n, 500n];
  const at = (height: bigint) => new Date(Date.now() - (10.5 + (500 - Number(height)) / 100) * hour);
  await fillStore(folder.path, Object.fromEntries(heights.map((height) => [`s-${height}`, { height, lsn: height, at: at(height) }])));
  await writeFile(join(folder.path, 's-7.tar.zst'), 'of another program');
  const place = ['--store', folder.path, '--prefix', 's'];
  const tidemark = (...args: string[]) => runCli([...args, ...place]);
  return Object.assign(folder, { tidemark });
}

/** A line's cells. */
const cells = (line: string | undefined): string[] => (line ?? '').split(/ {2,}/).filter((cell) => cell !== '');
const heads = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '')
    .filter((word) => word.startsWith('s-'));

describe('list', () => {
  test('newest first, with ages and sizes in words, and what does not count', async () => {
    await using store = await storeOfFive();
    await store.tidemark('pin', 's-200', '--note', 'vor \u001b[31m Ümzug');
    const { stdout, stderr, exitCode } = await store.tidemark('list');
    expect([stderr, exitCode]).toEqual(['', 0]);
    expect(stdout).not.toContain('\u001b');
    const lines = stdout.split('\n');
    expect(cells(lines[0])).toEqual(['snapshot', 'height', 'taken', 'age', 'size', 'rows', 'reasons']);
    expect(heads(stdout)).toEqual(['s-500', 's-400', 's-300', 's-200', 's-100', 's-7']);
    expect(cells(lines[1])).toEqual(['s-500', '500', expect.stringMatching(/^\d{4}-.* UTC$/), '10 hours', '1.2 kB', '5,000']);
    expect(cells(lines[4])?.at(-1)).toBe('pinned: vor \\u001b[31m Ümzug');
    expect(stdout).toContain('not verified: neither counted nor removed (1 archive)\n');
    expect(cells(lines.at(-2))).toEqual(['s-7', '18 B', 'it has not been verified yet']);
  });

  test('for programs', async () => {
    await using store = await storeOfFive();
    const { stdout } = await store.tidemark('list', '--json');
    const [listed] = jsonLines(stdout);
    expect(listed).toMatchObject({
      type: 'list',
      store: store.path,
      prefix: 's',
      snapshots: [{ id: 's-500', bytes: '1234', position: { height: '500', lsn: '0/1F4' } }, {}, {}, {}, {}],
      unknown: [{ id: 's-7', bytes: '18' }],
    });
  });

  test('a store that is not there has none', async () => {
    const { stdout, exitCode } = await runCli(['list', '--store', '/nowhere/at/all']);
    expect([stdout, exitCode]).toEqual(['no verified snapshots in /nowhere/at/all\n', 0]);
  });
});

describe('prune', () => {
  test('a dry run prints what a run prints, and removes nothing', async () => {
    await using store = await storeOfFive();
    await store.tidemark('pin', 's-100');
    const before = await readdir(store.path);
    const dry = await store.tidemark('prune', '--keep-last', '1', '--keep-heights', '250', '--dry-run');
    expect([dry.stderr, dry.exitCode]).toEqual(['', 0]);
    expect(await readdir(store.path)).toEqual(before);
    const run = await store.tidemark('prune', '-l1', '--keep-heights=250:all');
    expect(run.stdout).toBe(dry.stdout.replace('would remove', 'removed'));
    const [keep = '', removed = ''] = run.stdout.split('\n\n');
    expect(keep).toContain('keep 4 snapshots:\n');
    expect(heads(keep)).toEqual(['s-500', 's-400', 's-200', 's-100']);
    expect(keep).toMatch(/s-500.*last snapshot\n +250 heights snapshot\n/);
    expect(keep).toMatch(/s-100.*pinned/);
    expect(removed).toContain('removed 1 snapshot, 1.2 kB:\n');
    expect(heads(removed)).toEqual(['s-300']);
    const left = (await readdir(store.path)).filter((name) => name.endsWith('.tar.zst'));
    expect(left.sort()).toEqual(['s-100.tar.zst', 's-200.tar.zst', 's-400.tar.zst', 's-500.tar.zst', 's-7.tar.zst']);
  });

  test('for programs', async () => {
    await using store = await storeOfFive();
    const { stdout } = await store.tidemark('prune', '--json', '-n', '--keep-within', '1h30min');
    expect(jsonLines(stdout)).toMatchObject([
      {
        type: 'prune',
        dryRun: true,
        keep: [{ snapshot: { id: 's-500' }, reasons: ['within 90 min'] }, { snapshot: { id: 's-400' } }],
        removed: [{ id: 's-300' }, { id: 's-200' }, { id: 's-100' }],
        unknown: [{ id: 's-7' }],
      },
    ]);
  });

  test.each([
    [[], 'nothing says which to keep'],
    [['--time-zone', 'Europe/Berlin'], 'nothing says which to keep'],
    [['--keep-last', '0'], 'last is 0'],
    [['--keep-daily=all', '--time-zone', 'Mars/Olympus'], 'Mars/Olympus'],
    [['--keep-heights', '0'], 'a stretch of 0 heights'],
    [['--keep-last', '-1'], ''],
    [['--keep-within', '1m'], '"m" may be minutes or months'],
    [['--keep-within', '1fortnight'], 'It must be a duration'],
    [['--keep-heights', '5:'], 'It must be a length'],
  ])('%j is refused, and nothing goes', async (args, why) => {
    await using store = await storeOfFive();
    const before = await readdir(store.path);
    const { stdout, stderr, exitCode } = await store.tidemark('prune', ...args);
    expect([stdout, exitCode]).toEqual(['', 2]);
    expect(stderr).toContain(why);
    expect(await readdir(store.path)).toEqual(before);
  });
});

describe('pin and unpin', () => {
  test('are remembered, printed and taken back', async () => {
    await using store = await storeOfFive();
    expect(await store.tidemark('pin', 's-300', '--note', 'why')).toMatchObject({ stdout: 's-300: pinned: why\n', exitCode: 0 });
    expect(jsonLines((await store.tidemark('pin', 's-300.tar.zst', '--json')).stdout)).toMatchObject([
      { type: 'pin', snapshot: { id: 's-300', pinned: '' } },
    ]);
    expect((await store.tidemark('unpin', 's-300')).stdout).toBe('s-300: not pinned\n');
    const [unpinned] = jsonLines((await store.tidemark('unpin', 's-300', '--json')).stdout);
    expect(unpinned?.snapshot).not.toHaveProperty('pinned');
  });

  test.each([
    ['s-301', 'there is none of that name'],
    ['s-7', 'it has not been verified yet'],
    ['../s-300', 'there is none of that name'],
  ])('%s is refused', async (id, why) => {
    await using store = await storeOfFive();
    const { stderr, exitCode } = await store.tidemark('pin', id);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(why)]);
  });
});

describe('status without a configuration', () => {
  test('is healthy with a good snapshot, and not with one that is older than it may be', async () => {
    await using store = await storeOfFive();
    const good = await store.tidemark('status');
    expect([good.stderr, good.exitCode]).toEqual(['', 0]);
    expect(good.stdout).toContain('healthy       the newest good snapshot, s-500, is 10 hours old\n');
    expect(good.stdout).toContain('not looked at: no database is configured\n');
    const old = await store.tidemark('status', '--max-age', '10h');
    expect(old.exitCode).toBe(10);
    expect(old.stdout).toContain('UNHEALTHY     the newest good snapshot, s-500, is 10 hours old, more than 10 h\n');
    expect(old.stderr).toContain(`tidemark: look at the snapshots s in ${store.path}: the newest good snapshot, s-500`);
  });

  test('for programs: the status on standard output, the error on standard error', async () => {
    await using store = await temporaryDirectory();
    const { stdout, stderr, exitCode } = await runCli(['status', '--json', '--store', store.path]);
    expect(exitCode).toBe(10);
    expect(jsonLines(stdout)).toMatchObject([{ type: 'status', healthy: false, reason: 'there is no good snapshot', snapshots: [] }]);
    expect(jsonLines(stderr)).toMatchObject([{ type: 'error', code: 'SNAPSHOT_STALE', exitCode: 10 }]);
  });

  test('next is refused: there are no rules', async () => {
    await using store = await storeOfFive();
    expect(await store.tidemark('next')).toMatchObject({ exitCode: 2, stdout: '' });
  });
});

describe('with a configuration and its database', () => {
  let db: Awaited<ReturnType<typeof createDatabase>>;
  beforeAll(async () => {
    db = await createDatabase();
    await db.run('CREATE TABLE blocks (height bigint); INSERT INTO blocks VALUES (550)');
  });
  afterAll(async () => {
    await db[Symbol.asyncDispose]();
  });

  async function configured(more: Readonly<Record<string, unknown>> = {}) {
    const store = await storeOfFive();
    const file = join(store.path, 'tidemark.config.json');
    const config = {
      database: db.url,
      store: '.',
      prefix: 's',
      position: { heightQuery: 'SELECT max(height) FROM blocks' },
      rules: [
        { by: 'height', every: 100 },
        { by: 'time', every: '1d' },
      ],
      retention: { last: 2 },
      ...more,
    };
    await writeFile(file, JSON.stringify(config));
    return Object.assign(store, { configured: (...args: string[]) => runCli([...args, '--config', file]) });
  }

  async function atHeight(height: number): Promise<void> {
    await db.query('UPDATE blocks SET height = $1', [height]);
  }

  test('status judges by the height that the database has now', async () => {
    await using store = await configured();
    await atHeight(699);
    const good = await store.configured('status');
    expect([good.stderr, good.exitCode]).toEqual(['', 0]);
    expect(good.stdout).toMatch(/^database {6}height 699, /m);
    expect(good.stdout).toMatch(/^next {10}due: every 100 of height: height 699 has passed 600$/m);
    expect(good.stdout).toMatch(/^ {14}every 1 d: not before .*, in 13 h \d+ min$/m);
    expect(good.stdout).toContain('5 good ones, 6.2 kB; 3 to be pruned\n');
    await atHeight(700);
    const old = await store.configured('status', '--json');
    expect(old.exitCode).toBe(10);
    expect(jsonLines(old.stdout)).toMatchObject([{ healthy: false, position: { height: '700' }, decision: { due: true } }]);
  });

  test('status tells of the newest restore drill', async () => {
    await using store = await configured();
    await atHeight(550);
    const repository = new Repository({ store: store.path, prefix: 's' });
    const drilled = async (id: string, drill: { readonly hour: number; readonly ok: boolean; readonly problem?: string }) => {
      const { hour: at, ...found } = drill;
      await repository.recordDrill(await repository.find(id), { at: new Date(at * hour), durationMs: 12_300, ...found });
      return (await store.configured('status')).stdout;
    };
    expect(await drilled('s-400', { hour: 5, ok: true })).toMatch(
      /^drill {9}s-400 was restored and compared at 1970-01-01 05:00:00 UTC, in 12.3 s$/m,
    );
    expect(await drilled('s-500', { hour: 4, ok: false, problem: 'no' })).toMatch(/^drill {9}s-400 was restored/m);
    expect(await drilled('s-300', { hour: 6, ok: false, problem: 'rows \u001b differ' })).toMatch(
      /^drill {9}s-300 could not be restored at 1970-01-01 06:00:00 UTC, in 12.3 s: rows \\u001b differ$/m,
    );
    expect((await store.configured('list')).stdout).toMatch(/s-500.*FAILED 1970-01-01 04:00:00 UTC/);
  });

  test('status goes on without the database, and says so', async () => {
    await using store = await configured({ database: 'postgres://nobody@127.0.0.1:1/x' });
    const { stdout, exitCode } = await store.configured('status');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/not judged: every 100 of height \(the height is not known\); judged by time only: connect to .*127\.0\.0\.1:1/);
  });

  test('next says how far each mark is', async () => {
    await using store = await configured();
    await atHeight(550);
    const { stdout, stderr, exitCode } = await store.configured('next');
    expect([stderr, exitCode]).toEqual(['', 0]);
    const lines = stdout.split('\n');
    expect(lines.slice(0, 2)).toEqual(['no snapshot is due', '  every 100 of height: height 550, 50 more to 600']);
    expect(lines[2]).toMatch(/^ {2}every 1 d: not before .*Z, in 13 h \d+ min$/);
    expect(lines[3]).toMatch(/^the newest good one is s-500, 10 hours old: height 500, /);
    expect(lines[4]).toMatch(/^the database is at height 550, /);
    const [json] = jsonLines((await store.configured('next', '--json')).stdout);
    expect(json).toMatchObject({ type: 'next', decision: { due: false, next: [{ by: 'height', value: '600' }, { by: 'time' }] } });
  });

  test('list has the reasons of the policy; options win over the file', async () => {
    await using store = await configured();
    const { stdout } = await store.configured('list');
    expect(stdout).toMatch(/s-500.*last snapshot$/m);
    expect(stdout).toMatch(/s-300.*none: the next prune removes it$/m);
    const dry = jsonLines((await store.configured('prune', '--json', '-n', '--keep-last', '4')).stdout);
    expect(dry).toMatchObject([{ removed: [{ id: 's-100' }] }]);
    expect((await store.configured('list', '--prefix', 'other')).stdout).toContain('no verified snapshots in');
  });

  test('prune stands back while another process holds the lock', async () => {
    await using store = await configured();
    {
      await using _ = await takeLock(resolveConnection(db.url, patience), { name: 's', leaseMs: 60_000 });
      expect(await store.configured('prune')).toMatchObject({ exitCode: 9, stdout: '' });
      expect((await store.configured('prune', '-n')).exitCode).toBe(0);
    }
    const { stdout, exitCode } = await store.configured('prune', '--json');
    expect([exitCode, jsonLines(stdout)]).toMatchObject([0, [{ removed: [{ id: 's-300' }, { id: 's-200' }, { id: 's-100' }] }]]);
  });

  test('list --verify makes archives count that are whole', async () => {
    await using store = await configured();
    await takeSnapshot({ database: db.url, file: join(store.path, 's-900.tar.zst'), height: 900n });
    expect(heads((await store.configured('list')).stdout)).toEqual(['s-500', 's-400', 's-300', 's-200', 's-100', 's-7', 's-900']);
    const { stdout } = await store.configured('list', '--verify');
    expect(heads(stdout)).toEqual(['s-900', 's-500', 's-400', 's-300', 's-200', 's-100', 's-7']);
  });
});
