// Archives that lie in S3 or behind HTTP: restored whole and in part, verified, shown; connections that break, and what changes meanwhile.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { listArchive } from '#dist/app/archive/list-archive.js';
import { openStored } from '#dist/app/archive/open-bytes.js';
import { showSnapshot } from '#dist/app/archive/show-snapshot.js';
import { verifySnapshot } from '#dist/app/archive/verify-snapshot.js';
import { type RestoreOptions, restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import { takeSnapshot } from '#dist/app/snapshot/take-snapshot.js';
import { fitsWhole } from '#dist/frame/decode.js';
import { MemoryStore } from '#dist/store/memory-store.js';
import type { Store } from '#dist/store/store.js';
import { createDatabase, type TestDatabase } from '../../server/index.js';
import { type FaultyProxy, startFaultyProxy } from '../../store/faulty-proxy.js';
import { type FileServer, startFileServer } from '../../store/file-server.js';
import { type FakeS3, startFakeS3 } from '../../store/s3-server.js';
import { digest, makeSample, type Sample, sampleRows, sessionsLeft } from './restore-sample.js';

/** One row that no reader holds as a whole, and many small tables. */
const more = `
  CREATE TABLE app.giant (id int PRIMARY KEY, body text);
  INSERT INTO app.giant VALUES (1, repeat('a long row ', 3100000)), (2, 'a short one');
  DO $$ BEGIN FOR i IN 1..25 LOOP
    EXECUTE format('CREATE TABLE app.small_%s AS SELECT g AS id, md5(g::text) FROM generate_series(1, %s) g', i, i);
  END LOOP; END $$`;
const rows = sampleRows + 2n + BigInt((25 * 26) / 2);

const s3 = { credentials: { accessKeyId: 'key', secretAccessKey: 'secret' } };
const store = { s3, attempts: 3, stallMs: 5000 };

let sample: Sample;
let expected: Record<string, string>;
let content: Buffer;
let web: FileServer;
let fake: FakeS3;
let proxy: FaultyProxy;
beforeAll(async () => {
  sample = await makeSample({ sql: more });
  expected = await digest(sample.source);
  content = await readFile(sample.file);
  [web, fake] = await Promise.all([startFileServer(), startFakeS3()]);
  proxy = await startFaultyProxy(fake.endpoint);
  for (const ending of ['', '.sha256', '.manifest.json']) {
    const bytes = await readFile(`${sample.file}${ending}`);
    web.files.set(`/public/sample.tar.zst${ending}`, bytes);
    await fetch(`${fake.endpoint}/bucket/some/sample.tar.zst${ending}`, {
      method: 'PUT',
      body: bytes,
      headers: { 'x-amz-content-sha256': await sha256(bytes) },
    });
  }
});
afterAll(async () => {
  await Promise.all([web, proxy, fake, sample].map((one) => one?.[Symbol.asyncDispose]()));
});
beforeEach(() => {
  web.seen.length = 0;
  web.bytes = 0;
  web.sends = () => Number.POSITIVE_INFINITY;
  web.files.set('/public/sample.tar.zst', content);
  proxy.seen = [];
  proxy.fault = () => undefined;
});

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', bytes)).toString('hex');
}

const inS3 = () => `s3://bucket/some/sample.tar.zst?endpoint=${proxy.endpoint}&region=us-east-1`;
const onTheWeb = () => `http://user:pa55word@${web.origin.slice(7)}/public/sample.tar.zst?token=t0ken`;
const secrets = /pa55word|t0ken/;

const restore = (target: TestDatabase, file: RestoreOptions['file'], options: Partial<RestoreOptions> = {}) =>
  restoreSnapshot({ database: target.url, file, jobs: 3, store, ...options });

const marks = async (target: TestDatabase) => {
  const [{ there } = { there: null }] = await target.query(`SELECT to_regclass('tidemark_restoring.restore') AS there`);
  return there === null ? [] : target.query<{ file: string }>('SELECT file FROM tidemark_restoring.restore');
};

test('the sample has a member that is too large to be held', async () => {
  const { manifest } = await showSnapshot({ file: sample.file });
  expect(manifest.tables.flatMap(({ chunks }) => chunks).filter((chunk) => !fitsWhole(chunk))).toHaveLength(1);
});

