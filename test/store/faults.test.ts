// A store in S3 told lies at each request in turn: errors, replies that are lost or cut after the work was done, success with an error in it.
// No false success, no half object, nothing dangling after the next start. With a real server behind it where TIDEMARK_TEST_S3 names one.
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { CreateBucketCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStore } from '#dist/store/open-store.js';
import { S3Store } from '#dist/store/s3/s3-store.js';
import type { Store } from '#dist/store/store.js';
import { chunks, keysOf, read } from './contract.js';
import { type Fault, type FaultyProxy, faults, startFaultyProxy } from './faulty-proxy.js';
import { type FakeS3, startFakeS3 } from './s3-server.js';

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const real = process.env.TIDEMARK_TEST_S3;
const partBytes = real === undefined ? 64 << 10 : 5 << 20;
const small = randomBytes(10_000);
const large = randomBytes(Math.round(partBytes * 2.5));
const bucket = real === undefined ? 'bucket' : `tidemark-${randomUUID()}`;

let server: FakeS3;
let proxy: FaultyProxy;
let direct: Store;

beforeAll(async () => {
  server = await startFakeS3();
  proxy = await startFaultyProxy(real ?? server.endpoint);
  if (real !== undefined) await client().send(new CreateBucketCommand({ Bucket: bucket }));
  direct = await openStore(`s3://${bucket}/prefix?endpoint=${real ?? server.endpoint}`, { s3: { credentials } });
});
afterAll(async () => {
  await direct[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

function client(): S3Client {
  return new S3Client({ endpoint: real ?? server.endpoint, region: 'us-east-1', credentials, forcePathStyle: true });
}

async function dangling(): Promise<number> {
  const { Uploads } = await client().send(new ListMultipartUploadsCommand({ Bucket: bucket }));
  return Uploads?.length ?? 0;
}

/** Through the proxy; waits are cut out. Only where silence is the fault it is short. */
function harmed(attempts: number, stallMs: number): Promise<S3Store> {
  const location = `s3://${bucket}/prefix`;
  const patience = { attempts, wait: () => Promise.resolve() };
  return S3Store.open({ bucket, prefix: 'prefix', location, credentials, endpoint: proxy.endpoint, partBytes, patience, stallMs });
}

interface Work {
  readonly name: string;
  readonly prepare?: () => Promise<unknown>;
  readonly run: (store: Store) => Promise<unknown>;
  /** What must hold when it succeeded. */
  readonly done: () => Promise<unknown>;
  /** What must hold when it failed. */
  readonly undone: () => Promise<unknown>;
}

const old = Buffer.from('old');
const putOld = () => direct.put('object', chunks(old));
const has = async (...contents: Buffer[]) => {
  const found = await read(direct, 'object');
  expect(contents.some((content) => content.equals(found))).toBe(true);
};
const isAbsentOr = async (content: Buffer) => {
  if ((await direct.stat('object')) !== undefined) await has(content);
};

const works: readonly Work[] = [
  ...[small, large].flatMap((content): Work[] => {
    const size = content === small ? 'small' : 'large';
    return [
      {
        name: `write, ${size}`,
        prepare: putOld,
        run: (store) => store.put('object', chunks(content)),
        done: () => has(content),
        undone: () => has(old, content),
      },
      {
        name: `write where there is none, ${size}`,
        run: (store) => store.put('object', chunks(content), { ifAbsent: true }),
        done: () => has(content),
        undone: () => isAbsentOr(content),
      },
      {
        name: `write in place of one version, ${size}`,
        prepare: putOld,
        run: async (store) => store.put('object', chunks(content), { ifVersion: (await direct.stat('object'))?.version ?? '' }),
        done: () => has(content),
        undone: () => has(old, content),
      },
      {
        name: `write and read back, ${size}`,
        run: (store) => store.put('object', chunks(content), { sha256: createHash('sha256').update(content).digest('hex') }),
        done: () => has(content),
        undone: () => isAbsentOr(content),
      },
      {
        name: `read, ${size}`,
        prepare: () => direct.put('object', chunks(content)),
        run: async (store) =>
          expect((await read(store, 'object', { version: (await direct.stat('object'))?.version ?? '' })).equals(content)).toBe(true),
        done: () => has(content),
        undone: () => has(content),
      },
      {
        name: `read a range, ${size}`,
        prepare: () => direct.put('object', chunks(content)),
        run: async (store) =>
          expect((await read(store, 'object', { range: { from: 10n, bytes: 5000n } })).equals(content.subarray(10, 5010))).toBe(true),
        done: () => has(content),
        undone: () => has(content),
      },
    ];
  }),
  {
    name: 'look',
    prepare: putOld,
    run: async (store) => expect((await store.stat('object'))?.bytes).toBe(3n),
    done: () => has(old),
    undone: () => has(old),
  },
  {
    name: 'list',
    prepare: putOld,
    run: async (store) => expect(await keysOf(store)).toEqual(['object']),
    done: () => has(old),
    undone: () => has(old),
  },
  {
    name: 'remove',
    prepare: putOld,
    run: (store) => store.remove('object'),
    done: async () => expect(await direct.stat('object')).toBeUndefined(),
    undone: () => isAbsentOr(old),
  },
];

/** Does the work with a fault at the request k and those that follow, for each k until there is none so late. */
async function each(
  work: Work,
  fault: Fault,
  attempts: number,
  isHit: (n: number, k: number) => boolean,
  judge: (error?: Error) => void,
): Promise<void> {
  for (let k = 0; ; k += 1) {
    await direct.remove('object');
    await work.prepare?.();
    const store = await harmed(attempts, fault === 'stall' ? 200 : 30_000);
    proxy.seen = [];
    let hit = false;
    proxy.fault = (n) => {
      if (!isHit(n, k)) return undefined;
      hit = true;
      return fault;
    };
    const failed = await work.run(store).then(
      () => undefined,
      (error: Error) => error,
    );
    proxy.fault = () => undefined;
    if (!hit) {
      expect(failed).toBeUndefined();
      await store[Symbol.asyncDispose]();
      return;
    }
    if (failed) expect(failed).toMatchObject({ name: 'TidemarkError', code: expect.stringMatching(/^STORE_(ERROR|CONFLICT)$/) });
    await (failed ? work.undone() : work.done());
    judge(failed);
    await store.cleanUp({ olderThanMs: 0 });
    expect(await dangling()).toBe(0);
    await store[Symbol.asyncDispose]();
  }
}

const shown = real === undefined ? faults : faults.filter((fault) => fault !== 'stall');

describe.each(works)('$name', (work) => {
  test.each(shown)('%s, at each request in turn: it is got over', async (fault) => {
    await each(
      work,
      fault,
      fault === 'stall' ? 6 : 3,
      (n, k) => n === k,
      (error) => expect(error).toBeUndefined(),
    );
  });

  test.each(shown)('%s, at each request in turn and all after it: no false success', async (fault) => {
    let failures = 0;
    await each(
      work,
      fault,
      2,
      (n, k) => n >= k,
      (error) => {
        if (error) failures += 1;
      },
    );
    // Some do no harm: what is without a body cannot be cut short.
    if (['error', 'refuse', '200-error', 'stall'].includes(fault)) expect(failures).toBeGreaterThan(0);
  });
});
