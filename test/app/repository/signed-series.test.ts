// A series whose snapshots are signed: wherever a publisher is killed, no archive is there without its signature, and the next start neither counts
// nor points to one that has none. TIDEMARK_TEST_ROUNDS has it do more places.
import { execFile } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { verifySnapshot } from '#dist/app/archive/verify-snapshot.js';
import type { LayoutName } from '#dist/app/repository/layout.js';
import { publishSnapshot } from '#dist/app/repository/publish-snapshot.js';
import { type Listing, Repository, type RepositoryOptions } from '#dist/app/repository/repository.js';
import { verifyStored } from '#dist/app/repository/stored-snapshots.js';
import { takeOverRepository } from '#dist/app/repository/take-over.js';
import { createScheduler } from '#dist/app/schedule/create-scheduler.js';
import { generateKeys } from '#dist/app/seal/keygen.js';
import { takeSnapshot } from '#dist/app/snapshot/take-snapshot.js';
import { openStore } from '#dist/store/open-store.js';
import { startCli } from '../../cli/run-cli.js';
import { createDatabase, type TestDatabase } from '../../server/index.js';
import { startFaultyProxy } from '../../store/faulty-proxy.js';
import { startFakeS3 } from '../../store/s3-server.js';
import { type TemporaryDirectory, temporaryDirectory } from '../../temporary-directory.js';

const victim = fileURLToPath(new URL('signed-victim.mjs', import.meta.url));
const s3 = { credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
const long = process.env.TIDEMARK_TEST_ROUNDS !== undefined;
const limit = { timeout: 240_000 };

let db: TestDatabase;
let keys: TemporaryDirectory;
let folder: TemporaryDirectory;
const key = (name: string): string => join(keys.path, name);
const signing = () => ({ signKey: key('ours.key') });
const readers = () => ({ verifyKeys: [key('ours.pub')], identities: [key('ours.age-identity')] });
beforeAll(async () => {
  db = await createDatabase();
  await db.run('CREATE TABLE blocks (hash text); INSERT INTO blocks SELECT md5(n::text) FROM generate_series(1, 1000) n');
  keys = await temporaryDirectory();
  for (const name of ['ours', 'theirs']) await generateKeys({ name: key(name) });
  await generateKeys({ name: key('ours'), age: true });
});
afterAll(async () => {
  await db[Symbol.asyncDispose]();
  await keys[Symbol.asyncDispose]();
});
beforeEach(async () => {
  folder = await temporaryDirectory();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await folder[Symbol.asyncDispose]();
});

/** As a scheduler begins. */
async function start(options: RepositoryOptions): Promise<Listing> {
  await using repository = new Repository(options);
  const writer = await takeOverRepository(repository);
  await repository.clearUp();
  await repository.verifyUnknown();
  await writer.catchUp();
  return await repository.list();
}

async function latestOf(store: string): Promise<string | undefined> {
  const text = await readFile(join(store, 'latest.json'), 'utf8').catch(() => '{"snapshots":{}}');
  return Object.values<{ archive: string }>(JSON.parse(text).snapshots)[0]?.archive;
}

const isArchive = (name: string): boolean => /\.tar\.zst(\.age)?$/.test(name);
const signatureOf = (archive: string): string =>
  archive.includes('/') ? `${archive.slice(0, archive.lastIndexOf('/'))}/manifest.json.minisig` : `${archive}.manifest.json.minisig`;

/** @returns whether it was killed */
function runVictim(options: object): Promise<boolean> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [victim, JSON.stringify(options)], (error, _, stderr) => {
      if (error !== null && error.signal !== 'SIGKILL') reject(new Error(stderr));
      else resolve(error !== null);
    });
  });
}

