// Archives that refer to others, published in S3, encrypted and signed; the same behind HTTP. Bases that are somebody else's, or not signed as they
// must be; and restores of all of it as from strangers, on other versions of the server.
import { posix } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listArchive } from '#dist/app/archive/list-archive.js';
import { showSnapshot } from '#dist/app/archive/show-snapshot.js';
import { verifySnapshot } from '#dist/app/archive/verify-snapshot.js';
import { publishSnapshot } from '#dist/app/repository/publish-snapshot.js';
import { restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import { generateKeys } from '#dist/app/seal/keygen.js';
import type { TidemarkEvent } from '#dist/model/events.js';
import { createDatabase, type TestDatabase } from '../../server/index.js';
import { type FileServer, startFileServer } from '../../store/file-server.js';
import { type FakeS3, startFakeS3 } from '../../store/s3-server.js';
import { type TemporaryDirectory, temporaryDirectory } from '../../temporary-directory.js';
import { createLoaderDatabase } from '../../untrusted/loader.js';
import { addThousand, contents, makeIndexer, referred } from './completed-partitions-sample.js';

const storeOptions = { s3: { credentials: { accessKeyId: 'key', secretAccessKey: 'secret' } } };
let folder: TemporaryDirectory;
let s3: FakeS3;
let http: FileServer;
let db: TestDatabase;
let expected: Awaited<ReturnType<typeof contents>>;
let base: string;
let newest: string;
const file = (name: string): string => posix.join(folder.path, name);
const trust = () => ({ verifyKeys: [file('ours.pub')], identities: [file('ours.age-identity')] });
const store = (): string => `s3://bucket/chain?endpoint=${s3.endpoint}&region=us-east-1`;
const inS3 = (key: string): string => `s3://bucket/chain/${key}?endpoint=${s3.endpoint}&region=us-east-1`;
const behindHttp = (key: string): string => `${http.origin}/chain/${key}`;

/** Puts what is in the bucket behind the server of files. */
function serve(): void {
  http.files.clear();
  for (const [name, { content }] of s3.objects) http.files.set(`/${name}`, content);
}

const notices: string[] = [];
async function publish(options: Partial<Parameters<typeof publishSnapshot>[0]> = {}) {
  notices.length = 0;
  const published = await publishSnapshot({
    database: db.url,
    store: store(),
    storeOptions,
    layout: 'dated',
    prefix: 'main',
    jobs: 2,
    heightQuery: 'SELECT max(height) FROM public.blocks',
    completed: { tables: ['events', 'public.moves'] },
    signKey: file('ours.key'),
    encryptTo: [`@${file('ours.age-recipient')}`],
    ...trust(),
    onEvent: (event: TidemarkEvent) => void (event.type === 'notice' && notices.push(event.message)),
    ...options,
  });
  return { ...published, key: published.snapshot.key };
}

beforeAll(async () => {
  folder = await temporaryDirectory();
  [s3, http] = await Promise.all([startFakeS3(), startFileServer()]);
  for (const name of ['ours', 'theirs']) {
    await generateKeys({ name: file(name) });
    await generateKeys({ name: file(name), age: true });
  }
  db = await makeIndexer([0]);
  base = (await publish()).key;
  await db.run(addThousand(1000));
  const published = await publish();
  newest = published.key;
  expect(Object.values(referred(published.manifest)).flat()).toEqual(['events_0', 'moves_0_a', 'moves_0_b']);
  expected = await contents(db);
  serve();
});
afterAll(async () => {
  await db?.[Symbol.asyncDispose]();
  await s3?.[Symbol.asyncDispose]();
  await http?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

describe.each([
  ['in S3', inS3],
  ['behind HTTP', behindHttp],
])('encrypted and signed, %s', (_, url) => {
  const options = () => ({ file: url(newest), store: storeOptions, ...trust() });
  const basename = () => posix.basename(base);

  test('is shown, listed, verified and restored', async () => {
    expect(await showSnapshot(options())).toMatchObject({
      encrypted: true,
      manifest: { archives: [{ file: expect.stringContaining(basename()) }] },
    });
    expect((await listArchive(options())).entries.length).toBeGreaterThan(10);
    expect(await verifySnapshot(options())).toMatchObject({ others: [{ chunks: 3 }], signature: { keyId: expect.any(String) } });
    await using target = await createDatabase();
    await restoreSnapshot({ ...options(), database: target.url, jobs: 2 });
    expect(await contents(target)).toEqual(expected);
  });

  test('whose base is another archive of the same name: said before anything is done; what needs nothing of it still works', async () => {
    const [name, other] = [`chain/${base}`, `chain/${newest}`];
    const [kept, keptServed] = [s3.objects.get(name), http.files.get(`/${name}`)];
    const [otherKept, otherServed] = [s3.objects.get(other), http.files.get(`/${other}`)];
    if (!kept || !keptServed || !otherKept || !otherServed) throw new Error('the archives are not there');
    s3.objects.set(name, otherKept);
    http.files.set(`/${name}`, otherServed);
    try {
      const missing = { code: 'ARCHIVE_MISSING_PART', message: expect.stringContaining(basename()), hint: expect.any(String) };
      await expect(verifySnapshot(options())).rejects.toMatchObject(missing);
      await using target = await createDatabase();
      await expect(restoreSnapshot({ ...options(), database: target.url })).rejects.toMatchObject(missing);
      expect(await showSnapshot(options())).toMatchObject({ encrypted: true });
      expect(await restoreSnapshot({ ...options(), database: target.url, tables: ['blocks'] })).toMatchObject({ rows: 2000n });
    } finally {
      s3.objects.set(name, kept);
      http.files.set(`/${name}`, keptServed);
    }
  });

  test('is refused as from a stranger, and without an identity, before a server is asked', async () => {
    const nowhere = 'postgres://nobody@127.0.0.1:1/none';
    await expect(restoreSnapshot({ ...options(), database: nowhere, untrusted: true })).rejects.toMatchObject({
      code: 'ARCHIVE_INVALID',
      message: expect.stringContaining('part of its rows is in another one'),
    });
    const without = { ...options(), identities: [file('theirs.age-identity')], database: nowhere };
    await expect(restoreSnapshot(without)).rejects.toMatchObject({ code: 'IDENTITY_MISSING' });
  });
});

test('a base that is not signed as it must be is told, and nothing is referred to; by its name it is an error', async () => {
  const theirs = await publish({ prefix: 'theirs', signKey: file('theirs.key'), verifyKeys: [file('theirs.pub')] });
  const next = await publish({ prefix: 'theirs' });
  expect(next.manifest.archives).toBeUndefined();
  expect(notices).toContainEqual(expect.stringMatching(/^all partitions are exported: .*signature/));
  const named = { tables: ['events'], base: inS3(theirs.key), store: storeOptions, ...trust() };
  await expect(publish({ prefix: 'theirs', completed: named })).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
  s3.objects.delete(`chain/${theirs.key}.manifest.json.minisig`);
  s3.objects.delete(`chain/${posix.dirname(theirs.key)}/manifest.json.minisig`);
  await expect(publish({ prefix: 'theirs', completed: named })).rejects.toMatchObject({ code: 'SIGNATURE_MISSING' });
  expect([...s3.uploads.keys()]).toEqual([]);
});

describe('from a stranger', () => {
  let whole: string;
  beforeAll(async () => {
    whole = (await publish({ prefix: 'whole', completed: undefined as never, statistics: false })).key;
    serve();
  });

  test.each([
    [14, behindHttp],
    [17, inS3],
  ] as const)('into PostgreSQL %s', async (version, url) => {
    await using target = await createLoaderDatabase({ version });
    const { leftOut } = await restoreSnapshot({
      file: url(whole),
      store: storeOptions,
      ...trust(),
      database: target.url,
      jobs: 2,
      untrusted: true,
    });
    expect((await contents(target.database)).rows).toEqual(expected.rows);
    expect(leftOut.map(({ kind }) => kind)).toEqual(['owner']);
  });
});
