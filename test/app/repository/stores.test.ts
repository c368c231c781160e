// A series of snapshots in every kind of store and both layouts: what is published, in which order, what counts, and who may publish.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifySnapshot } from '#dist/app/archive/verify-snapshot.js';
import { readLatest } from '#dist/app/repository/latest.js';
import type { LayoutName } from '#dist/app/repository/layout.js';
import { pruneRepository } from '#dist/app/repository/prune.js';
import { latestSnapshot, publishSnapshot, pushSnapshot } from '#dist/app/repository/publish-snapshot.js';
import { Repository } from '#dist/app/repository/repository.js';
import { takeOverRepository } from '#dist/app/repository/take-over.js';
import { snapshotInto, takeSnapshot } from '#dist/app/snapshot/take-snapshot.js';
import { MemoryStore } from '#dist/store/memory-store.js';
import { openStore } from '#dist/store/open-store.js';
import type { Store } from '#dist/store/store.js';
import { createDatabase, type TestDatabase } from '../../server/index.js';
import { startFakeS3 } from '../../store/s3-server.js';
import { temporaryDirectory } from '../../temporary-directory.js';

let db: TestDatabase;
beforeAll(async () => {
  db = await createDatabase();
  await db.run(
    'CREATE TABLE blocks (height bigint PRIMARY KEY, hash text); INSERT INTO blocks SELECT n, md5(n::text) FROM generate_series(1, 5000) n',
  );
});
afterAll(async () => {
  await db[Symbol.asyncDispose]();
});

interface Place extends AsyncDisposable {
  readonly store: Store;
  /** Where it is named. */
  readonly url?: string;
}

