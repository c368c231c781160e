// What names a store, and what is wrong with what does not; nothing of a URL is repeated that may be secret.
import { describe, expect, test } from 'vitest';
import { DirectoryStore } from '#dist/store/directory-store.js';
import { openStore } from '#dist/store/open-store.js';
import { loadSdk } from '#dist/store/s3/sdk.js';
import { parseStoreUrl } from '#dist/store/store-url.js';

test.each([
  ['snapshots', { kind: 'directory', path: 'snapshots' }],
  ['/var/lib/a b', { kind: 'directory', path: '/var/lib/a b' }],
  ['./s3:x', { kind: 'directory', path: './s3:x' }],
  ['file:///var/lib/a%20b', { kind: 'directory', path: '/var/lib/a b' }],
  ['s3://bucket', { kind: 's3', bucket: 'bucket', prefix: '', location: 's3://bucket', settings: {} }],
  ['s3://my.bucket/a/b/', { kind: 's3', bucket: 'my.bucket', prefix: 'a/b', location: 's3://my.bucket/a/b', settings: {} }],
  [
    's3://b-1/a%20b?endpoint=https://x.r2.cloudflarestorage.com&region=auto&path-style=false&profile=p&part-size=64MiB',
    {
      kind: 's3',
      bucket: 'b-1',
      prefix: 'a b',
      location: 's3://b-1/a%20b?endpoint=https://x.r2.cloudflarestorage.com&region=auto&path-style=false&profile=p&part-size=64MiB',
      settings: { endpoint: 'https://x.r2.cloudflarestorage.com', region: 'auto', pathStyle: false, profile: 'p', partBytes: 64 << 20 },
    },
  ],
])('%s', (url, parsed) => {
  expect(parseStoreUrl(url)).toEqual(parsed);
});

test.each([
  ['', 'empty'],
  ['ftp://user:s3cret@host/x', 'scheme'],
  ['postgres://user:s3cret@host/x', 'scheme'],
  ['file://host/s3cret', 'no file of this machine'],
  ['https://', 'no valid URL'],
  ['s3://', 'bucket'],
  ['s3:///s3cret', 'bucket'],
  ['s3://key:s3cret@bucket/x', 'credentials'],
  ['s3://bucket/%zz', '%'],
  ['s3://bucket/x#y', '#'],
  ['s3://bucket/x?secret=s3cret', 'parameter'],
  ['s3://bucket/x?region=a&region=b', 'region twice'],
  ['s3://bucket/x?region=', 'region is empty'],
  ['s3://bucket/x?endpoint=s3cret', 'endpoint'],
  ['s3://bucket/x?endpoint=https://user:s3cret@host', 'endpoint'],
  ['s3://bucket/x?path-style=s3cret', 'path-style'],
  ['s3://bucket/x?part-size=1MiB', 'part-size'],
  ['s3://bucket/x?part-size=6GiB', 'part-size'],
  ['http://host/x?s3cret', 'plain HTTP'],
])('%s: refused', async (url, what) => {
  const error = await openStore(url).catch((one: unknown) => one);
  expect(error).toMatchObject({ name: 'TidemarkError', code: 'USAGE', message: expect.stringContaining(what), hint: expect.any(String) });
  expect(`${(error as Error).message} ${JSON.stringify(error)}`).not.toContain('s3cret');
});

describe('S3', () => {
  test('without its package: what to install', async () => {
    const missing = () =>
      Promise.reject(Object.assign(new Error("Cannot find package '@aws-sdk/client-s3'"), { code: 'ERR_MODULE_NOT_FOUND' }));
    await expect(loadSdk(missing)).rejects.toMatchObject({ code: 'PACKAGE_MISSING', hint: 'npm install @aws-sdk/client-s3@3' });
  });

  test('nobody there', async () => {
    const s3 = { credentials: { accessKeyId: 'k', secretAccessKey: 's3cret', sessionToken: 's3crettoken' } };
    await using store = await openStore('s3://bucket/x?endpoint=http://127.0.0.1:1', { s3, attempts: 1 });
    const error = await store.stat('x').catch((one: unknown) => one);
    expect(error).toMatchObject({ code: 'STORE_ERROR', hint: 'check the endpoint and the network', details: { code: 'ECONNREFUSED' } });
    expect(`${(error as Error).message} ${JSON.stringify(error)} ${String((error as Error).cause)}`).not.toContain('s3cret');
  });
});

test('a directory', async () => {
  expect(await openStore('x')).toBeInstanceOf(DirectoryStore);
});
