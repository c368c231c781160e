// Completed partitions in a series: exported once, kept for as long as a snapshot that stays refers to them, put together again by a drill
// and by a new deployment, in a directory and in S3.
import { rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bootstrap } from '#dist/app/bootstrap/bootstrap.js';
import { drillSnapshot } from '#dist/app/drill/drill.js';
import { publishSnapshot, pushSnapshot } from '#dist/app/repository/publish-snapshot.js';
import { Repository, type RepositoryOptions } from '#dist/app/repository/repository.js';
import type { SchedulerEvent } from '#dist/app/schedule/events.js';
import type { TidemarkEvent } from '#dist/model/events.js';
import { createDatabase, openDatabase } from '../../server/index.js';
import { startFakeS3 } from '../../store/s3-server.js';
import { temporaryDirectory } from '../../temporary-directory.js';
import { type Engine, startEngine } from './play.js';

const s3 = { credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };

/** Events of 100 heights a partition, of which the last one is not complete. */
async function startIndexer(): Promise<Engine> {
  const engine = await startEngine();
  await engine.db.run(`CREATE TABLE events (height bigint NOT NULL, data text) PARTITION BY RANGE (height);
    ${[0, 1, 2, 3, 4].map((n) => `CREATE TABLE events_${n} PARTITION OF events FOR VALUES FROM (${n * 100 + 1}) TO (${n * 100 + 101});`).join('\n')}`);
  return engine;
}

async function index(engine: Engine, height: bigint): Promise<void> {
  await engine.db.run(`INSERT INTO events SELECT n, md5(n::text || k::text) FROM generate_series((SELECT coalesce(max(height), 0) + 1 FROM events), ${height}) n,
    generate_series(1, 20) k`);
  await engine.processTo(height);
}

const digest = 'SELECT count(*)::int AS n, sum(hashtext(events::text)::bigint)::text AS digest FROM events';

async function play(engine: Engine, place: Partial<RepositoryOptions> & { readonly store: RepositoryOptions['store'] }): Promise<void> {
  const series = { ...place, prefix: 'chain' };
  const snapshot = { jobs: 1, completed: { tables: ['events'] } };
  const { scheduler, events } = engine.scheduler({ ...series, retention: { last: 1 }, snapshot });
  for (const height of [150n, 250n, 350n]) {
    const created = events.next('created');
    await index(engine, height);
    scheduler.advance({ height });
    await scheduler.look();
    await created;
  }
  await scheduler.close();
  await using repository = new Repository(series);
  const { snapshots, unknown } = await repository.list();
  expect(unknown).toEqual([]);
  // Each completed partition is in the first snapshot that had it.
  expect(snapshots.map(({ position, refersTo }) => [position.height, refersTo?.length ?? 0])).toEqual([
    [350n, 2],
    [250n, 1],
    [150n, 0],
  ]);
  expect(events.of('removed')).toEqual([]);
  expect(await drillSnapshot({ ...series, server: engine.db.url, jobs: 1 })).toMatchObject({ ok: true, rows: 350n + 7000n });
  await using target = await createDatabase();
  expect(await bootstrap({ ...series, database: target.url, jobs: 1 })).toMatchObject({ action: 'restored', height: 350n });
  expect(await openDatabase(target.url, target.name).query(digest)).toEqual(await engine.db.query(digest));

  // Without the option a snapshot has all of its rows, and the others may go.
  const { snapshot: whole } = await publishSnapshot({ ...series, database: engine.db.url, height: 360n, jobs: 1 });
  expect(whole.refersTo).toBeUndefined();
  const last = engine.scheduler({ ...series, retention: { last: 1 } });
  await index(engine, 470n);
  await last.scheduler.look();
  await last.scheduler.close();
  expect((await repository.list()).snapshots.map(({ position }) => position.height)).toEqual([470n]);
}