const places: Readonly<Record<string, () => Promise<Place>>> = {
  async directory() {
    const folder = await temporaryDirectory();
    return { store: await openStore(folder.path), url: folder.path, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
  },
  async memory() {
    return { store: new MemoryStore(), async [Symbol.asyncDispose]() {} };
  },
  async S3() {
    const server = await startFakeS3({ pageSize: 3 });
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const store = await openStore(`s3://bucket/some/prefix?endpoint=${server.endpoint}&region=us-east-1`, { s3: { credentials } });
    return {
      store,
      async [Symbol.asyncDispose]() {
        await store[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  },
};

async function keysOf(store: Store): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list()) keys.push(key);
  return keys.sort();
}

/** The same store, which tells what is written to it. */
function watched(store: Store): { readonly store: Store; readonly puts: string[] } {
  const puts: string[] = [];
  const watching: Store = Object.create(store, {
    put: {
      value: async (...args: Parameters<Store['put']>) => {
        const written = await store.put(...args);
        puts.push(args[0]);
        return written;
      },
    },
  });
  for (const name of ['list', 'stat', 'get', 'remove', 'cleanUp', 'free'] as const)
    Object.defineProperty(watching, name, { value: store[name].bind(store) });
  for (const name of ['location', 'writable'] as const) Object.defineProperty(watching, name, { value: store[name] });
  return { store: watching, puts };
}

const expected: Readonly<Record<LayoutName, (day: string) => readonly string[]>> = {
  flat: () => ['latest.json', 's-100.tar.zst', 's-100.tar.zst.manifest.json', 's-100.tar.zst.sha256', 's-100.tar.zst.verified.json'],
  dated: (day) => [
    'latest.json',
    `s/${day}/manifest.json`,
    `s/${day}/snapshot.sha256`,
    `s/${day}/snapshot.tar.zst`,
    `s/${day}/verified.json`,
  ],
};

const layouts: Readonly<Record<string, readonly LayoutName[]>> = { directory: ['flat', 'dated'], memory: ['flat'], S3: ['dated'] };

for (const [kind, open] of Object.entries(places)) {
  for (const layout of layouts[kind] ?? []) {
    describe(`${kind}, ${layout}`, () => {
      test('a snapshot goes straight into it: data first, the manifest next, then the pointer', async () => {
        await using place = await open();
        const { store, puts } = watched(place.store);
        const { snapshot, sha256, bytes } = await publishSnapshot({ database: db.url, height: 100n, jobs: 2, store, prefix: 's', layout });
        const day = snapshot.position.at.toISOString().slice(0, 10);
        expect(await keysOf(store)).toEqual(expected[layout](day));
        const order = puts
          .filter((key) => !key.endsWith('.writing'))
          .map((key) => key.replace(/^.*(?=sha256|manifest|latest|verified|tar\.zst$)/, ''));
        expect(order).toEqual(['tar.zst', 'sha256', 'manifest.json', 'latest.json', 'verified.json']);
        expect(snapshot).toMatchObject({ good: true, bytes, position: { height: 100n }, verification: { sha256, rows: 5000n } });
        expect(await latestSnapshot({ store, prefix: 's', layout })).toMatchObject({
          id: snapshot.id,
          archive: snapshot.key,
          sha256,
          bytes,
        });
        const repository = new Repository({ store, prefix: 's', layout });
        expect((await repository.newestGood())?.id).toBe(snapshot.id);
        await using opened = (await repository.open(snapshot)).bytes;
        expect(opened.size).toBe(bytes);
      });

      test('two of the same height and day at once: both are there, under two names, and the pointer is at one of them', async () => {
        await using place = await open();
        const { store } = place;
        const options = { database: db.url, height: 100n, jobs: 1, store, prefix: 's', layout };
        const [one, other] = await Promise.all([publishSnapshot(options), publishSnapshot(options)]);
        const ids = [one.snapshot.id, other.snapshot.id].sort();
        expect(ids[1]).toBe(`${ids[0]}.2`);
        const repository = new Repository({ store, prefix: 's', layout });
        const { snapshots, unknown } = await repository.list();
        expect([snapshots.map(({ id }) => id).sort(), unknown]).toEqual([ids, []]);
        expect(ids).toContain((await latestSnapshot({ store, prefix: 's', layout }))?.id);
        expect((await keysOf(store)).filter((key) => key.endsWith('.writing'))).toEqual([]);
      });

      test('the pointer goes forward only, and back where what it points to has gone', async () => {
        await using place = await open();
        const { store } = place;
        const options = { database: db.url, jobs: 1, store, prefix: 's', layout };
        const first = await publishSnapshot({ ...options, height: 100n });
        const lower = await publishSnapshot({ ...options, height: 50n });
        expect((await latestSnapshot({ store, prefix: 's', layout }))?.id).toBe(first.snapshot.id);
        await store.remove(first.snapshot.key);
        await store.remove(lower.snapshot.key);
        const third = await publishSnapshot({ ...options, height: 20n });
        expect((await latestSnapshot({ store, prefix: 's', layout }))?.id).toBe(third.snapshot.id);
      });

      test('a policy keeps what it says, a pin keeps one, and all that was beside the others has gone', async () => {
        await using place = await open();
        const { store } = place;
        const options = { database: db.url, jobs: 1, store, prefix: 's', layout };
        for (const height of [1n, 2n, 3n, 4n]) await publishSnapshot({ ...options, height });
        const repository = new Repository({ store, prefix: 's', layout });
        const { snapshots } = await repository.list();
        expect(snapshots.map(({ position }) => position.height)).toEqual([4n, 3n, 2n, 1n]);
        const [, third, second] = snapshots;
        await repository.pin(second ?? never(), 'for the audit');
        await repository.recordDrill(third ?? never(), { at: new Date(), durationMs: 5, ok: true, rows: 5000n });
        const { removed } = await pruneRepository(repository, { last: 1 });
        expect(removed.map(({ position }) => position.height)).toEqual([3n, 1n]);
        const left = await repository.list();
        expect(left.snapshots.map(({ position, pinned }) => [position.height, pinned])).toEqual([
          [4n, undefined],
          [2n, 'for the audit'],
        ]);
        const gone = removed.map(({ key }) => (layout === 'flat' ? key : key.slice(0, key.lastIndexOf('/') + 1)));
        expect((await keysOf(store)).filter((key) => gone.some((start) => key.startsWith(start)))).toEqual([]);
        expect(await repository.lastDrill()).toMatchObject({ ok: true, rows: 5000n });
      });

      test('who was overtaken publishes nothing, whatever it did before; its successor does', async () => {
        await using place = await open();
        const { store, url } = place;
        const repository = new Repository({ store: url ?? store, prefix: 's', layout });
        const stale = await takeOverRepository(repository);
        let next: Awaited<ReturnType<typeof takeOverRepository>> | undefined;
        // The moment before the first byte is written, and the last one before it would be published.
        for (const moment of ['begin', 'finish'] as const) {
          const late = next ?? stale;
          const lost = snapshotInto(
            async () => {
              const output = await late.open({ started: performance.now() });
              const step = output[moment].bind(output) as (...args: readonly unknown[]) => Promise<void>;
              return Object.assign(output, {
                [moment]: async (...args: readonly unknown[]) => {
                  next = await takeOverRepository(repository);
                  await step(...args);
                },
              });
            },
            { database: db.url, height: 100n, jobs: 1 },
          );
          await expect(lost).rejects.toMatchObject({ code: expect.stringMatching(/LOCK_LOST|STORE_ERROR/) });
        }
        expect((await repository.list()).snapshots).toEqual([]);
        await using output = (await next?.open({ started: performance.now() })) ?? never();
        await snapshotInto(async () => output, { database: db.url, height: 100n, jobs: 1 });
        const { snapshots } = await repository.list();
        expect(snapshots.map(({ id }) => id)).toEqual([output.published?.id]);
        expect(Object.keys(await readLatest(store))).toEqual(['s']);
      });

      test('one that fails leaves nothing', async () => {
        await using place = await open();
        const { store } = place;
        const signal = AbortSignal.abort(new Error('enough'));
        await expect(publishSnapshot({ database: db.url, height: 1n, store, prefix: 's', layout, signal })).rejects.toThrow();
        const stop = new AbortController();
        const aborted = publishSnapshot({
          ...{ database: db.url, height: 1n, store, prefix: 's', layout, signal: stop.signal },
          onEvent: (event) => {
            if (event.type === 'phase' && event.phase === 'publish') stop.abort();
          },
        });
        await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' });
        expect(await keysOf(store)).toEqual([]);
      });

      test('an archive is pushed once, from a file, with all that makes it count', async () => {
        await using place = await open();
        await using folder = await temporaryDirectory();
        const { store } = place;
        const file = `${folder.path}/taken by hand.tar.zst`;
        const { sha256 } = await takeSnapshot({ database: db.url, file, height: 7n, jobs: 1 });
        const options = { file, store, prefix: 's', layout };
        const pushed = await pushSnapshot(options);
        expect(pushed).toMatchObject({ sent: true, latest: true, snapshot: { verification: { sha256 }, position: { height: 7n } } });
        const before = await keysOf(store);
        expect(await pushSnapshot(options)).toMatchObject({ sent: false, latest: true, snapshot: { id: pushed.snapshot.id } });
        expect(await keysOf(store)).toEqual(before);
        if (place.url !== undefined) await verifySnapshot({ file: `${place.url}/${pushed.snapshot.key}` });
      });
    });
  }
}

test('what is not ours under the name of the pointer is left as it is, and found before the work', async () => {
  const store = new MemoryStore();
  const text = Buffer.from('{"version": 3}');
  await store.put('latest.json', [text] as unknown as AsyncIterable<Uint8Array>);
  await expect(publishSnapshot({ database: 'postgres://nobody@127.0.0.1:1/none', store, prefix: 's' })).rejects.toMatchObject({
    code: 'STORE_ERROR',
    message: expect.stringContaining('none of ours'),
  });
  expect(await keysOf(store)).toEqual(['latest.json']);
});

function never(): never {
  throw new Error('there is none');
}

test('what the store vouches for is not read again, unless that is asked for, or the store does not', async () => {
  await using server = await startFakeS3();
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  await using s3 = await openStore(`s3://bucket/p?endpoint=${server.endpoint}&region=us-east-1`, { s3: { credentials } });
  let read = 0n;
  const get = s3.get.bind(s3);
  s3.get = async function* (key, options) {
    for await (const piece of get(key, options)) {
      if (key.endsWith('.tar.zst')) read += BigInt(piece.length);
      yield piece;
    }
  };
  const options = { database: db.url, jobs: 1, store: s3, prefix: 's' };
  const first = await publishSnapshot({ ...options, height: 1n });
  // The end of an archive as small as this is most of it.
  expect(read).toBeLessThanOrEqual(2n ** 16n + 4n);
  expect(read).toBeLessThan(first.bytes);
  for (const [height, more] of [
    [2n, { verify: 'read' }],
    [3n, {}],
  ] as const) {
    server.refuseChecksums = height === 3n;
    read = 0n;
    const { bytes } = await publishSnapshot({ ...options, height, ...more });
    expect(read).toBeGreaterThanOrEqual(bytes);
  }
});

test('without a prefix, the only series of a store is meant; of several, the one of the default name', async () => {
  const store = new MemoryStore();
  const options = { database: db.url, jobs: 1, store, height: 1n };
  expect(await latestSnapshot({ store })).toBeUndefined();
  await publishSnapshot({ ...options, prefix: 's' });
  expect(await latestSnapshot({ store })).toMatchObject({ id: 's-1' });
  await publishSnapshot({ ...options, prefix: 't' });
  expect(await latestSnapshot({ store })).toBeUndefined();
  expect(await latestSnapshot({ store, prefix: 't' })).toMatchObject({ id: 't-1' });
});