describe('killed', () => {
  const layouts = [
    ['dated', 'encrypted'],
    ['flat', 'plain'],
  ] as const;
  test.each(layouts.slice(0, long ? 2 : 1))(
    'before each change of a name in a directory, %s, %s',
    limit,
    async (layout: LayoutName, kind) => {
      const store = folder.path;
      const series = { store, prefix: 's', layout };
      const snapshot = { ...signing(), ...(kind === 'encrypted' && { encryptTo: [`@${key('ours.age-recipient')}`] }) };
      await publishSnapshot({ ...series, database: db.url, height: 1n, jobs: 1, ...snapshot });
      let adopted = 0;
      for (let killAt = 1; ; killAt += 1) {
        const killed = await runVictim({ database: db.url, series, height: String(killAt + 1), killAt, snapshot });
        const before = (await readdir(store, { recursive: true })).filter(isArchive);
        for (const archive of before) await verifySnapshot({ file: join(store, archive), ...readers() });
        // The scheduler itself asks for no other signature than its own.
        const { snapshots, unknown } = await start({ ...series, signKey: key('ours.key'), identities: readers().identities });
        const names = await readdir(store, { recursive: true });
        expect(
          names.filter((name) => /\.(writing|signature|tidemark)$/.test(name) && !name.includes('.token-')),
          `${killAt}`,
        ).toEqual([]);
        expect(names.filter((name) => name.endsWith('.minisig')).sort()).toEqual(names.filter(isArchive).map(signatureOf).sort());
        expect([unknown, snapshots.map((one) => one.key).sort()]).toEqual([[], before.sort()]);
        expect(await latestOf(store)).toBe(snapshots[0]?.key);
        await verifySnapshot({ file: store, prefix: 's', ...readers() });
        if (!killed) break;
        if (before.length > 1) adopted += 1;
        for (const one of snapshots.slice(0, -1)) {
          await using repository = new Repository(series);
          await repository.remove(one);
        }
        await rm(join(store, 'latest.json'));
      }
      // After the archive had its name: at least before what lies beside it, its record, and the pointer.
      expect(adopted).toBeGreaterThan(3);
    },
  );

  // In short runs at the archive, and what lies beside it.
  const places = long ? /^(PUT|POST|DELETE)/ : /^PUT .*(tar\.zst\?|minisig|sha256|manifest\.json\?)/;

  test('at each change in S3', limit, async () => {
    await using server = await startFakeS3();
    await using proxy = await startFaultyProxy(server.endpoint);
    const store = (endpoint: string) => `s3://bucket/p?endpoint=${endpoint}&region=us-east-1`;
    const env = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
    const args = ['--store', store(proxy.endpoint), '--prefix', 's', '--sign', key('ours.key'), '-j', '1'];
    let adopted = 0;
    for (let killAt = 0, done = false; !done; killAt += 1) {
      let changes = 0;
      let caught: () => void = () => undefined;
      const isCaught = new Promise<boolean>((resolve) => {
        caught = () => resolve(true);
      });
      proxy.fault = (_, request) => {
        if (!places.test(request) || changes++ < killAt) return undefined;
        caught();
        return 'stall';
      };
      const cli = startCli(['snapshot', '-d', db.url, '--height', String(killAt + 2), ...args], { env });
      const killed = await Promise.race([isCaught, cli.ended.then(() => false)]);
      cli.child.kill('SIGKILL');
      const { stderr, exitCode } = await cli.ended;
      if (!killed) expect(exitCode, stderr).toBe(0);
      const names = () => [...server.objects.keys()].map((name) => name.slice(2));
      const before = names().filter(isArchive);
      expect(
        before.map(signatureOf).filter((name) => !names().includes(name)),
        `${killAt}`,
      ).toEqual([]);
      const place = { store: store(server.endpoint), prefix: 's' };
      const { snapshots, unknown } = await start({ ...place, storeOptions: { s3 }, ...signing() });
      expect([unknown, snapshots.map((one) => one.key).sort()]).toEqual([[], before.sort()]);
      expect(
        names()
          .filter((name) => name.endsWith('.minisig'))
          .sort(),
      ).toEqual(before.map(signatureOf).sort());
      if (before.length > 0) await verifySnapshot({ file: place.store, prefix: 's', store: { s3 }, ...readers() });
      if (killed && before.length > 0) adopted += 1;
      done = !killed;
      server.objects.clear();
      server.uploads.clear();
    }
    expect(adopted).toBeGreaterThan(long ? 3 : 0);
  });
});

/** An archive without a record, as a version that signed after its publication may have left it, or anybody put it there. */
async function leave(store: string, name: string, signKey?: string): Promise<string> {
  const file = join(store, name);
  await takeSnapshot({ database: db.url, file, height: BigInt(/\d+/.exec(name)?.[0] ?? 0), jobs: 1, ...(signKey && { signKey }) });
  return file;
}

