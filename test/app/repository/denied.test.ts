// Stores that deny something, and what others leave in them or take out of them: what is ours stays right, what is theirs stays.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pruneRepository } from '#dist/app/repository/prune.js';
import { latestSnapshot, publishSnapshot } from '#dist/app/repository/publish-snapshot.js';
import { Repository } from '#dist/app/repository/repository.js';
import { takeOverRepository } from '#dist/app/repository/take-over.js';
import { TidemarkError } from '#dist/model/errors.js';
import { openStore } from '#dist/store/open-store.js';
import type { Store } from '#dist/store/store.js';
import { createDatabase, type TestDatabase } from '../../server/index.js';
import { startFakeS3 } from '../../store/s3-server.js';

const s3 = { credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };

let db: TestDatabase;
beforeAll(async () => {
  db = await createDatabase();
  await db.run('CREATE TABLE blocks (height bigint); INSERT INTO blocks SELECT generate_series(1, 100)');
});
afterAll(() => db[Symbol.asyncDispose]());

async function bucket() {
  const server = await startFakeS3();
  const store = await openStore(`s3://bucket/p?endpoint=${server.endpoint}`, { s3 });
  const publish = (height: bigint, prefix = 's') => publishSnapshot({ database: db.url, height, jobs: 1, store, prefix });
  return {
    server,
    store,
    publish,
    repository: new Repository({ store, prefix: 's' }),
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** The same store, whose n-th write or removal and all after it are denied. */
function denying(store: Store, from: number): Store {
  let changes = 0;
  const guarded = <T>(work: () => Promise<T>): Promise<T> => {
    changes += 1;
    return changes > from ? Promise.reject(new TidemarkError('STORE_ERROR', 'write: AccessDenied')) : work();
  };
  return {
    location: store.location,
    writable: true,
    list: (prefix) => store.list(prefix),
    stat: (key) => store.stat(key),
    get: (key, options) => store.get(key, options),
    put: (key, source, options) => guarded(() => store.put(key, source, options)),
    remove: (key) => guarded(() => store.remove(key)),
    cleanUp: (options) => guarded(() => store.cleanUp(options)),
    free: () => store.free(),
    async [Symbol.asyncDispose]() {},
  };
}

test.each([
  ['RequestTimeTooSkewed', 'set the clock'],
  ['InvalidAccessKeyId', 'check the access key'],
  ['AccessDenied', 'check that the credentials may'],
])('why a look is denied is told: %s', async (code, hint) => {
  const server = createServer(({ method }, response) => {
    response.writeHead(403, { 'content-type': 'application/xml' });
    response.end(method === 'HEAD' ? '' : `<Error><Code>${code}</Code><Message>no</Message></Error>`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await using store = await openStore(`s3://bucket/p?endpoint=${endpoint}`, { s3, attempts: 1 });
  await expect(store.stat('latest.json')).rejects.toMatchObject({
    code: 'STORE_ERROR',
    message: expect.stringContaining(code),
    hint: expect.stringContaining(hint),
  });
  server.close();
  server.closeAllConnections();
});

test('who may only read is told of an archive that is right and cannot be recorded, and goes on', async () => {
  await using place = await bucket();
  const { snapshot } = await place.publish(1n);
  await place.store.remove(`${snapshot.key}.verified.json`);
  const bad = await new Repository({ store: denying(place.store, 0), prefix: 's' }).verifyUnknown();
  expect(bad).toMatchObject([{ id: 's-1', problem: expect.stringMatching(/it is right.*AccessDenied/) }]);
});

test('another series whose name begins with this one keeps its markers and uploads', async () => {
  await using place = await bucket();
  const marker = { write: 'w', host: 'h', machine: 'm', process: 1, at: new Date().toISOString(), token: '0' };
  const content = Buffer.from(JSON.stringify(marker));
  for (const id of ['s-7', 's-x-7']) {
    const name = `p/${id}.tar.zst`;
    place.server.objects.set(`${name}.writing`, { content, at: new Date(), etag: `"${id}"`, metadata: {} });
    // By a clock that is ahead of this machine's.
    place.server.uploads.set(id, { name, id, metadata: {}, parts: new Map(), begun: new Date(Date.now() + 600_000) });
  }
  await takeOverRepository(place.repository);
  expect([...place.server.uploads.keys()]).toEqual(['s-x-7']);
  expect([...place.server.objects.keys()].filter((name) => name.endsWith('.writing'))).toEqual(['p/s-x-7.tar.zst.writing']);
});

test('what is pointed to is removed by hand: the next start points to the newest that is left', async () => {
  await using place = await bucket();
  await place.publish(1n);
  const { snapshot } = await place.publish(2n);
  await place.store.remove(snapshot.key);
  const writer = await takeOverRepository(place.repository);
  await writer.catchUp();
  expect(await latestSnapshot({ store: place.store, prefix: 's' })).toMatchObject({ id: 's-1', position: { height: 1n } });
  await takeOverRepository(place.repository);
  await place.store.remove('s-1.tar.zst.verified.json');
  await expect(writer.catchUp()).resolves.toBeUndefined();
});

test('pruning that is ended by any change: the newest stays pointed to, and the next one lets go of the rest', async () => {
  await using place = await bucket();
  for (const height of [1n, 2n, 3n]) await place.publish(height);
  const before = new Map(place.server.objects);
  for (let from = 0; ; from += 1) {
    place.server.objects.clear();
    for (const [name, kept] of before) place.server.objects.set(name, kept);
    const harmed = new Repository({ store: denying(place.store, from), prefix: 's' });
    const ended = await pruneRepository(harmed, { last: 1 }).then(
      () => true,
      (error: unknown) => {
        expect(error).toMatchObject({ code: 'STORE_ERROR' });
        return false;
      },
    );
    const listed = await place.repository.list();
    expect([...listed.snapshots.map(({ id }) => id)][0]).toBe('s-3');
    expect(await latestSnapshot({ store: place.store, prefix: 's' })).toMatchObject({ id: 's-3' });
    const writer = await takeOverRepository(place.repository);
    expect(await place.repository.verifyUnknown()).toEqual([]);
    await writer.catchUp();
    await pruneRepository(place.repository, { last: 1 });
    const left = [...place.server.objects.keys()].filter((name) => !/^p\/(latest\.json|s-3\.)/.test(name));
    expect(left, `ended at change ${from}`).toEqual([]);
    if (ended) break;
  }
});

test('an archive that goes while it is read is an error that says so', async () => {
  await using place = await bucket();
  const { snapshot } = await place.publish(1n);
  await using bytes = (await place.repository.open(snapshot)).bytes;
  await place.repository.remove(snapshot);
  await expect(bytes.read(0n, 100)).rejects.toMatchObject({ code: 'OBJECT_MISSING', hint: expect.stringContaining('removed meanwhile') });
});
