// System 5: an in-memory database's save rules, its SAVE, BGSAVE and BACKUP, on the counters of the server.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { restoreSnapshot, TidemarkError, verifySnapshot } from '#dist/index.js';
import { presets } from '#dist/rules/index.js';
import { createDatabase } from '../server/index.js';
import { created, Host } from './host.js';

const schema = 'CREATE TABLE entries (key int PRIMARY KEY, value text)';
const minute = 60_000;
/** {900 s, 1 change}, {300 s, 10 changes}, {60 s, 10,000 changes}, with numbers that the server's own changes do not come near. */
const rules = [
  { by: 'changes', changes: 1000n, after: 15 * minute },
  { by: 'changes', changes: 3000n, after: 5 * minute },
  { by: 'changes', changes: 10_000n, after: minute },
] as const;
const memory = { prefix: 'dump', rules, retention: { last: 'all' } } as const;

const write = (host: Host, from: number, count: number): Promise<void> =>
  host.counted(`INSERT INTO entries SELECT g, 'x' FROM generate_series(${from}, ${from + count - 1}) AS g`, { changes: count });

const ago = (ms: number): Date => new Date(Date.now() - ms);

test('any of the save rules saves: enough changes, and enough time; each save takes off what it covered', async () => {
  await using host = await Host.start(schema);
  const { scheduler, events } = host.scheduler(memory);
  const taken = async (): Promise<number> => {
    await scheduler.look();
    return created(events).length;
  };
  expect(await taken()).toBe(1);
  const newest = (): string => events.of('created').at(-1)?.snapshot.id ?? '';
  await write(host, 0, 1500);
  expect(await taken()).toBe(1);
  await host.date(newest(), ago(6 * minute));
  expect(await taken()).toBe(1);
  await host.date(newest(), ago(16 * minute));
  expect(await taken()).toBe(2);
  await host.date(newest(), ago(16 * minute));
  expect(await taken()).toBe(2);
  await write(host, 2000, 3500);
  await host.date(newest(), ago(4 * minute));
  expect(await taken()).toBe(2);
  await host.date(newest(), ago(6 * minute));
  expect(await taken()).toBe(3);
  await write(host, 10_000, 10_500);
  expect(await taken()).toBe(3);
  await host.date(newest(), ago(minute));
  expect(await taken()).toBe(4);
  expect(events.of('creating').map(({ reason }) => reason.replace(/\d+ changes since/, 'N changes since'))).toEqual([
    'there is no good snapshot yet',
    ...['after 15 min if 1000 rows have changed', 'after 5 min if 3000 rows have changed', 'after 1 min if 10000 rows have changed'].map(
      (rule, i) => `${rule}: N changes since the last snapshot, at least ${[15, 5, 1][i]} min ago`,
    ),
  ]);
});

test('a save that fails takes nothing off', async () => {
  await using host = await Host.start(schema);
  const one = { rules: [{ by: 'changes', changes: 5000n, after: 1 }], retry: { ms: 1 } } as const;
  const { scheduler, events } = host.scheduler({ ...memory, rules: one, snapshot: { lockTimeoutMs: 50 } });
  await scheduler.look();
  await write(host, 0, 3000);
  const blocker = await host.db.connect();
  await blocker.query('BEGIN; LOCK TABLE entries IN ACCESS EXCLUSIVE MODE');
  await expect(scheduler.snapshotNow()).rejects.toMatchObject({ code: 'LOCK_TIMEOUT' });
  await blocker.query('ROLLBACK');
  await blocker.end();
  await scheduler.look();
  expect(created(events)).toHaveLength(1);
  await write(host, 3000, 2000);
  await scheduler.look();
  expect(created(events)).toHaveLength(2);
  await scheduler.look();
  expect(created(events)).toHaveLength(2);
  expect(events.of('trouble')).toEqual([]);
  expect((await scheduler.status()).failures).toMatchObject({ total: 1, inARow: 0 });
});

test('SAVE is waited for, BGSAVE is not and is one at a time, BACKUP goes where it is told; the last is at the end', async () => {
  await using host = await Host.start(schema);
  const { scheduler, events } = host.scheduler({ ...memory, retention: presets.memory.retention, rules: presets.memory.schedule });
  await scheduler.look();
  await write(host, 0, 10);
  const saved = await scheduler.snapshotNow();
  expect(saved.verification).toMatchObject({ rows: 10n });
  const done = events.next('created');
  expect(scheduler.requestSnapshot()).toEqual({ started: true });
  expect(scheduler.requestSnapshot()).toMatchObject({ started: false });
  await done;
  await scheduler.look();
  expect(scheduler.requestSnapshot()).toEqual({ started: true });
  const file = join(host.store, '..', 'backup.tar.zst');
  expect(await scheduler.backup(file)).toMatchObject({ file });
  await verifySnapshot({ file });
  await expect(scheduler.backup(join(host.store, 'nowhere', 'backup.tar.zst'))).rejects.toMatchObject({ code: 'FILE_ERROR' });
  expect(await host.archives()).toHaveLength(1);
  await write(host, 10, 1);
  await scheduler.close();
  await using target = await createDatabase();
  const [archive = ''] = await host.archives();
  await restoreSnapshot({ file: join(host.store, archive), database: target.url, jobs: 1 });
  expect(await target.query('SELECT count(*)::int AS n FROM entries')).toEqual([{ n: 11 }]);
});

test('at the end: nothing where nothing has moved, and nothing where it is not asked for', async () => {
  await using host = await Host.start(schema);
  const first = host.scheduler({ ...memory, rules: { rules, atShutdown: true } });
  await first.scheduler.look();
  await write(host, 0, 1);
  await first.scheduler.close({ final: false });
  expect(created(first.events)).toHaveLength(1);
  const second = host.scheduler(memory);
  await second.scheduler.close({ final: true });
  expect(created(second.events)).toHaveLength(1);
  const third = host.scheduler(memory);
  await third.scheduler.look();
  await third.scheduler.close();
  expect(created(third.events)).toEqual([]);
});

test.each([
  ['changes', { changes: 0n, after: minute }],
  ['seconds', { changes: 1n, after: 0 }],
])('zero %s in a rule is refused', async (_, numbers) => {
  await using host = await Host.start('');
  const make = (): unknown => host.scheduler({ ...memory, rules: [{ by: 'changes', ...numbers }] });
  expect(make).toThrow(TidemarkError);
  expect(make).toThrow(/every moment would be due/);
});

test('a listener that fails later ends neither the snapshot nor the process', async () => {
  await using host = await Host.start(schema);
  const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
  const { scheduler } = host.scheduler({
    ...memory,
    onEvent: async () => {
      throw new Error('of an async host');
    },
  });
  await scheduler.look();
  expect(await host.archives()).toHaveLength(1);
  expect(await warned).toMatchObject({ message: 'of an async host' });
});

test('a time between looks, or a lease, that no timer keeps is refused', async () => {
  await using host = await Host.start('');
  expect(() => host.scheduler({ ...memory, lookEveryMs: 2 ** 31 })).toThrow(/lookEveryMs must be/);
  expect(() => host.scheduler({ ...memory, leaseMs: 0 })).toThrow(/leaseMs must be/);
});
