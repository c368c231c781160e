// Archives that refer to others, where those are not as they should be, or cannot be reached; and bases that nothing can be taken from.
import { copyFile, mkdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openStored } from '#dist/app/archive/open-bytes.js';
import { showSnapshot } from '#dist/app/archive/show-snapshot.js';
import { verifySnapshot } from '#dist/app/archive/verify-snapshot.js';
import { type RestoreOptions, restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import { takeSnapshot } from '#dist/app/snapshot/take-snapshot.js';
import { describeManifest } from '#dist/cli/report.js';
import type { TidemarkEvent } from '#dist/model/events.js';
import { openStore } from '#dist/store/open-store.js';
import { connect, createDatabase, startServer, type TestDatabase } from '../../server/index.js';
import { startFakeS3 } from '../../store/s3-server.js';
import { type TemporaryDirectory, temporaryDirectory } from '../../temporary-directory.js';
import { addThousand, contents, makeIndexer, referred, take } from './completed-partitions-sample.js';

let folder: TemporaryDirectory;
let db: TestDatabase;
let base: string;
let newest: string;
let kept: Buffer;
const at = (name: string): string => join(folder.path, name);
beforeAll(async () => {
  folder = await temporaryDirectory();
  await mkdir(at('old'));
  base = at('old/base.tar.zst');
  newest = at('newest.tar.zst');
  db = await makeIndexer([0]);
  await take(db, base);
  await db.run(addThousand(1000));
  await take(db, newest, base);
  kept = await readFile(base);
});
afterAll(async () => {
  await db?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});
beforeEach(() => writeFile(base, kept));

const restore = async (options: Omit<RestoreOptions, 'database'>): Promise<unknown> => {
  await using target = await createDatabase();
  const result = await restoreSnapshot({ database: target.url, jobs: 2, ...options }).catch((error: unknown) => error);
  if (!(result instanceof Error)) return await contents(target);
  expect(await target.query(`SELECT nspname FROM pg_namespace WHERE nspname = 'tidemark_restoring'`)).toEqual([]);
  return result;
};

test('from another folder, by one session, in place of another database, and through a link', async () => {
  const expected = await contents(db);
  await symlink(newest, at('latest.tar.zst'));
  expect(await restore({ file: at('latest.tar.zst') })).toEqual(expected);
  await using target = await createDatabase();
  await restoreSnapshot({ database: target.url, file: newest, schemaOnly: true });
  await restoreSnapshot({ database: target.url, file: newest, truncate: true, jobs: 1 });
  expect((await contents(target)).rows).toEqual(expected.rows);
  await restoreSnapshot({ database: target.url, file: newest, swap: true });
  expect(await contents(target)).toEqual(expected);
});

test('show says what is needed, and what of which tables', async () => {
  const shown = await showSnapshot({ file: newest });
  const text = describeManifest(shown);
  expect(text).toMatch(/other archives that it needs:\n {2}old\/base\.tar\.zst: [\d.]+ kB, rows of 3 tables/);
  expect(text).toMatch(/public\.events_0 .*in another archive/);
});

const harms: Readonly<Record<string, () => Promise<void>>> = {
  missing: () => rm(base),
  'cut short': () => truncate(base, kept.length - 1),
  'another archive in its place': () => copyFile(newest, base),
  'another archive of the same size': async () => {
    const other = Buffer.from(kept);
    // The last byte of the hash in the checksum frame, which is followed by the seek table of 8 n + 17 bytes.
    const frames = other.readUInt32LE(other.length - 9);
    const place = other.length - (8 * frames + 17) - 1;
    other.writeUInt8(other.readUInt8(place) ^ 1, place);
    await writeFile(base, other);
  },
};
test.each(Object.entries(harms))('the other archive is %s: nothing is changed, and the error says which', async (_, harm) => {
  await harm();
  const error = {
    code: 'ARCHIVE_MISSING_PART',
    message: expect.stringContaining('old/base.tar.zst'),
    hint: expect.stringContaining('put old/base.tar.zst back'),
  };
  expect(await restore({ file: newest })).toMatchObject(error);
  await expect(restoreSnapshot({ database: db.url, file: newest, dryRun: true, clean: true })).rejects.toMatchObject(error);
  await expect(verifySnapshot({ file: newest })).rejects.toMatchObject(error);
  // What needs nothing of it is restored.
  await using target = await createDatabase();
  expect(await restoreSnapshot({ database: target.url, file: newest, tables: ['blocks'] })).toMatchObject({ rows: 2000n });
});

test('a chunk of the other archive is damaged: both find it, and say in which archive', async () => {
  const { manifest } = await showSnapshot({ file: newest });
  const chunk = manifest.tables.find((table) => table.in === 0)?.chunks[0];
  const harmed = Buffer.from(kept);
  const place = Number(chunk?.offset) + 100;
  harmed.writeUInt8(harmed.readUInt8(place) ^ 1, place);
  await writeFile(base, harmed);
  await expect(verifySnapshot({ file: newest })).rejects.toMatchObject({
    code: 'ARCHIVE_CORRUPT',
    message: expect.stringContaining('in old/base.tar.zst'),
  });
  await using target = await createDatabase();
  await expect(restoreSnapshot({ database: target.url, file: newest })).rejects.toMatchObject({
    code: 'ARCHIVE_CORRUPT',
    message: expect.stringContaining('base.tar.zst'),
  });
});

test('from a pipe: refused before anything, unless what is wanted is in it', async () => {
  const piped = async () => Readable.from([await readFile(newest)]);
  expect(await restore({ file: await piped() })).toMatchObject({
    code: 'ARCHIVE_MISSING_PART',
    message: expect.stringContaining('a pipe'),
  });
  await using target = await createDatabase();
  expect(await restoreSnapshot({ database: target.url, file: await piped(), tables: ['blocks'] })).toMatchObject({ rows: 2000n });
});

test('a base that cannot be one: what is a mistake is refused, what does not fit is exported', async () => {
  const completed = { tables: ['events'], base };
  const options = { database: db.url, jobs: 1, height: 1999n };
  await expect(takeSnapshot({ ...options, file: base, completed })).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining('take its place'),
  });
  await expect(takeSnapshot({ ...options, file: new PassThrough(), completed })).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining('a stream'),
  });
  await expect(takeSnapshot({ database: db.url, file: at('x.tar.zst'), completed })).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining('height'),
  });
  await expect(takeSnapshot({ ...options, file: at('x.tar.zst'), completed: { tables: ['nothing'] } })).rejects.toMatchObject({
    code: 'PATTERN_UNMATCHED',
  });
  await expect(
    takeSnapshot({ ...options, file: at('x.tar.zst'), completed: { ...completed, base: at('none.tar.zst') } }),
  ).rejects.toMatchObject({ code: 'FILE_ERROR' });
  await using server = await startServer();
  await using session = await connect(server.url);
  await session.query(
    'CREATE TABLE events (height int) PARTITION BY RANGE (height); CREATE TABLE events_0 PARTITION OF events FOR VALUES FROM (0) TO (10)',
  );
  const notices: string[] = [];
  const onEvent = (event: TidemarkEvent) => void (event.type === 'notice' && notices.push(event.message));
  const { manifest } = await takeSnapshot({ ...options, database: server.url, file: at('foreign.tar.zst'), completed, onEvent });
  expect(manifest.archives).toBeUndefined();
  expect(notices).toEqual([
    expect.stringMatching(/all partitions are exported, for nothing of .*base\.tar\.zst can be referred to: it is of another server/),
  ]);
});

