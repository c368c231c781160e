// System 2: an indexer that publishes snapshots of chosen tables while it goes on, every night by the clock of its own place.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { restoreSnapshot, showSnapshot } from '#dist/index.js';
import { createDatabase } from '../server/index.js';
import { created, Host } from './host.js';

const schema = `
  CREATE TABLE blocks (height bigint PRIMARY KEY, hash text NOT NULL, canonical boolean NOT NULL);
  CREATE TABLE events (height bigint NOT NULL REFERENCES blocks, n int NOT NULL, PRIMARY KEY (height, n));
  CREATE TABLE index_progress (network text PRIMARY KEY, last_contiguous_block bigint NOT NULL);
  CREATE TABLE queue_jobs (id int); CREATE TABLE user_settings (name text, secret text);
  INSERT INTO blocks VALUES (0, md5('0'), true); INSERT INTO index_progress VALUES ('mainnet', 0);
  INSERT INTO queue_jobs VALUES (1); INSERT INTO user_settings VALUES ('theme', 'of a user')`;
const position = {
  heightQuery: `SELECT last_contiguous_block FROM index_progress WHERE network = 'mainnet'`,
  hashQuery: 'SELECT hash FROM blocks WHERE height = $1 AND canonical',
};
const indexer = {
  prefix: 'mainnet',
  rules: [{ by: 'height', every: 1_000_000n }],
  retention: { last: 'all' },
  position,
  snapshot: { excludeTables: ['queue_*'], excludeTableData: ['user_settings'] },
} as const;

test('20 snapshots while blocks arrive: height and hash are those of the data, each time', async () => {
  await using host = await Host.start(schema);
  let stop = false;
  let happened = (): void => undefined;
  const { scheduler } = host.scheduler({ ...indexer, onEvent: () => happened() });
  await scheduler.look();
  // Some blocks with each thing that a snapshot does, none of which waits for them.
  const writer = (async () => {
    const session = await host.db.connect();
    for (let height = 1; !stop; height += 1) {
      await session.query(`BEGIN; INSERT INTO blocks VALUES (${height}, md5('${height}'), true);
        INSERT INTO events SELECT ${height}, g FROM generate_series(1, 3) AS g;
        UPDATE index_progress SET last_contiguous_block = ${height}; COMMIT`);
      if (height % 4 > 0 || stop) continue;
      await new Promise<void>((resolve) => {
        happened = resolve;
      });
    }
    await session.end();
  })();
  const taken = [];
  try {
    for (let n = 0; n < 20; n += 1) taken.push(await scheduler.snapshotNow());
  } finally {
    stop = true;
    happened();
    await writer;
  }
  expect(new Set(taken.map(({ position: { height } }) => height)).size).toBe(20);
  await using target = await createDatabase();
  for (const [n, { key, position: recorded }] of taken.entries()) {
    const file = join(host.store, key);
    await restoreSnapshot({ file, database: target.url, jobs: 1, noAnalyze: true, ...(n > 0 && { truncate: true }) });
    const [found] = await target.query(`
      SELECT (SELECT last_contiguous_block FROM index_progress)::text AS height, (SELECT max(height) FROM blocks)::text AS blocks,
             (SELECT hash FROM blocks ORDER BY height DESC LIMIT 1) AS hash, (SELECT count(*) FROM events)::text AS events`);
    const height = String(recorded.height);
    expect(found).toEqual({ height, blocks: height, hash: recorded.hash, events: String(3n * (recorded.height ?? 0n)) });
  }
  expect(await target.query(`SELECT to_regclass('queue_jobs') AS queue, (SELECT count(*)::int FROM user_settings) AS settings`)).toEqual([
    { queue: null, settings: 0 },
  ]);
  const { manifest } = await showSnapshot({ file: join(host.store, taken.at(-1)?.key ?? '') });
  expect(manifest.tables.map(({ name }) => name).sort()).toEqual(['blocks', 'events', 'index_progress', 'user_settings']);
});

test('every night at two by the clock of its own time zone, and once', async () => {
  await using host = await Host.start(schema);
  // Noon is never near two at night: the zone that has it now is the one of the test. POSIX signs: Etc/GMT-3 is three hours ahead.
  const ahead = 12 - new Date().getUTCHours();
  const timeZone = `Etc/GMT${ahead > 0 ? '-' : '+'}${Math.abs(ahead)}`;
  const lastNight = new Date();
  lastNight.setUTCHours(lastNight.getUTCHours() - 10, 0, 0, 0);
  const rules = [{ by: 'cron', expression: '0 2 * * *', timeZone }] as const;
  const { scheduler, events } = host.scheduler({ ...indexer, rules });
  await scheduler.look();
  await scheduler.look();
  expect(created(events)).toHaveLength(1);
  const nextNight = new Date(lastNight.getTime() + 86_400_000);
  expect((await scheduler.status()).decision?.next).toEqual([{ by: 'time', at: nextNight }]);
  await host.date('mainnet-0', new Date(lastNight.getTime() + 1000));
  await scheduler.look();
  expect(created(events)).toHaveLength(1);
  await host.date('mainnet-0', new Date(lastNight.getTime() - 1000));
  await scheduler.look();
  await scheduler.look();
  expect(created(events)).toHaveLength(2);
  expect(events.of('creating').at(-1)?.reason).toContain(`at 0 2 * * * (${timeZone}): ${lastNight.toISOString()} has passed`);
});