test.each([
  ['S3', inS3],
  ['HTTP', onTheWeb],
])('from %s: the same rows, the same definitions; few requests', async (_, url) => {
  await using target = await createDatabase();
  expect(await restore(target, url())).toMatchObject({ rows, leftOut: [] });
  expect(await digest(target)).toEqual(expected);
  expect(web.seen.length + proxy.seen.length).toBeLessThan(40);
  expect(web.seen.every(({ headers }) => headers.authorization !== undefined)).toBe(true);
});

test('into tables that are there, by one session', async () => {
  await using target = await createDatabase();
  const tables = ['app.giant', 'app.small_*'];
  await restore(target, sample.file, { tables });
  await target.run('DELETE FROM app.small_20; UPDATE app.giant SET body = NULL');
  await restore(target, inS3(), { tables, truncate: true });
  const digests = await digest(target);
  for (const name of ['app.giant', 'app.small_20', 'app.small_3']) expect(digests[name]).toBe(expected[name]);
});

test('the connection may break in every answer once', async () => {
  await using target = await createDatabase();
  // Reads go on side by side, so all that is harmed may be of the same one: it is tried once more than that.
  const harmed = 10;
  proxy.fault = (n) => (n % 2 === 0 && n < 2 * harmed ? (['cut', 'drop', 'error', 'refuse', 'short'] as const)[(n / 2) % 5] : undefined);
  expect(await restore(target, inS3(), { store: { ...store, attempts: harmed + 1 } })).toMatchObject({ rows });
});

test('wherever the store dies: one clear error, the state of the database, nothing left running', async () => {
  await using counted = await createDatabase();
  await restore(counted, onTheWeb());
  const requests = web.seen.length;
  expect(requests).toBeGreaterThan(6);
  for (let last = 0; last < requests; last += 4) {
    await using target = await createDatabase();
    web.seen.length = 0;
    web.sends = (n) => (n < last ? Number.POSITIVE_INFINITY : n % 2 === 0 ? undefined : 1);
    const failed = await restore(target, onTheWeb(), { store: { attempts: 1 } }).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'STORE_ERROR', message: expect.stringContaining('sample.tar.zst'), hint: expect.any(String) });
    expect(String(failed)).not.toMatch(secrets);
    expect(await sessionsLeft(target)).toEqual([]);
    const [mark] = await marks(target);
    if (mark === undefined) continue;
    expect(String(failed)).toContain('is marked incomplete');
    expect(mark.file).toBe(`${web.origin}/public/sample.tar.zst`);
    web.sends = () => Number.POSITIVE_INFINITY;
    if (last + 4 >= requests) expect(await restore(target, onTheWeb())).toMatchObject({ rows });
  }
});

test('an archive that is replaced meanwhile is never mixed with the new one', async () => {
  await using target = await createDatabase();
  web.sends = (n) => {
    if (n === 5) web.files.set('/public/sample.tar.zst', Buffer.from(content));
    if (n === 5) web.files.get('/public/sample.tar.zst')?.writeUInt8(0xff, 1000);
    return Number.POSITIVE_INFINITY;
  };
  await expect(restore(target, onTheWeb())).rejects.toMatchObject({
    code: 'STORE_CONFLICT',
    message: expect.stringMatching(/it is not the same object any more.*; database/),
  });
});

test('a restore is given up while the store is silent', async () => {
  await using target = await createDatabase();
  const controller = new AbortController();
  proxy.fault = (n) => {
    if (n < 6) return undefined;
    setImmediate(() => controller.abort());
    return 'stall';
  };
  await expect(restore(target, inS3(), { signal: controller.signal })).rejects.toMatchObject({ code: 'ABORTED' });
  expect(await sessionsLeft(target)).toEqual([]);
});

test('verify reads every byte once, and what lies beside', async () => {
  const report = await verifySnapshot({ file: onTheWeb(), store });
  expect(report).toMatchObject({ path: `${web.origin}/public/sample.tar.zst`, bytes: BigInt(content.length), rows });
  expect(report.sidecars).toEqual([`sample.tar.zst.manifest.json beside ${report.path}`, `sample.tar.zst.sha256 beside ${report.path}`]);
  const whole = content.length + (web.files.get('/public/sample.tar.zst.manifest.json')?.length ?? 0);
  expect(web.bytes).toBeLessThan(whole + 300_000);
  expect(await verifySnapshot({ file: inS3(), store })).toMatchObject({
    sha256: report.sha256,
    sidecars: [expect.any(String), expect.any(String)],
  });
});

