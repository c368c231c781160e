// One of many processes at a time: who gets the lock, how it is lost, and that no two have it.
import { type ChildProcess, fork } from 'node:child_process';
import { on, once } from 'node:events';
import { expect, test } from 'vitest';
import { type HeldLock, type LockOptions, lockKey, takeLock, tryLock } from '#dist/pg/advisory-lock.js';
import { type ConnectionSettings, resolveConnection } from '#dist/pg/settings.js';
import {
  createDatabase,
  createRole,
  eventually,
  patience,
  requestedVersions,
  startServer,
  startStandby,
  type TestDatabase,
} from '../server/index.js';
import { startPooler } from './pooler.js';

const oldest = requestedVersions()[0];
const long: LockOptions = { name: 'a', leaseMs: 60_000 };
const to = ({ url }: Pick<TestDatabase, 'url'>): ConnectionSettings => resolveConnection(url, patience);

function isHeld(lock: Awaited<ReturnType<typeof tryLock>>): lock is HeldLock {
  return !('heldBy' in lock);
}

async function hold(db: Pick<TestDatabase, 'url'>, options = long): Promise<HeldLock> {
  const lock = await tryLock(to(db), options);
  if (!isHeld(lock)) throw new Error(`held by ${lock.heldBy}`);
  return lock;
}

const sessions = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'tidemark lock'`;

test('the number of a lock stays what it is', () => {
  expect(lockKey('a')).toBe(-7405282369446127960n);
  expect(lockKey('a')).not.toBe(lockKey('b'));
});

test.each(requestedVersions())(
  'one has it, the other is told who; after the release it is the other way around, on PostgreSQL %i',
  async (version) => {
    await using db = await createDatabase({ version });
    const first = await hold(db, { ...long, applicationName: 'tidemark node-1' });
    const second = await tryLock(to(db), long);
    expect(second).toEqual({
      heldBy: expect.stringMatching(/^tidemark node-1 at 127\.0\.0\.1 \(server process \d+\) since \d{4}-\d\d-\d\dT[\d:]{8}Z$/),
    });
    await first.check();
    await first.release();
    await using third = await hold(db);
    await third.check();
    expect(first.signal.aborted).toBe(false);
    await expect(first.check()).rejects.toMatchObject({ code: 'LOCK_LOST' });
  },
);

test('nothing is left of a lock, nor of an attempt', async () => {
  await using db = await createDatabase();
  {
    await using _first = await hold(db);
    expect(isHeld(await tryLock(to(db), long))).toBe(false);
    await eventually('one session is left', async () => (await db.query(sessions)).length === 1);
  }
  await eventually('none is left', async () => (await db.query(sessions)).length === 0);
});

test('for whom being second is an error, it is one', async () => {
  await using db = await createDatabase();
  await using _first = await takeLock(to(db), long);
  await expect(takeLock(to(db), long)).rejects.toMatchObject({
    code: 'LOCKED',
    message: expect.stringContaining('it is held by tidemark lock at 127.0.0.1'),
  });
});

test('other names and other databases have other locks', async () => {
  await using db = await createDatabase();
  await using other = await createDatabase();
  await using _a = await hold(db);
  await using _b = await hold(db, { ...long, name: 'b' });
  await using _c = await hold(other);
});

test('of eight at once one gets it, again and again', async () => {
  await using db = await createDatabase();
  for (let round = 0; round < 5; round += 1) {
    const all = await Promise.all(Array.from({ length: 8 }, () => tryLock(to(db), long)));
    const held = all.filter(isHeld);
    expect(held).toHaveLength(1);
    await held[0]?.release();
  }
});

test('a role that may not see other sessions is locked out, too', async () => {
  await using role = await createRole();
  await using db = await createDatabase();
  await using _first = await hold(db);
  expect(await tryLock(resolveConnection(role.as(db.url), patience), long)).toEqual({
    heldBy: expect.stringMatching(/server process \d+/),
  });
});

test.each(requestedVersions())('a session that is ended has lost the lock, on PostgreSQL %i', async (version) => {
  await using db = await createDatabase({ version });
  const first = await hold(db);
  await db.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tidemark lock' AND datname = $1`, [
    db.name,
  ]);
  await (first.signal.aborted || once(first.signal, 'abort'));
  expect(first.signal.reason).toMatchObject({
    code: 'LOCK_LOST',
    message: expect.stringContaining('terminating connection due to administrator command'),
  });
  await expect(first.check()).rejects.toBe(first.signal.reason);
  await using _second = await eventually('the lock is free', () => hold(db));
  await first.release();
});

