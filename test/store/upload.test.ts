// Uploads to S3: parts of one size that suffice, bounded memory, servers without checksums, what is left behind.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStore } from '#dist/store/open-store.js';
import { cutParts, partBytesFor } from '#dist/store/s3/parts.js';
import { chunks, read } from './contract.js';
import { type FaultyProxy, startFaultyProxy } from './faulty-proxy.js';
import { type FakeS3, startFakeS3 } from './s3-server.js';

const mebibyte = 1 << 20;
const credentials = { accessKeyId: 'test', secretAccessKey: 's3cret' };
let server: FakeS3;
let proxy: FaultyProxy;

beforeAll(async () => {
  server = await startFakeS3();
  proxy = await startFaultyProxy(server.endpoint);
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const open = (s3 = {}) => openStore(`s3://bucket/p?endpoint=${proxy.endpoint}`, { s3: { credentials, partBytes: 64 << 10, ...s3 } });

test.each([
  [undefined, 16 * mebibyte],
  [0n, 16 * mebibyte],
  [160_000n * BigInt(mebibyte), 16 * mebibyte],
  [160_000n * BigInt(mebibyte) + 1n, 17 * mebibyte],
  [5n * 2n ** 40n, 525 * mebibyte],
  [2n ** 60n, 5 * 2 ** 30],
])('parts for %s bytes', (bytes, expected) => {
  expect(partBytesFor(16 * mebibyte, bytes)).toBe(expected);
});

test.each([
  [0, 10, [0]],
  [9, 10, [9]],
  [10, 10, [10]],
  [11, 10, [10, 1]],
  [30, 10, [10, 10, 10]],
])('%s bytes in parts of %s', async (bytes, partBytes, expected) => {
  const sizes: number[] = [];
  const last: boolean[] = [];
  for await (const part of cutParts(chunks(Buffer.alloc(bytes), 7), partBytes)) {
    sizes.push(part.body.length);
    last.push(part.isLast);
    part.release();
  }
  expect(sizes).toEqual(expected);
  expect(last).toEqual(expected.map((_, at) => at === expected.length - 1));
});

test('the source is asked for no more than the parts in flight and one hold', async () => {
  const part = 64 << 10;
  const parallelParts = 3;
  let asked = 0;
  let arrived = 0;
  let most = 0;
  async function* source(): AsyncGenerator<Uint8Array, void> {
    for (let n = 0; n < 1000; n += 1) {
      asked += 1;
      yield Buffer.alloc(part, n);
    }
  }
  // 64 MB. When a part arrives, all but those in flight have ended; one more is being filled, and one chunk may lie before it.
  proxy.fault = (_, request) => {
    if (!request.includes('partNumber')) return undefined;
    most = Math.max(most, asked - arrived);
    arrived += 1;
    return undefined;
  };
  const store = await open({ parallelParts });
  await store.put('bounded', source());
  proxy.fault = () => undefined;
  expect(arrived).toBe(1000);
  expect(most).toBeLessThanOrEqual(parallelParts + 2);
  expect((await store.stat('bounded'))?.bytes).toBe(1000n * BigInt(part));
  await store[Symbol.asyncDispose]();
});

test('a server that does not take checksums gets none, and is not asked again', async () => {
  server.refuseChecksums = true;
  try {
    const store = await open();
    for (const bytes of [10, 200_000]) {
      proxy.seen = [];
      await store.put('plain', chunks(Buffer.alloc(bytes, 1)));
      expect((await read(store, 'plain')).equals(Buffer.alloc(bytes, 1))).toBe(true);
      if (bytes === 10) expect(proxy.seen.filter((one) => one.startsWith('PUT'))).toHaveLength(2);
      else expect(proxy.seen.filter((one) => one.includes('uploads'))).toHaveLength(1);
    }
    await store[Symbol.asyncDispose]();
  } finally {
    server.refuseChecksums = false;
  }
});

test('what killed writers left: only what is old enough, and of this store', async () => {
  const store = await open();
  const left = { parts: new Map(), metadata: {} };
  const at = (hoursAgo: number) => new Date(Date.now() - hoursAgo * 3_600_000);
  for (const [name, hours] of [
    ['p/old', 25],
    ['p/young', 1],
    ['px/old', 25],
    ['old', 25],
  ] as const) {
    server.uploads.set(name.replace('/', '-'), { ...left, name, id: name.replace('/', '-'), begun: at(hours) });
  }
  expect(await store.cleanUp({ prefix: 'x' })).toBe(0);
  expect(await store.cleanUp()).toBe(1);
  expect([...server.uploads.keys()].sort()).toEqual(['old', 'p-young', 'px-old']);
  server.uploads.clear();
  await store[Symbol.asyncDispose]();
});

test('what is stopped is aborted, and leaves nothing', async () => {
  const stop = new AbortController();
  const store = await openStore(`s3://bucket/p?endpoint=${proxy.endpoint}`, {
    s3: { credentials, partBytes: 64 << 10 },
    signal: stop.signal,
  });
  proxy.fault = (_, request) => {
    if (request.includes('partNumber=2')) stop.abort();
    return undefined;
  };
  await expect(store.put('stopped', chunks(Buffer.alloc(500_000)))).rejects.toMatchObject({ code: 'ABORTED' });
  proxy.fault = () => undefined;
  expect(server.uploads.size).toBe(0);
  expect(server.objects.has('p/stopped')).toBe(false);
  await store[Symbol.asyncDispose]();
});

test('a bucket that is not there is told of, with a hint', async () => {
  const store = await openStore(`s3://another/p?endpoint=${proxy.endpoint}`, { s3: { credentials } });
  await expect(store.put('x', chunks(Buffer.from('x')))).rejects.toMatchObject({
    code: 'STORE_ERROR',
    message: expect.stringContaining('there is no such bucket'),
    hint: expect.stringContaining('create the bucket'),
    details: { code: 'NoSuchBucket' },
  });
  await store[Symbol.asyncDispose]();
});

test('whatever is asked of a bucket that is not there, that is told, and not that an object is missing', async () => {
  await using store = await openStore(`s3://another/p?endpoint=${proxy.endpoint}`, { s3: { credentials } });
  const asked = {
    look: () => store.stat('x'),
    read: () => read(store, 'x'),
    list: () => store.list('')[Symbol.asyncIterator]().next(),
    remove: () => store.remove('x'),
    clean: () => store.cleanUp(),
    write: () => store.put('x', chunks(Buffer.from('x')), { ifAbsent: true }),
  };
  for (const [what, ask] of Object.entries(asked)) {
    proxy.seen = [];
    await expect(ask(), what).rejects.toMatchObject({
      code: 'STORE_ERROR',
      message: expect.stringMatching(/s3:\/\/another\/p.*: there is no such bucket/),
    });
    // It does not pass: nothing is tried again.
    expect(proxy.seen.length, what).toBeLessThanOrEqual(2);
  }
});

test('whether there is a bucket is asked once, where an object is missing', async () => {
  await using store = await open();
  proxy.seen = [];
  expect(await store.stat('none')).toBeUndefined();
  expect(await store.stat('none')).toBeUndefined();
  expect(proxy.seen.map((request) => request.replace(/\?.*/, ''))).toEqual([
    'HEAD /bucket/p/none',
    'GET /bucket/p/none',
    'HEAD /bucket/p/none',
  ]);
  await store.put('some', chunks(Buffer.from('x')));
  await using other = await open();
  proxy.seen = [];
  expect(await other.stat('some')).toBeDefined();
  expect(await other.stat('none')).toBeUndefined();
  expect(proxy.seen.filter((request) => request.startsWith('GET'))).toEqual([]);
});

test.each(['error', 'refuse', 'cut'] as const)(
  'a bucket is not taken for missing where that cannot be told for a while: %s',
  async (fault) => {
    await using store = await open();
    let harmed = 0;
    proxy.fault = (_, request) => (request.startsWith('GET') && ++harmed === 1 ? fault : undefined);
    expect(await store.stat('none')).toBeUndefined();
    expect(harmed).toBeGreaterThan(1);
    proxy.fault = (_, request) => (request.startsWith('GET') ? 'error' : undefined);
    await using another = await openStore(`s3://another/p?endpoint=${proxy.endpoint}`, { s3: { credentials }, attempts: 1 });
    await expect(another.stat('none')).rejects.toMatchObject({ code: 'STORE_ERROR', message: expect.stringContaining('InternalError') });
    proxy.fault = () => undefined;
  },
);

test.each([
  ['small', 10, /^PUT /],
  ['a part', 200_000, /^PUT .*partNumber=2/],
  ['large', 200_000, /^POST .*uploadId=/],
])('a server that says it has written, and has not, is found out: %s', async (_, bytes, lied) => {
  const store = await open();
  await store.put('believed', chunks(Buffer.from('before')));
  const before = await store.stat('believed');
  proxy.fault = (_n, request) => (lied.test(request) ? 'lie' : undefined);
  await expect(store.put('believed', chunks(Buffer.alloc(bytes)))).rejects.toMatchObject({ code: expect.stringMatching(/^STORE_/) });
  await expect(store.put('new', chunks(Buffer.alloc(bytes)))).rejects.toMatchObject({ code: expect.stringMatching(/^STORE_/) });
  proxy.fault = () => undefined;
  expect(await store.stat('believed')).toEqual(before);
  expect(await store.stat('new')).toBeUndefined();
  expect(server.uploads.size).toBe(0);
  await store[Symbol.asyncDispose]();
});

test.each([1000, 300_000])('%s bytes: the server says itself that it has what was sent', async (size) => {
  await using own = await startFakeS3();
  await using store = await openStore(`s3://bucket/p?endpoint=${own.endpoint}`, { s3: { credentials, partBytes: 64 << 10 } });
  const content = Buffer.alloc(size, 'some of it');
  expect(await store.put('one', chunks(content, 5000))).toMatchObject({ vouched: true });
  own.refuseChecksums = true;
  expect(await store.put('two', chunks(content, 5000))).toMatchObject({ vouched: false });
});

test.each([1000, 300_000])('%s bytes of which the server keeps others: found before it is told as written', async (size) => {
  await using own = await startFakeS3();
  await using store = await openStore(`s3://bucket/p?endpoint=${own.endpoint}`, { s3: { credentials, partBytes: 64 << 10 } });
  own.damage = (content) => Buffer.concat([content.subarray(0, -1), Buffer.from([(content.at(-1) ?? 0) ^ 1])]);
  await expect(store.put('one', chunks(Buffer.alloc(size, 'some of it'), 5000))).rejects.toMatchObject({
    code: 'STORE_ERROR',
    message: expect.stringContaining('the server has other bytes than were sent'),
  });
});
