// Restores with `tune` on servers of their own, since server settings are everybody's: what is set meanwhile, and that all is put back,
// however the restore ends. Which values are chosen is test/restore/tuning's.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RestoreOptions, restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import { untuneServer } from '#dist/app/restore/untune-server.js';
import { runCli, startCli } from '../../cli/run-cli.js';
import {
  createDatabase,
  createRole,
  eventually,
  startServer,
  type TestDatabase,
  type TestServer,
  type Version,
} from '../../server/index.js';
import { automaticEntries, closeGate, type Gate, makeTuneSample, seenIn, type TuneSample } from './tune-sample.js';

let sample: TuneSample;
beforeAll(async () => {
  sample = await makeTuneSample();
});
afterAll(() => sample[Symbol.asyncDispose]());

const tuned = { autovacuum: 'off', checkpoint_timeout: '3600', max_wal_size: '2048' };

describe.each<Version>([14, 18])('on PostgreSQL %i', (version) => {
  let server: TestServer;
  let before: readonly string[];
  beforeAll(async () => {
    server = await startServer({ version });
    await using db = await createDatabase({ server: server.url });
    await db.query(`ALTER SYSTEM SET work_mem = '5MB'`);
    await db.query(`ALTER SYSTEM SET max_wal_size = '1GB'`);
    await db.query('SELECT pg_reload_conf()');
    before = await automaticEntries(server);
  });
  afterAll(() => server.stop());

  const newTarget = (): Promise<TestDatabase> => createDatabase({ server: server.url });

  interface Restored {
    readonly ended: Promise<unknown>;
    readonly notices: string[];
  }

  function restore(target: TestDatabase, more: Partial<RestoreOptions> = {}): Restored {
    const notices: string[] = [];
    const ended = restoreSnapshot({
      database: target.url,
      file: sample.file,
      jobs: 2,
      tune: true,
      ...more,
      onEvent: (event) => {
        // Archives of another version are told of, too.
        if (event.type === 'notice' && !event.message.startsWith('the archive comes from')) notices.push(event.message);
        more.onEvent?.(event);
      },
    });
    ended.catch(() => undefined);
    return { ended, notices };
  }

  /** A restore in a process of its own that is killed before the gate. */
  async function killed(target: TestDatabase): Promise<void> {
    await using gate = await closeGate(target);
    const options = JSON.stringify({ database: target.url, file: sample.file, jobs: 2, tune: true });
    const victim = spawn(process.execPath, [fileURLToPath(new URL('restore-victim.mjs', import.meta.url)), options], { stdio: 'inherit' });
    const exit = once(victim, 'exit');
    await gate.reached();
    victim.kill('SIGKILL');
    await exit;
    await eventually('the server has noticed', async () => (await target.query(tuneSessions)).length === 0);
  }

  const tuneSessions = `SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'tidemark tune%'`;

  /** A restore that stands before the gate. */
  async function standing(target: TestDatabase, more: Partial<RestoreOptions> = {}): Promise<Restored & { readonly gate: Gate }> {
    const gate = await closeGate(target);
    const restored = restore(target, more);
    await Promise.race([gate.reached(), restored.ended]);
    return { ...restored, gate };
  }

  test('settings are set for its time, and what stood before stands again', async () => {
    await using target = await newTarget();
    const { ended, notices } = restore(target);
    await ended;
    expect(await seenIn(target)).toMatchObject(tuned);
    expect(notices).toContainEqual(
      expect.stringContaining('max_wal_size 1024MB -> 2048MB, checkpoint_timeout 300s -> 3600s, autovacuum on -> off'),
    );
    expect(await automaticEntries(server)).toEqual(before);
    expect(await target.query('SELECT setting FROM pg_settings WHERE name = ANY ($1) ORDER BY name', [Object.keys(tuned)])).toEqual([
      { setting: 'on' },
      { setting: '300' },
      { setting: '1024' },
    ]);
    expect(await target.query(tuneSessions)).toEqual([]);
  });

  test('without it nothing is set', async () => {
    await using target = await newTarget();
    await restore(target, { tune: false }).ended;
    expect(await seenIn(target)).toMatchObject({ autovacuum: 'on', checkpoint_timeout: '300', max_wal_size: '1024' });
  });

  test('a session that works alone may have parallel workers', async () => {
    await using target = await newTarget();
    await restore(target, { jobs: 1 }).ended;
    expect(await seenIn(target)).toMatchObject({ max_parallel_maintenance_workers: '4', maintenance_work_mem: String(256 * 1024) });
  });

  test('a failure in the middle puts them back', async () => {
    await using target = await newTarget();
    await target.run(`ALTER DATABASE "${target.name}" SET test.fails = 'on'`);
    const { ended, notices } = restore(target);
    await expect(ended).rejects.toMatchObject({ code: 'RESTORE_FAILED', message: expect.stringContaining('marked incomplete') });
    expect(notices).toContainEqual(expect.stringContaining('for the time of the restore'));
    expect(await automaticEntries(server)).toEqual(before);
  });

  test('an abort puts them back', async () => {
    await using target = await newTarget();
    const stop = new AbortController();
    const { ended, gate } = await standing(target, { signal: stop.signal });
    await using _ = gate;
    expect(await automaticEntries(server)).not.toEqual(before);
    stop.abort();
    await expect(ended).rejects.toThrow();
    expect(await automaticEntries(server)).toEqual(before);
    expect(await target.query(tuneSessions)).toEqual([]);
  });

  test('SIGTERM to the command puts them back', async () => {
    await using target = await newTarget();
    await using gate = await closeGate(target);
    const cli = startCli(['restore', sample.file, '-d', target.url, '--tune']);
    await gate.reached();
    cli.child.kill('SIGTERM');
    expect(await cli.ended).toMatchObject({ exitCode: 143 });
    expect(await automaticEntries(server)).toEqual(before);
  });

  test('after kill -9: untune puts them back, once', async () => {
    await using target = await newTarget();
    await killed(target);
    expect(await automaticEntries(server)).toContain("max_wal_size = '2048MB'");
    const { stdout, exitCode } = await runCli(['untune', '-d', target.url]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('put back: max_wal_size set to 1GB, checkpoint_timeout reset, autovacuum reset');
    expect(await automaticEntries(server)).toEqual(before);
    expect(await untuneServer({ database: target.url })).toBeUndefined();
    expect((await runCli(['untune', '-d', target.url])).stdout).toBe('no server setting was left tuned\n');
  });

  test('after kill -9: another restore says so, a tuned one puts them back before it sets its own', async () => {
    await using target = await newTarget();
    await killed(target);
    await using second = await newTarget();
    const plain = restore(second, { tune: false });
    await plain.ended;
    expect(plain.notices).toEqual([expect.stringMatching(/did not end: put them back with tidemark untune$/)]);
    expect(await automaticEntries(server)).not.toEqual(before);
    const { ended, notices } = restore(target);
    await ended;
    expect(notices).toContainEqual(
      expect.stringMatching(/did not end: put back: max_wal_size set to 1GB, checkpoint_timeout reset, autovacuum reset$/),
    );
    expect(await seenIn(target)).toMatchObject(tuned);
    expect(await automaticEntries(server)).toEqual(before);
  });

  test('after kill -9: the page says how to put them back with SQL alone', async () => {
    await using target = await newTarget();
    await killed(target);
    const page = await readFile(new URL('../../../docs/tune.md', import.meta.url), 'utf8');
    const [, sql = ''] = /```sql\n([\s\S]*?)```/.exec(page) ?? [];
    for (const statement of sql.split(/;.*\n/)) if (statement.trim() !== '') await target.query(statement);
    expect(await automaticEntries(server)).toEqual(before);
    expect(await untuneServer({ database: target.url })).toBeUndefined();
  });

  test('what somebody else sets meanwhile stays', async () => {
    await using target = await newTarget();
    const { ended, notices, gate } = await standing(target);
    await using _ = gate;
    await target.query(`ALTER SYSTEM SET checkpoint_timeout = '20min'`);
    await target.query('ALTER SYSTEM RESET max_wal_size');
    await gate.open();
    await ended;
    expect(notices).toContain('left as somebody has set them meanwhile: max_wal_size, checkpoint_timeout');
    expect(await automaticEntries(server)).toEqual(
      [...before.filter((line) => !line.startsWith('max_wal_size')), "checkpoint_timeout = '20min'"].toSorted(),
    );
    await target.query('ALTER SYSTEM RESET checkpoint_timeout');
    await target.query(`ALTER SYSTEM SET max_wal_size = '1GB'`);
    await target.query('SELECT pg_reload_conf()');
  });

  test('two at once: the second joins, the last one puts back what stood before the first', async () => {
    await using one = await newTarget();
    await using other = await newTarget();
    const first = await standing(one);
    await using _ = first.gate;
    const second = await standing(other);
    await using __ = second.gate;
    expect(second.notices).toEqual([
      expect.stringMatching(/^server settings are tuned already, since .*: the restore that ends last puts them back$/),
    ]);
    await first.gate.open();
    await first.ended;
    expect(first.notices.at(-1)).toMatch(
      /^server settings stay tuned for another restore \(session \d+ from 127.0.0.1 since .*\), which puts them back$/,
    );
    expect(await automaticEntries(server)).not.toEqual(before);
    await expect(untuneServer({ database: one.url })).rejects.toMatchObject({ code: 'LOCKED', hint: expect.stringContaining('--force') });
    await second.gate.open();
    await second.ended;
    expect(await automaticEntries(server)).toEqual(before);
  });

  test('untune --force puts them back under a restore, which goes on', async () => {
    await using target = await newTarget();
    const { ended, notices, gate } = await standing(target);
    await using _ = gate;
    expect(await untuneServer({ database: target.url, force: true })).toMatchObject({ left: [], settings: { length: 3 } });
    expect(await automaticEntries(server)).toEqual(before);
    await gate.open();
    await ended;
    expect(notices).toHaveLength(1);
    expect(await automaticEntries(server)).toEqual(before);
  });

  test('a restore whose tuning session was ended puts them back all the same', async () => {
    await using target = await newTarget();
    const { ended, gate } = await standing(target);
    await using _ = gate;
    await target.query(`SELECT pg_terminate_backend(pid, 5000) FROM (${tuneSessions}) AS those`);
    await gate.open();
    await ended;
    expect(await automaticEntries(server)).toEqual(before);
  });

  test('a swap is tuned and put back, too', async () => {
    await using target = await newTarget();
    const { ended } = restore(target, { swap: true });
    await ended;
    expect(await seenIn(target)).toMatchObject(tuned);
    expect(await automaticEntries(server)).toEqual(before);
  });

  test('a role without the privileges tunes its sessions, and says what it leaves', async () => {
    await using role = await createRole({ server: server.url });
    await using target = await newTarget();
    await target.run(`ALTER DATABASE "${target.name}" OWNER TO "${role.name}"`);
    const { ended, notices } = restore(target, { database: role.as(target.url), noOwner: true });
    await ended;
    expect(notices.filter((notice) => notice.startsWith('server settings'))).toEqual([
      `server settings are not tuned: role ${role.name} is no superuser and has no ALTER SYSTEM on tidemark.tuned and no EXECUTE on pg_reload_conf(); the sessions are`,
    ]);
    expect(await automaticEntries(server)).toEqual(before);
  });
});