test.each(requestedVersions())(
  'a holder that is silent past its lease has lost it, and another one gets it, on PostgreSQL %i',
  async (version) => {
    await using db = await createDatabase({ version });
    const first = await hold(db, { name: 'a', leaseMs: 300, heartbeatMs: 600_000 });
    expect(isHeld(await tryLock(to(db), long))).toBe(false);
    await using second = await eventually('the lock is free', () => hold(db));
    await (first.signal.aborted || once(first.signal, 'abort'));
    expect(first.signal.reason).toMatchObject({ code: 'LOCK_LOST' });
    await second.check();
    await first.release();
  },
);

test('a holder that speaks keeps it past its lease', async () => {
  await using db = await createDatabase();
  await using first = await hold(db, { name: 'a', leaseMs: 3000, heartbeatMs: 50 });
  const before = await changedAt(db);
  await eventually('it has spoken for longer than a lease', async () => (await changedAt(db)) - before > 3500);
  await first.check();
});

/** When the holder's session said something last, in ms. */
async function changedAt(db: TestDatabase): Promise<number> {
  const rows = await db.query<{ ms: number }>(
    `SELECT extract(epoch FROM state_change)::float * 1000 AS ms FROM pg_stat_activity WHERE pid IN (${sessions})`,
  );
  return Number(rows[0]?.ms);
}

/** A holder in a process of its own; `told` gives what it says, one message at a time. */
async function startHolder(
  db: TestDatabase,
  options: LockOptions,
): Promise<{ child: ChildProcess; told: () => Promise<unknown> } & AsyncDisposable> {
  const argument = JSON.stringify({ connection: to(db), options });
  const child = fork(new URL('lock-holder.mjs', import.meta.url), [argument], { stdio: 'inherit' });
  const exit = once(child, 'exit');
  const messages = on(child, 'message', { close: ['exit'] });
  const told = async (): Promise<unknown> => (await messages.next()).value?.[0];
  expect(await told()).toEqual({});
  return {
    child,
    told,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await exit;
    },
  };
}

test('a process that is stopped past its lease knows it when it goes on, and another one has the lock', async () => {
  await using db = await createDatabase();
  await using holder = await startHolder(db, { name: 'a', leaseMs: 1000 });
  holder.child.kill('SIGSTOP');
  await using second = await eventually('the lock is free', () => hold(db));
  holder.child.kill('SIGCONT');
  expect(await holder.told()).toEqual({ code: 'LOCK_LOST' });
  await second.check();
});

test('a process that is killed has let go of it', async () => {
  await using db = await createDatabase();
  await using holder = await startHolder(db, long);
  holder.child.kill('SIGKILL');
  await using _second = await eventually('the lock is free', () => hold(db));
});

test('a standby has locks, of its own', { timeout: 120_000 }, async () => {
  await using primary = await startServer(oldest === undefined ? {} : { version: oldest });
  await using standby = await startStandby(primary);
  await using _first = await hold(standby);
  expect(isHeld(await tryLock(to(standby), long))).toBe(false);
  await using _other = await hold(primary);
});

const through = (server: Pick<TestDatabase, 'url'>, port: number): ConnectionSettings => ({
  ...to(server),
  host: '127.0.0.1',
  port,
  sslmode: 'disable',
});

test('a pooler that shares sessions is refused; with one that does not the lock is lost when it clears the session', async () => {
  await using server = await startServer();
  {
    await using pooler = await startPooler(server.url, 'transaction');
    await expect(tryLock(through(server, pooler.port), long)).rejects.toMatchObject({
      code: 'SERVER_UNSUPPORTED',
      hint: expect.stringContaining('session mode'),
    });
  }
  await using pooler = await startPooler(server.url, 'session');
  const lock = await takeLock(through(server, pooler.port), long);
  await lock.check();
  pooler.say('DISCARD ALL');
  await expect(lock.check()).rejects.toMatchObject({ code: 'LOCK_LOST', message: expect.stringContaining('somebody has unlocked it') });
  await lock.release();
});

test.each([0, -1, 1.5, Number.NaN, 2 ** 31])('a lease of %d is refused', async (leaseMs) => {
  await expect(tryLock(to({ url: 'postgres://nowhere.invalid/x' }), { name: 'a', leaseMs })).rejects.toMatchObject({ code: 'USAGE' });
});

test('an attempt can be given up; a lock that is held outlives the signal', async () => {
  await using db = await createDatabase();
  const reason = new Error('no more');
  await expect(tryLock(to(db), { ...long, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  const later = new AbortController();
  await using lock = await hold(db, { ...long, signal: later.signal });
  later.abort(reason);
  await lock.check();
});
