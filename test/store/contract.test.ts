// The contract of stores, kept by each kind. S3 is a small server of the tests' own, or the real one that TIDEMARK_TEST_S3 names:
// TIDEMARK_TEST_S3=http://127.0.0.1:9000 npx vitest run test/store/contract.test.ts; with TIDEMARK_TEST_S3_RACES=no for a server that does not
// complete uploads under a condition in one step.
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll } from 'vitest';
import { MemoryStore } from '#dist/store/memory-store.js';
import { openStore } from '#dist/store/open-store.js';
import { storeContract } from './contract.js';
import { startFakeS3 } from './s3-server.js';

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const ended: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const end of ended) await end();
});

storeContract({
  name: 'memory',
  largeBytes: 300_000,
  async open() {
    const store = new MemoryStore();
    return [store, store];
  },
});

storeContract({
  name: 'directory',
  largeBytes: 3_000_000,
  async open() {
    const directory = await mkdtemp(join(tmpdir(), 'tidemark-store-'));
    ended.push(() => rm(directory, { recursive: true, force: true }));
    const path = join(directory, 'made when needed');
    return [await openStore(path), await openStore(pathToFileURL(path).href)];
  },
});

storeContract({
  name: 'S3, the server of the tests',
  largeBytes: 300_000,
  async open() {
    const server = await startFakeS3({ pageSize: 3 });
    ended.push(async () => server[Symbol.asyncDispose]());
    const url = `s3://bucket/some/prefix?endpoint=${server.endpoint}&region=auto`;
    const options = { s3: { credentials, partBytes: 64 << 10 } };
    return [await openStore(url, options), await openStore(url, options)];
  },
});

const real = process.env.TIDEMARK_TEST_S3;
if (real === undefined) console.info('stores: not tried on a real S3 server; TIDEMARK_TEST_S3 names one, like http://127.0.0.1:9000');
else {
  storeContract({
    name: 'S3, a real server',
    largeBytes: 13_000_000,
    racesUploads: process.env.TIDEMARK_TEST_S3_RACES !== 'no',
    async open() {
      const bucket = `tidemark-${randomUUID()}`;
      const client = new S3Client({ endpoint: real, region: 'us-east-1', credentials, forcePathStyle: true });
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
      client.destroy();
      const url = `s3://${bucket}/some/prefix?endpoint=${real}&part-size=5MiB`;
      return [await openStore(url, { s3: { credentials } }), await openStore(url, { s3: { credentials } })];
    },
  });
}
