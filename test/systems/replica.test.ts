// System 3: a replicated store. Its streams' sequences lie in each snapshot, and of its nodes one takes each.
import { afterEach, expect, test, vi } from 'vitest';
import { bootstrap, listSnapshots } from '#dist/index.js';
import { createDatabase } from '../server/index.js';
import { created, Host } from './host.js';

const schema = `CREATE TABLE streams (name text PRIMARY KEY, sequence bigint NOT NULL); CREATE TABLE items (n int);
  INSERT INTO streams VALUES ('txs', 100), ('receipts', 7)`;
const position = { streamsQuery: 'SELECT name, sequence FROM streams' };
const replica = {
  prefix: 'node',
  rules: { rules: [{ by: 'stream', stream: 'txs', every: 50n }], atShutdown: true },
  retention: { last: 3 },
  position,
} as const;

const advance = (host: Host, sequence: number): Promise<void> =>
  host.db.run(`UPDATE streams SET sequence = ${sequence} WHERE name = 'txs'; INSERT INTO items VALUES (${sequence})`);

afterEach(() => void vi.useRealTimers());

test('of three nodes one takes each snapshot, whether streams or commits say so, and one of them the last at the end', async () => {
  await using host = await Host.start(schema);
  const rules = [...replica.rules.rules, { by: 'commits', every: 200n }] as const;
  const nodes = [1, 2, 3].map(() => host.scheduler({ ...replica, rules: { ...replica.rules, rules }, retention: { last: 'all' } }));
  const look = async (): Promise<string[]> => {
    await Promise.all(nodes.map(({ scheduler }) => scheduler.look()));
    return created(...nodes.map(({ events }) => events));
  };
  expect(await look()).toHaveLength(1);
  for (const [round, sequence] of [151, 210].entries()) {
    await advance(host, sequence);
    await look();
    expect(await look()).toHaveLength(round + 2);
  }
  const one = await host.db.connect();
  await host.counted(`DO $$ BEGIN FOR i IN 1..250 LOOP UPDATE items SET n = n; COMMIT; END LOOP; END $$`, { commits: 250 });
  await one.end();
  await look();
  expect(await look()).toHaveLength(4);
  await advance(host, 211);
  await Promise.all(nodes.map(({ scheduler }) => scheduler.close()));
  expect(created(...nodes.map(({ events }) => events))).toHaveLength(5);
  expect(nodes.flatMap(({ events }) => [...events.of('failed'), ...events.of('trouble')])).toEqual([]);
  const { snapshots } = await listSnapshots({ store: host.store, prefix: 'node' });
  expect(snapshots.map(({ position: { streams } }) => streams)).toEqual(
    [211n, 210n, 210n, 151n, 100n].map((txs) => ({ txs, receipts: 7n })),
  );
});

test('while one is under way the others stand back, and say who has it', async () => {
  await using host = await Host.start(schema);
  const [one, other] = [host.scheduler(replica), host.scheduler(replica)];
  await one.scheduler.look();
  await other.scheduler.look();
  await advance(host, 150);
  const blocker = await host.db.connect();
  await blocker.query('BEGIN; LOCK TABLE items IN ACCESS EXCLUSIVE MODE');
  const creating = one.events.next('creating');
  const taken = one.scheduler.look();
  await creating;
  await other.scheduler.look();
  expect(other.events.of('stood-back').at(-1)).toMatchObject({ reason: expect.stringContaining('tidemark lock') });
  await expect(other.scheduler.snapshotNow()).rejects.toMatchObject({ code: 'LOCKED' });
  await other.scheduler.close();
  await blocker.query('ROLLBACK');
  await blocker.end();
  await taken;
  expect(created(one.events, other.events)).toHaveLength(2);
});

test('a node that gives up what it is doing takes its last snapshot all the same', async () => {
  await using host = await Host.start(schema);
  const { scheduler, events } = host.scheduler(replica);
  await scheduler.look();
  await scheduler.look();
  await advance(host, 101);
  await scheduler.close({ abort: true });
  expect(created(events)).toHaveLength(2);
});

test('a node goes on warm where the streams still hold what it needs, and restores where they do not', async () => {
  await using host = await Host.start(schema);
  const { scheduler } = host.scheduler(replica);
  await scheduler.look();
  await advance(host, 180);
  await scheduler.look();
  await scheduler.close({ final: false });
  await using node = await createDatabase();
  const start = (txs: bigint) =>
    bootstrap({ database: node.url, store: host.store, prefix: 'node', position, available: { txs }, jobs: 1 });
  expect(await start(1n)).toMatchObject({ action: 'restored', state: 'empty', position: { streams: { txs: 180n, receipts: 7n } } });
  await node.run(`UPDATE streams SET sequence = 160 WHERE name = 'txs'`);
  expect(await start(161n)).toMatchObject({ action: 'none', position: { streams: { txs: 160n } } });
  expect(await start(162n)).toMatchObject({ action: 'restored', position: { streams: { txs: 180n } } });
  await expect(start(182n)).rejects.toMatchObject({ code: 'SNAPSHOT_MISSING' });
});

test('a node whose clock is behind the server’s by an hour does not take one at every look', async () => {
  await using host = await Host.start(schema);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 3_600_000 });
  const { scheduler, events } = host.scheduler({ ...replica, rules: [{ by: 'time', every: 60_000 }] });
  for (let look = 0; look < 3; look += 1) await scheduler.look();
  expect(created(events)).toHaveLength(1);
});