test.each(['option', 'environment'])('one without our signature neither counts nor is pointed to, until it has one (%s)', async (where) => {
  const store = folder.path;
  const series = { store, prefix: 's', ...(where === 'option' && signing()) };
  if (where === 'environment') vi.stubEnv('TIDEMARK_SIGN_KEY', key('ours.key'));
  await publishSnapshot({ store, prefix: 's', database: db.url, height: 1n, jobs: 1, ...signing() });
  const unsigned = await leave(store, 's-2.tar.zst', key('theirs.key'));
  await leave(store, 's-3.tar.zst', key('theirs.key'));
  await rm(`${unsigned}.manifest.json.minisig`);
  for (const look of [start, verifyStored]) {
    const { snapshots, unknown } = await look(series);
    expect(snapshots.map(({ id }) => id)).toEqual(['s-1']);
    expect(unknown.map(({ id, problem }) => [id, problem])).toEqual([
      ['s-2', expect.any(String)],
      ['s-3', expect.any(String)],
    ]);
  }
  expect(await latestOf(store)).toBe('s-1.tar.zst');
  // By hand, by whoever has the key and knows the archive.
  await mkdir(join(folder.path, 'signed'));
  const { manifestText } = await verifySnapshot({ file: unsigned });
  const { signManifest, parseSecretKey } = { ...(await import('#dist/seal/signature.js')), ...(await import('#dist/seal/key-files.js')) };
  const signature = signManifest(manifestText, {
    key: parseSecretKey(await readFile(key('ours.key'), 'utf8'), 'ours'),
    trustedComment: 'by hand',
  });
  await using opened = await openStore(store);
  const { putSmall } = await import('#dist/store/small-object.js');
  await putSmall(opened, 's-2.tar.zst.manifest.json.minisig', signature);
  const { snapshots } = await start(series);
  expect(snapshots.map(({ id }) => id)).toEqual(['s-2', 's-1']);
  expect(await latestOf(store)).toBe('s-2.tar.zst');
});

test('one that has a record and no signature is not pointed to; encrypted, and without an identity, the signature has to be there', async () => {
  const store = folder.path;
  const one = { store, prefix: 's', database: db.url, jobs: 1 };
  await publishSnapshot({ ...one, height: 1n, ...signing(), encryptTo: [`@${key('ours.age-recipient')}`] });
  await publishSnapshot({ ...one, height: 2n, encryptTo: [`@${key('ours.age-recipient')}`] });
  await publishSnapshot({ ...one, height: 3n });
  await publishSnapshot({ ...one, height: 4n, signKey: key('theirs.key') });
  await rm(join(store, 'latest.json'));
  await start({ store, prefix: 's', ...signing() });
  expect(await latestOf(store)).toBe('s-1.tar.zst.age');
  // What another has signed is pointed to where that one's key counts.
  await start({ store, prefix: 's', ...signing(), verifyKeys: [key('theirs.pub')] });
  expect(await latestOf(store)).toBe('s-4.tar.zst');
  // Without keys as ever.
  await rm(join(store, 's-4.tar.zst'));
  await start({ store, prefix: 's' });
  expect(await latestOf(store)).toBe('s-3.tar.zst');
});

test('a signature that somebody has put where one is to be is left as it is: the next name is taken', async () => {
  const store = folder.path;
  await copyFile(key('ours.pub'), join(store, 's-5.tar.zst.manifest.json.minisig'));
  const series = { store, prefix: 's' };
  expect(await runVictim({ database: db.url, series, height: '5', killAt: 0, snapshot: signing() })).toBe(false);
  expect((await start({ ...series, ...signing() })).snapshots.map(({ id }) => id)).toEqual(['s-5.2']);
  expect(await readFile(join(store, 's-5.tar.zst.manifest.json.minisig'))).toEqual(await readFile(key('ours.pub')));
});

test.each(['of the series', 'of its snapshots'])(
  'a scheduler signs with the key %s, which all that it finds must be signed with',
  async (whose) => {
    const store = folder.path;
    await takeSnapshot({ database: db.url, file: join(store, 's-20200101T000000Z.tar.zst'), jobs: 1 });
    const scheduler = createScheduler({
      db: db.url,
      store,
      prefix: 's',
      rules: { rules: [{ by: 'height', every: 1000n }], whenNone: false },
      position: { heightQuery: 'SELECT count(*) FROM blocks' },
      retention: { last: 2 },
      ...(whose === 'of the series' ? { ...signing(), snapshot: { jobs: 1 } } : { snapshot: { jobs: 1, ...signing() } }),
    });
    const { key: archive } = await scheduler.snapshotNow();
    await verifySnapshot({ file: join(store, archive), verifyKeys: [key('ours.pub')] });
    const { unknown } = await scheduler.status();
    await scheduler.close();
    expect(unknown.map(({ id }) => id)).toEqual(['s-20200101T000000Z']);
  },
);
