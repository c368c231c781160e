// A series whose snapshots are signed and encrypted: by a scheduler in a directory, by hand in a store; what is not signed does not count, and
// a record that says it has been verified is no way around that.
import { copyFile, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifySnapshot } from '#dist/app/archive/verify-snapshot.js';
import { bootstrap } from '#dist/app/bootstrap/bootstrap.js';
import { drillSnapshot } from '#dist/app/drill/drill.js';
import { publishSnapshot, pushSnapshot } from '#dist/app/repository/publish-snapshot.js';
import { verifyStored } from '#dist/app/repository/stored-snapshots.js';
import { createScheduler } from '#dist/app/schedule/create-scheduler.js';
import { generateKeys } from '#dist/app/seal/keygen.js';
import { takeSnapshot } from '#dist/app/snapshot/take-snapshot.js';
import { MemoryStore } from '#dist/store/memory-store.js';
import { createDatabase, type TestDatabase } from '../../server/index.js';
import { type TemporaryDirectory, temporaryDirectory } from '../../temporary-directory.js';

let folder: TemporaryDirectory;
let source: TestDatabase;
const file = (name: string): string => join(folder.path, name);
const trust = () => ({ verifyKeys: [file('ours.pub')], identities: [file('ours.age-identity')] });
const sealing = () => ({ signKey: file('ours.key'), encryptTo: [`@${file('ours.age-recipient')}`] });

beforeAll(async () => {
  folder = await temporaryDirectory();
  source = await createDatabase();
  await source.run('CREATE TABLE blocks (height bigint PRIMARY KEY); INSERT INTO blocks SELECT n FROM generate_series(1, 100) n');
  await generateKeys({ name: file('ours') });
  await generateKeys({ name: file('ours'), age: true });
});
afterAll(async () => {
  await source.drop();
  await folder[Symbol.asyncDispose]();
});

test.each(['flat', 'dated'] as const)(
  'a scheduler signs and encrypts, needs no identity for it, and drills with one (%s)',
  async (layout) => {
    const store = file(`scheduled-${layout}`);
    const scheduler = createScheduler({
      db: source.url,
      store,
      layout,
      rules: { rules: [{ by: 'height', every: 1000n }], whenNone: false },
      position: { heightQuery: 'SELECT max(height) FROM blocks' },
      retention: { last: 2 },
      snapshot: sealing(),
    });
    const taken = await scheduler.snapshotNow();
    await scheduler.close();
    expect(taken.key).toMatch(layout === 'flat' ? /^snapshot-100\.tar\.zst\.age$/ : /^snapshot\/[\d-]+\/snapshot\.tar\.zst\.age$/);
    const report = await verifySnapshot({ file: join(store, taken.key), ...trust() });
    expect(report.sha256).toBe(taken.verification.sha256);
    expect(report.sidecars).toHaveLength(2);
    expect(await drillSnapshot({ store, layout, server: source.url, ...trust() })).toMatchObject({ ok: true, rows: 100n });
    const without = await drillSnapshot({ store, layout, server: source.url });
    expect(without).toMatchObject({ ok: false, error: { code: 'IDENTITY_MISSING' } });
    await using target = await createDatabase();
    expect(await bootstrap({ store, layout, database: target.url, ...trust() })).toMatchObject({ action: 'restored', rows: 100n });
    for (const name of await readdir(store, { recursive: true })) {
      const content = await readFile(join(store, name)).catch(() => Buffer.alloc(0));
      expect(content.includes('"blocks"'), name).toBe(false);
    }
  },
);

test('a snapshot straight into a store, and a second of the same height, plain: each has a name of its own', async () => {
  const store = new MemoryStore();
  const place = { store, prefix: 'a' };
  const sealed = await publishSnapshot({ ...place, database: source.url, height: 5n, ...sealing() });
  const plain = await publishSnapshot({ ...place, database: source.url, height: 5n, signKey: file('ours.key') });
  expect([sealed.snapshot.key, plain.snapshot.key]).toEqual(['a-5.tar.zst.age', 'a-5.2.tar.zst']);
  const keys = [];
  for await (const { key } of store.list('a-5')) keys.push(key);
  expect(keys.sort()).toEqual([
    'a-5.2.tar.zst',
    'a-5.2.tar.zst.manifest.json',
    'a-5.2.tar.zst.manifest.json.minisig',
    'a-5.2.tar.zst.sha256',
    'a-5.2.tar.zst.verified.json',
    'a-5.tar.zst.age',
    'a-5.tar.zst.age.manifest.json.age',
    'a-5.tar.zst.age.manifest.json.minisig',
    'a-5.tar.zst.age.sha256',
    'a-5.tar.zst.age.verified.json',
  ]);
});

test('push takes the signature along, and refuses what is not signed', async () => {
  const archive = file('x.tar.zst.age');
  await takeSnapshot({ database: source.url, file: archive, height: 7n, ...sealing() });
  const store = file('pushed');
  const pushed = await pushSnapshot({ store, file: archive, ...trust() });
  expect(pushed).toMatchObject({ sent: true, snapshot: { key: 'snapshot-7.tar.zst.age' } });
  expect(await pushSnapshot({ store, file: archive, ...trust() })).toMatchObject({ sent: false });
  await verifySnapshot({ file: join(store, pushed.snapshot.key), ...trust() });
  await rm(`${archive}.manifest.json.minisig`);
  await expect(pushSnapshot({ store: file('never'), file: archive, ...trust() })).rejects.toThrow(
    expect.objectContaining({ code: 'SIGNATURE_MISSING' }),
  );
});

test('an unsigned snapshot with a record of its verification is not restored, nor passed over for an older one', async () => {
  const store = file('mixed');
  await publishSnapshot({ store, database: source.url, height: 1n, signKey: file('ours.key') });
  await publishSnapshot({ store, database: source.url, height: 2n });
  const options = { store, verifyKeys: [file('ours.pub')] };
  await using target = await createDatabase();
  await expect(bootstrap({ ...options, database: target.url })).rejects.toThrow(expect.objectContaining({ code: 'SIGNATURE_MISSING' }));
  expect(await target.query(`SELECT 1 FROM pg_class WHERE relname = 'blocks'`)).toEqual([]);
  // Without its record it does not count, and why is told.
  await rm(join(store, 'snapshot-2.tar.zst.verified.json'));
  const { snapshots, unknown } = await verifyStored(options);
  expect(snapshots.map(({ id }) => id)).toEqual(['snapshot-1']);
  expect(unknown).toMatchObject([{ id: 'snapshot-2' }]);
  // The signature of another one does not help it.
  await copyFile(join(store, 'snapshot-1.tar.zst.manifest.json.minisig'), join(store, 'snapshot-2.tar.zst.manifest.json.minisig'));
  expect((await verifyStored(options)).snapshots.map(({ id }) => id)).toEqual(['snapshot-1']);
  expect(await bootstrap({ ...options, database: target.url })).toMatchObject({ action: 'restored', snapshot: { id: 'snapshot-1' } });
});