test('what the base refers to is gone: exported again', async () => {
  await rename(base, at('away.tar.zst'));
  const third = await take(db, at('third.tar.zst'), newest);
  expect(referred(third.manifest)).toEqual({ 'newest.tar.zst': ['events_1000', 'moves_1000_a', 'moves_1000_b'] });
  expect(third.notices).toContainEqual(expect.stringContaining('old/base.tar.zst, which'));
  expect(await restore({ file: third.file })).toEqual(await contents(db));
});

test('in S3: side by side, in folders, and by an opened store', async () => {
  await using server = await startFakeS3();
  const s3 = { credentials: { accessKeyId: 'key', secretAccessKey: 'secret' } };
  await using store = await openStore(`s3://bucket/chain?endpoint=${server.endpoint}&region=us-east-1`, { s3 });
  for (const [key, path] of [
    ['2026/old/base.tar.zst', base],
    ['2026/newest.tar.zst', newest],
  ] as const) {
    const content = await readFile(path);
    await store.put(
      key,
      (async function* () {
        yield content;
      })(),
      {},
    );
  }
  const url = `s3://bucket/chain/2026/newest.tar.zst?endpoint=${server.endpoint}&region=us-east-1`;
  const expected = await contents(db);
  expect(await restore({ file: url, store: { s3 } })).toEqual(expected);
  expect(await restore({ file: await openStored(store, '2026/newest.tar.zst') })).toEqual(expected);
  expect(await verifySnapshot({ file: url, store: { s3 } })).toMatchObject({ others: [{ file: 'old/base.tar.zst', chunks: 3 }] });
  await store.remove('2026/old/base.tar.zst');
  expect(await restore({ file: url, store: { s3 } })).toMatchObject({ code: 'ARCHIVE_MISSING_PART' });
});

/** The same numbers for the same seed. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test('whatever happens between the snapshots, and while they are taken, the newest restores to what it saw', {
  timeout: 120_000,
}, async () => {
  await using source = await makeIndexer([0, 1000, 2000]);
  const next = random(42);
  const height = (): number => next(3000);
  const mutations: readonly (() => string)[] = [
    () => `UPDATE events SET data = jsonb_build_object('r', ${next(1000)}) WHERE height BETWEEN ${height()} AND ${height()} + 3`,
    () => `DELETE FROM events WHERE height = ${height()}`,
    () => `WITH gone AS (DELETE FROM moves WHERE height = ${height()} RETURNING *) INSERT INTO moves SELECT * FROM gone`,
    () => `INSERT INTO events SELECT ${height()}, 100 + ${next(1000)}, 'new' ON CONFLICT DO NOTHING`,
    () => `VACUUM ${['', 'FULL', '(FREEZE)'][next(3)]} events_${next(3)}000`.replace('_0000', '_0'),
    () => `UPDATE moves SET payload = payload WHERE height = ${height()}`,
  ];
  let from: string | undefined;
  for (let turn = 0; turn < 8; turn += 1) {
    for (let i = next(3); i > 0; i -= 1) await source.run(mutations[next(mutations.length)]?.() ?? '');
    const file = at(`random-${turn}.tar.zst`);
    const writing = source.run(
      `UPDATE blocks SET hash = 'w${turn}' WHERE height = ${height()}; UPDATE events SET kind = 'new' WHERE height = ${height()}`,
    );
    await take(source, file, from);
    await writing;
    from = file;
  }
  const last = await take(source, at('random-last.tar.zst'), from);
  expect(Object.keys(referred(last.manifest)).length).toBeGreaterThan(0);
  expect(await restore({ file: last.file })).toEqual(await contents(source));
});