describe('completed partitions', () => {
  test('in a directory, by height', async () => {
    await using engine = await startIndexer();
    await play(engine, { store: engine.folder.path });
  });

  test('in S3, by date', async () => {
    await using engine = await startIndexer();
    await using server = await startFakeS3();
    await play(engine, {
      store: `s3://bucket/backups?endpoint=${server.endpoint}&region=us-east-1`,
      storeOptions: { s3 },
      layout: 'dated',
    });
  });

  test('a newest snapshot that cannot be read keeps none from being taken', async () => {
    await using engine = await startIndexer();
    const series = { store: engine.folder.path, prefix: 'chain' };
    const options = { ...series, database: engine.db.url, jobs: 1, completed: { tables: ['events'] } };
    await index(engine, 150n);
    const first = await publishSnapshot({ ...options, height: 150n });
    const repository = new Repository(series);
    const store = await repository.store();
    await store.put(
      first.snapshot.key,
      (async function* () {
        yield Buffer.alloc(Number(first.bytes));
      })(),
    );
    const messages: string[] = [];
    const onEvent = (event: { readonly type: string; readonly message?: string }) =>
      event.type === 'notice' && messages.push(event.message ?? '');
    const second = await publishSnapshot({ ...options, height: 160n, onEvent });
    expect(second.snapshot.refersTo).toBeUndefined();
    expect(messages).toContainEqual(expect.stringContaining('all partitions are exported: '));
  });
});

test('one whose rows lie in others is pushed only where these are', async () => {
  await using engine = await startIndexer();
  await using target = await temporaryDirectory();
  const series = { store: engine.folder.path, prefix: 'chain' };
  const options = { ...series, database: engine.db.url, jobs: 1, completed: { tables: ['events'] } };
  await index(engine, 250n);
  const first = await publishSnapshot({ ...options, height: 250n });
  const second = await publishSnapshot({ ...options, height: 251n });
  expect(second.snapshot.refersTo).toEqual(['chain-250']);
  const [base, dependant] = [first, second].map(({ snapshot }) => join(engine.folder.path, snapshot.key));
  const push = (file = '') => pushSnapshot({ file, store: target.path, prefix: 'chain' });
  await expect(push(dependant)).rejects.toMatchObject({
    code: 'ARCHIVE_MISSING_PART',
    details: { missing: 'chain-250.tar.zst', commands: [`tidemark push ${base} --store ${target.path} --prefix chain`] },
    hint: `run first, and then this again: tidemark push ${base} --store ${target.path} --prefix chain`,
  });
  expect((await readdir(target.path)).filter((name) => name.startsWith('chain-'))).toEqual([]);
  await push(base);
  expect(await push(dependant)).toMatchObject({ sent: true, latest: true, snapshot: { refersTo: ['chain-250'] } });
});

describe('a base that goes while a snapshot is taken that refers to it', () => {
  const gone = { code: 'ARCHIVE_MISSING_PART', details: { missing: 'chain-250.tar.zst' } };
  const completed = { tables: ['events'] };

  test('in a directory, by a scheduler: it is not published', async () => {
    await using engine = await startIndexer();
    const series = { store: engine.folder.path, prefix: 'chain' };
    await index(engine, 250n);
    const { snapshot } = await publishSnapshot({ ...series, database: engine.db.url, height: 250n, jobs: 1, completed });
    const onEvent = (event: SchedulerEvent): void => {
      if (event.type === 'snapshot' && event.event.type === 'phase' && event.event.phase === 'verify')
        rmSync(join(engine.folder.path, snapshot.key));
    };
    const { scheduler } = engine.scheduler({ ...series, retention: { last: 'all' }, snapshot: { completed }, onEvent });
    await expect(scheduler.snapshotNow()).rejects.toMatchObject(gone);
    await scheduler.close();
    expect((await readdir(engine.folder.path)).filter((name) => name.endsWith('.tar.zst'))).toEqual([]);
  });

  test('in S3: it is not published, and what was sent goes', async () => {
    await using engine = await startIndexer();
    await using server = await startFakeS3();
    await index(engine, 250n);
    const options = {
      store: `s3://bucket/p?endpoint=${server.endpoint}&region=us-east-1`,
      storeOptions: { s3 },
      prefix: 'chain',
      database: engine.db.url,
      jobs: 1,
      completed,
    };
    await publishSnapshot({ ...options, height: 250n });
    const onEvent = (event: TidemarkEvent) =>
      void (event.type === 'phase' && event.phase === 'verify' && server.objects.delete('p/chain-250.tar.zst'));
    await expect(publishSnapshot({ ...options, height: 251n, verify: 'read', onEvent })).rejects.toMatchObject(gone);
    expect([...server.objects.keys()].filter((name) => name.includes('chain-251'))).toEqual([]);
  });
});
