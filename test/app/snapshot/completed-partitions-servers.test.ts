// The oldest server, and a standby: its files are those of the primary, so either may be the base of the other.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import { connect, createDatabase, databaseUrl, startServer, startStandby } from '../../server/index.js';
import { temporaryDirectory } from '../../temporary-directory.js';
import { addThousand, contents, makeIndexer, referred, take } from './completed-partitions-sample.js';

test('PostgreSQL 14', async () => {
  await using folder = await temporaryDirectory();
  await using db = await makeIndexer([0], { version: 14 });
  const base = join(folder.path, 'a.tar.zst');
  await take(db, base);
  await db.run(`${addThousand(1000)} UPDATE events SET data = '{}' WHERE height = 1500`);
  const next = await take(db, join(folder.path, 'b.tar.zst'), base);
  expect(referred(next.manifest)).toEqual({ 'a.tar.zst': ['events_0', 'moves_0_a', 'moves_0_b'] });
  await using target = await createDatabase({ version: 14 });
  await restoreSnapshot({ database: target.url, file: next.file, jobs: 2 });
  expect(await contents(target)).toEqual(await contents(db));
});

test('a standby, and the primary that it becomes', { timeout: 90_000 }, async () => {
  await using folder = await temporaryDirectory();
  await using primary = await startServer();
  const db = await makeIndexer([0], { server: primary.url });
  const base = join(folder.path, 'a.tar.zst');
  await take(db, base);
  await using standby = await startStandby(primary);
  await db.run(addThousand(1000));
  await standby.catchUp();
  const copy = { url: databaseUrl(standby.url, db.name) };
  const next = await take(copy, join(folder.path, 'b.tar.zst'), base);
  expect(next.manifest.source.inRecovery).toBe(true);
  expect(referred(next.manifest)).toEqual({ 'a.tar.zst': ['events_0', 'moves_0_a', 'moves_0_b'] });
  const third = await take(db, join(folder.path, 'c.tar.zst'), next.file);
  expect(Object.keys(referred(third.manifest))).toEqual(['a.tar.zst', 'b.tar.zst']);
  await primary.kill();
  await using client = await connect(copy.url);
  await client.query('SELECT pg_promote()');
  // Another timeline: what the old primary did after that is not known here.
  const last = await take(copy, join(folder.path, 'd.tar.zst'), third.file);
  expect(last.manifest.source.inRecovery).toBe(false);
  expect(referred(last.manifest)).toEqual({});
});