test('verify finds what is damaged, and what lies wrongly beside', async () => {
  const harmed = Buffer.from(content);
  harmed.writeUInt8(harmed.readUInt8(5000) ^ 1, 5000);
  web.files.set('/public/sample.tar.zst', harmed);
  await expect(verifySnapshot({ file: onTheWeb(), store })).rejects.toMatchObject({ code: 'ARCHIVE_CORRUPT' });
  web.files.set('/public/other.tar.zst', content);
  web.files.set('/public/other.tar.zst.sha256', Buffer.from(`${'0'.repeat(64)}  other.tar.zst\n`));
  await expect(verifySnapshot({ file: `${web.origin}/public/other.tar.zst` })).rejects.toMatchObject({
    code: 'ARCHIVE_CORRUPT',
    message: expect.stringContaining('other.tar.zst.sha256 beside'),
  });
});

test('show and list read little, and say the name without secrets', async () => {
  const shown = await showSnapshot({ file: onTheWeb(), store });
  expect(shown).toMatchObject({ file: `${web.origin}/public/sample.tar.zst`, bytes: BigInt(content.length) });
  const listed = await listArchive({ file: onTheWeb(), store });
  expect(listed.file).toBe(shown.file);
  expect(listed.lines).toEqual((await listArchive({ file: sample.file })).lines);
});

test.each([
  ['that is not there', () => `${web.origin}/public/none.tar.zst`, 'OBJECT_MISSING'],
  ['that is no archive', () => `${web.origin}/public/wrong.tar.zst`, 'ARCHIVE_INVALID'],
  ['that is cut short', () => `${web.origin}/public/short.tar.zst`, 'ARCHIVE_TRUNCATED'],
  ['on a server that is not there', () => 'http://127.0.0.1:1/x.tar.zst', 'STORE_ERROR'],
  ['of plain HTTP elsewhere', () => 'http://192.0.2.1/x.tar.zst', 'USAGE'],
])('an archive %s is refused', async (_, url, code) => {
  web.files.set('/public/wrong.tar.zst', Buffer.from('not an archive'));
  web.files.set('/public/short.tar.zst', content.subarray(0, content.length >> 1));
  const name = url();
  for (const open of [showSnapshot, verifySnapshot, listArchive]) {
    await expect(open({ file: name, store: { attempts: 1 } })).rejects.toMatchObject({ code, hint: expect.any(String) });
  }
});

test('of one table among many no more is read than it has', async () => {
  await using source = await createDatabase();
  await source.run(`
    CREATE TABLE big (id int, body bytea); CREATE TABLE events (id int PRIMARY KEY, body bytea);
    CREATE FUNCTION noise(seed int, n int) RETURNS bytea LANGUAGE sql AS
      $$ SELECT string_agg(sha512((seed || ':' || i)::bytea), '') FROM generate_series(1, n) i $$;
    INSERT INTO big SELECT g, noise(g, 512) FROM generate_series(1, 990) g;
    INSERT INTO events SELECT g, noise(-g, 64) FROM generate_series(1, 80) g;`);
  const file = join(sample.folder, 'one-percent.tar.zst');
  await takeSnapshot({ database: source.url, file, jobs: 2, compressLevel: 1 });
  const archive = await readFile(file);
  const counting = new MemoryStore() as Store;
  await counting.put('x.tar.zst', [archive] as never);
  let bytes = 0;
  const get = counting.get.bind(counting);
  counting.get = async function* (key, options) {
    for await (const piece of get(key, options)) {
      bytes += piece.length;
      yield piece;
    }
  };
  const [events, big] = await Promise.all(['events', 'big'].map(async (name) => sizeOf(file, name)));
  expect(Number(events) / Number(big)).toBeLessThan(0.012);
  await using target = await createDatabase();
  await restore(target, await openStored(counting, 'x.tar.zst'), { tables: ['events'] });
  expect(await target.query('SELECT count(*)::int AS n, md5(string_agg(body, NULL ORDER BY id)) FROM events')).toEqual(
    await source.query('SELECT count(*)::int AS n, md5(string_agg(body, NULL ORDER BY id)) FROM events'),
  );
  expect(bytes / archive.length).toBeLessThan(0.03);
});

async function sizeOf(file: string, table: string): Promise<bigint> {
  const { manifest } = await showSnapshot({ file });
  const found = manifest.tables.find(({ name }) => name === table);
  return (found?.chunks ?? []).reduce((sum, { length }) => sum + length, 0n);
}
