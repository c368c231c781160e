// System 4: a state daemon. `tidemark run` counts commits beside it; after a crash it loads the newest snapshot and replays its log.
import { expect, test } from 'vitest';
import { bootstrap, listSnapshots } from '#dist/index.js';
import { DaemonProcess, startChain } from '../daemon/daemon-process.js';
import { createDatabase } from '../server/index.js';

const every = (commits: number): unknown => [{ by: 'commits', every: commits }];
/** Each block is a commit of its own. */
const commit = (from: number, to: number): string =>
  `DO $$ BEGIN FOR i IN ${from}..${to} LOOP INSERT INTO blocks VALUES (i); COMMIT; END LOOP; END $$`;

test('every so many commits, the three newest; killed, it loads the newest and replays what came after', async () => {
  await using chain = await startChain();
  const settings = { rules: every(300), retention: { last: 3 }, poll: { every: '50ms' } };
  const daemon = await chain.daemon(settings);
  await daemon.line(/^created/, 0);
  for (let round = 0; round < 3; round += 1) {
    const created = daemon.line(/^created/);
    await chain.db.run(commit(round * 400 + 2, round * 400 + 401));
    await created;
  }
  await daemon.line(/^removed chain-1$/, 0);
  daemon.signal('SIGKILL');
  await daemon.ended;
  const store = { store: chain.store, prefix: 'chain' };
  const { snapshots } = await listSnapshots(store);
  expect(snapshots).toHaveLength(3);
  await using recovered = await createDatabase();
  const start = await bootstrap({ ...store, database: recovered.url, jobs: 1 });
  expect(start).toMatchObject({ action: 'restored', height: snapshots[0]?.position.height });
  const from = Number(start.action === 'restored' && start.goOnFrom);
  await recovered.run(commit(from, 1300));
  expect(await recovered.query('SELECT count(*)::int AS n, max(height)::int AS height FROM blocks')).toEqual([{ n: 1300, height: 1300 }]);
  const again = await chain.daemon({ ...settings, database: recovered.url });
  expect(await again.line(/^newest good snapshot/, 0)).toMatchObject({ snapshot: snapshots[0]?.id });
  const removed = again.line(/^removed/);
  await recovered.run(commit(1301, 1700));
  await removed;
  again.signal('SIGTERM');
  expect(await again.ended).toBe(0);
  expect((await listSnapshots(store)).snapshots).toHaveLength(3);
});

test('a very large number of commits turns it off; an environment variable says so in place of the file', async () => {
  await using chain = await startChain();
  const config = await chain.configure({ rules: every(50), http: { port: 0 } });
  await using daemon = new DaemonProcess(config, { TIDEMARK_RULES: JSON.stringify(every(1_000_000_000_000)), TIDEMARK_POLL_EVERY: '1h' });
  const { url } = await daemon.line(/^status page at/, 0);
  await daemon.line(/^created/, 0);
  await chain.db.run(commit(2, 500));
  const status = await (await fetch(`${url}status`)).json();
  expect(status).toMatchObject({
    snapshots: [{ snapshot: { id: 'chain-1' } }],
    decision: { due: false, next: [{ by: 'commits', value: '1000000000000' }] },
  });
});

test('reading its configuration again is no end: no last snapshot is taken', async () => {
  await using chain = await startChain();
  const settings = { rules: every(1_000_000), atShutdown: true };
  const daemon = await chain.daemon(settings);
  await daemon.line(/^created/, 0);
  await chain.processTo(5n);
  await chain.configure({ ...settings, poll: { every: '1h' } });
  const ready = daemon.line(/^newest good snapshot/);
  daemon.signal('SIGHUP');
  await ready;
  await chain.processTo(6n);
  daemon.signal('SIGTERM');
  expect(await daemon.ended).toBe(0);
  expect(await chain.archives()).toEqual(['chain-1.tar.zst', 'chain-6.tar.zst']);
});
