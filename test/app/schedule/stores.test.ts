// The life of a series in S3, and of one by date in a directory: scheduled, kept by a policy, drilled, and a new database started from it.
import { expect, test } from 'vitest';
import { bootstrap } from '#dist/app/bootstrap/bootstrap.js';
import { drillSnapshot } from '#dist/app/drill/drill.js';
import { latestSnapshot } from '#dist/app/repository/publish-snapshot.js';
import type { RepositoryOptions } from '#dist/app/repository/repository.js';
import { createDatabase, openDatabase } from '../../server/index.js';
import { startFakeS3 } from '../../store/s3-server.js';
import { startEngine } from './play.js';

const s3 = { credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };

test('in S3: taken by height, two kept, an upload that was cut off is gone at the next start, drilled, bootstrapped', async () => {
  await using server = await startFakeS3();
  await using engine = await startEngine();
  const place: RepositoryOptions = {
    store: `s3://bucket/backups?endpoint=${server.endpoint}&region=us-east-1`,
    prefix: 'chain',
    storeOptions: { s3 },
  };
  {
    const { scheduler, events } = engine.scheduler(place);
    for (const height of [100n, 200n, 300n]) {
      const created = events.next('created');
      await engine.processTo(height);
      scheduler.advance({ height });
      await scheduler.look();
      expect((await created).snapshot.position.height).toBe(height);
    }
    expect(events.of('removed').map(({ snapshot }) => snapshot.id)).toEqual(['chain-100']);
    await scheduler.close();
  }
  expect(await latestSnapshot(place)).toMatchObject({ id: 'chain-300', position: { height: 300n } });

  // What a process leaves that was killed while it was sending: its marker, and an upload that is not complete.
  const marker = { write: 'w', host: 'elsewhere', machine: 'elsewhere', process: 1, at: new Date().toISOString(), token: '1' };
  server.objects.set('backups/chain-400.tar.zst.writing', {
    ...{ content: Buffer.from(JSON.stringify(marker)), at: new Date(), etag: '"m"', metadata: {} },
  });
  server.uploads.set('u', { name: 'backups/chain-400.tar.zst', id: 'u', metadata: {}, parts: new Map(), begun: new Date() });
  server.uploads.set('other', { name: 'backups/chain-500.tar.zst', id: 'other', metadata: {}, parts: new Map(), begun: new Date() });
  {
    const { scheduler } = engine.scheduler(place);
    await engine.processTo(310n);
    await scheduler.look();
    await scheduler.close();
  }
  expect([...server.uploads.keys()]).toEqual(['other']);
  expect([...server.objects.keys()].filter((key) => key.endsWith('.writing'))).toEqual([]);

  const drilled = await drillSnapshot({ ...place, server: engine.db.url, jobs: 1 });
  expect(drilled).toMatchObject({ ok: true, rows: 300n, definitions: true });
  await using target = await createDatabase();
  const { database: _, ...started } = await bootstrap({
    ...place,
    database: target.url,
    jobs: 1,
    position: { heightQuery: 'SELECT max(height) FROM blocks' },
  });
  expect(started).toMatchObject({ action: 'restored', height: 300n, goOnFrom: 301n });
  expect(await openDatabase(target.url, target.name).query('SELECT count(*)::int AS n FROM blocks')).toEqual([{ n: 300 }]);
});

test('by date, in a directory: the archive has its name only once it was verified, and the pointer follows', async () => {
  await using engine = await startEngine();
  const layout = { layout: 'dated', prefix: 'mainnet' } as const;
  const { scheduler, events } = engine.scheduler(layout);
  for (const height of [100n, 200n, 300n]) {
    const created = events.next('created');
    await engine.processTo(height);
    scheduler.advance({ height });
    await scheduler.look();
    await created;
  }
  const removed = events.of('removed').map(({ snapshot }) => snapshot.id);
  expect(removed).toHaveLength(1);
  const place = { store: engine.folder.path, ...layout };
  const latest = await latestSnapshot(place);
  expect(latest).toMatchObject({
    position: { height: 300n },
    archive: expect.stringMatching(/^mainnet\/\d{4}-\d\d-\d\d(\.\d)?\/snapshot\.tar\.zst$/),
  });
  expect(await drillSnapshot({ ...place, server: engine.db.url, jobs: 1 })).toMatchObject({ ok: true, snapshot: { id: latest?.id } });
  expect(await scheduler.status()).toMatchObject({ healthy: true, unknown: [] });
});
