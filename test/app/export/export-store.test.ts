// Exports into stores and imports from them: what lies there, that the manifest comes last, and that nothing stays where it fails.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ExportOptions, exportTables } from '#dist/app/export/export-tables.js';
import { importTables } from '#dist/app/import/import-tables.js';
import { parseSums } from '#dist/archive/export-manifest.js';
import { MemoryStore } from '#dist/store/memory-store.js';
import { openStore } from '#dist/store/open-store.js';
import { readSmall } from '#dist/store/small-object.js';
import type { PutOptions, Store } from '#dist/store/store.js';
import { runCli, startCli } from '../../cli/run-cli.js';
import { createDatabase, type TestDatabase } from '../../server/index.js';
import { startFaultyProxy } from '../../store/faulty-proxy.js';
import { startFileServer } from '../../store/file-server.js';
import { type FakeS3, startFakeS3 } from '../../store/s3-server.js';
import { makeFolder } from './export-sample.js';

const tables = `
  CREATE TABLE blocks (height bigint PRIMARY KEY, hash text NOT NULL);
  CREATE TABLE events (id bigserial PRIMARY KEY, height bigint REFERENCES blocks, data text);
  CREATE TABLE nothing (x int);`;
const rows = `
  INSERT INTO blocks SELECT g, md5(g::text) FROM generate_series(1, 3000) g;
  INSERT INTO events (height, data) SELECT 1 + g % 3000, repeat(md5(g::text), 3) FROM generate_series(1, 20000) g;`;
const contents = `SELECT (SELECT md5(string_agg(b::text, ',' ORDER BY height)) FROM blocks b) AS blocks,
                         (SELECT md5(string_agg(e::text, ',' ORDER BY id)) FROM events e) AS events`;

let source: TestDatabase;
let s3: FakeS3;
beforeAll(async () => {
  s3 = await startFakeS3({ pageSize: 2 });
  source = await createDatabase();
  await source.run(tables);
  await source.run(rows);
});
afterAll(async () => {
  await source.drop();
  await s3[Symbol.asyncDispose]();
});

const store = { s3: { credentials: { accessKeyId: 'key', secretAccessKey: 'secret' } } };
const urlOf = (prefix: string): string => `s3://bucket/${prefix}?endpoint=${s3.endpoint}&region=us-east-1`;
const exportTo = (directory: string | Store, more: Partial<ExportOptions> = {}) =>
  exportTables({ database: source.url, directory, store, jobs: 2, compressLevel: 1, ...more });
const keysBelow = (prefix: string): string[] => [...s3.objects.keys()].filter((key) => key.startsWith(`${prefix}/`));

async function target(): Promise<TestDatabase> {
  const made = await createDatabase();
  await made.run(tables);
  return made;
}

const files = [
  'SHA256SUMS',
  'manifest.json',
  'public.blocks.csv.zst',
  'public.events.csv.zst',
  'public.nothing.csv.zst',
  'schema-after.sql',
  'schema.sql',
];

test('into S3 and back: the same files as in a folder, the manifest last', async () => {
  const { manifest, directory } = await exportTo(urlOf('one'));
  expect(directory).toMatch(/^s3:\/\/bucket\/one/);
  const keys = keysBelow('one');
  expect(keys.at(0)).toBe('one/schema.sql');
  expect(keys.at(-1)).toBe('one/manifest.json');
  expect(keys.toSorted()).toEqual(files.map((name) => `one/${name}`));
  const contentOf = (name: string): Buffer => s3.objects.get(`one/${name}`)?.content ?? Buffer.alloc(0);
  const sums = parseSums(contentOf('SHA256SUMS').toString());
  expect([...sums.keys()].toSorted()).toEqual(files.slice(1));
  for (const [name, sha256] of sums) expect(createHash('sha256').update(contentOf(name)).digest('hex'), name).toBe(sha256);
  expect(manifest.totals.rows).toBe(23000n);
  await using into = await target();
  expect(await importTables({ database: into.url, directory: urlOf('one'), store })).toMatchObject({ rows: 23000n, tables: 3 });
  expect(await into.query(contents)).toEqual(await source.query(contents));
});

test('a table that is sent in parts', async () => {
  await using db = await createDatabase();
  // Does not compress: 8 MiB is the least that makes a second part.
  await db.run(
    `CREATE TABLE noise AS SELECT string_agg(sha256((g * 1000 + i)::text::bytea), '') AS b FROM generate_series(1, 12000) g, generate_series(1, 35) i GROUP BY g`,
  );
  const { manifest } = await exportTo(urlOf('parts'), { database: db.url, format: 'binary' });
  expect(manifest.tables[0]?.bytes).toBeGreaterThan(8n << 20n);
  expect(s3.uploads.size).toBe(0);
  await using into = await createDatabase();
  await into.run('CREATE TABLE noise (b bytea)');
  await importTables({ database: into.url, directory: urlOf('parts'), store });
  const digest = `SELECT md5(string_agg(md5(b), '' ORDER BY b)) FROM noise`;
  expect(await into.query(digest)).toEqual(await db.query(digest));
});

test('from a web server', async () => {
  await exportTo(urlOf('web'));
  await using web = await startFileServer();
  for (const key of keysBelow('web')) web.files.set(`/${key}`, s3.objects.get(key)?.content ?? Buffer.alloc(0));
  await using into = await target();
  expect(await importTables({ database: into.url, directory: `${web.origin}/web` })).toMatchObject({ rows: 23000n });
  expect(await into.query(contents)).toEqual(await source.query(contents));
  await expect(exportTo(`${web.origin}/web`)).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining('it can only be read'),
  });
  await expect(importTables({ database: into.url, directory: `${web.origin}/nowhere` })).rejects.toMatchObject({
    code: 'ARCHIVE_INVALID',
    message: expect.stringContaining('manifest.json of'),
  });
});

test('a file: URL is the folder', async () => {
  await using folder = await makeFolder();
  const directory = new URL(`file://${folder.path}/out`).href;
  expect((await exportTo(directory)).directory).toBe(`${folder.path}/out`);
  await using into = await target();
  expect(await importTables({ database: into.url, directory })).toMatchObject({ rows: 23000n });
});

describe('a place that is taken', () => {
  test('by an export, or by anything else', async () => {
    const place = new MemoryStore();
    await exportTo(place);
    const before = [...(await keysOf(place))];
    await expect(exportTo(place)).rejects.toMatchObject({
      code: 'STORE_CONFLICT',
      message: expect.stringContaining('there is an export already'),
    });
    expect(await keysOf(place)).toEqual(before);
    // Without a marker nobody can say whose it is.
    await place.remove('manifest.json');
    await expect(exportTo(place)).rejects.toMatchObject({
      code: 'STORE_CONFLICT',
      message: expect.stringMatching(/it is not empty \(.*, \.\.\.\)/),
    });
  });

  test('by an export that was killed: its files go, with its uploads, and nothing else', async () => {
    const prefix = 'killed';
    const killed = await killedAt(prefix, /\/killed\/public\.events\.csv\.zst/);
    expect(keysBelow(prefix)).toEqual(expect.arrayContaining(['killed/export.writing', 'killed/schema.sql']));
    expect(keysBelow(prefix)).not.toContain('killed/manifest.json');
    expect(killed).toBe('SIGKILL');
    // An import finds no export, and what is not ours keeps the place from being taken.
    await using into = await target();
    await expect(importTables({ database: into.url, directory: urlOf(prefix), store })).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' });
    await using opened = await openStore(urlOf(prefix), store);
    const before = keysBelow(prefix);
    await opened.put('theirs.txt', once('theirs'));
    await expect(exportTo(urlOf(prefix))).rejects.toMatchObject({
      code: 'STORE_CONFLICT',
      message: expect.stringContaining('it is not empty (theirs.txt)'),
    });
    expect(keysBelow(prefix).toSorted()).toEqual([...before, 'killed/theirs.txt'].toSorted());
    await opened.remove('theirs.txt');
    for (const name of ['public.events.csv.zst', 'theirs.bin'])
      s3.uploads.set(name, { name: `${prefix}/${name}`, id: name, metadata: {}, parts: new Map(), begun: new Date() });
    const messages: string[] = [];
    const onEvent: ExportOptions['onEvent'] = (event) => event.type === 'notice' && messages.push(event.message);
    // Other tables, in another format: what is left is known by its marker.
    await exportTo(urlOf(prefix), { onEvent, tables: ['blocks'], format: 'text' });
    expect(messages).toEqual([expect.stringMatching(/what an export that was not completed had left in .* is removed: [1-9]\d* files/)]);
    expect(keysBelow(prefix).toSorted()).toEqual(
      ['SHA256SUMS', 'manifest.json', 'public.blocks.copy.zst', 'schema-after.sql', 'schema.sql'].map((name) => `killed/${name}`),
    );
    expect([...s3.uploads.keys()]).toEqual(['theirs.bin']);
    s3.uploads.clear();
    expect(await importTables({ database: into.url, directory: urlOf(prefix), store })).toMatchObject({ rows: 3000n });
  });

  // Requests of an export in their order, from the claim on.
  test.each([/killed-\d+\/schema\.sql/, /SHA256SUMS/, /PUT .*manifest\.json/, /DELETE .*export\.writing/])(
    'by an export that was killed at %s',
    async (place) => {
      const prefix = `killed-${String(place).length}`;
      await killedAt(prefix, place);
      const whole = keysBelow(prefix).includes(`${prefix}/manifest.json`);
      expect(whole).toBe(String(place).includes('DELETE'));
      if (whole)
        await expect(exportTo(urlOf(prefix))).rejects.toMatchObject({ message: expect.stringContaining('there is an export already') });
      else await exportTo(urlOf(prefix));
      await using into = await target();
      expect(await importTables({ database: into.url, directory: urlOf(prefix), store })).toMatchObject({ rows: 23000n });
      if (!whole) expect(keysBelow(prefix).toSorted()).toEqual(files.map((name) => `${prefix}/${name}`));
    },
  );

  test('by an export whose files are being removed by one that was killed, too', async () => {
    await killedAt('twice', /SHA256SUMS/);
    await killedAt('twice', /DELETE .*public\.events/);
    expect(keysBelow('twice')).toContain('twice/public.events.csv.zst');
    await exportTo(urlOf('twice'));
    expect(keysBelow('twice').toSorted()).toEqual(files.map((name) => `twice/${name}`));
  });

  test('by one that is at work, here or on another machine; a marker of a day ago is of a killed one', async () => {
    const place = new MemoryStore();
    const marker = { write: 'x', host: 'elsewhere', machine: 'another', process: 1, at: new Date().toISOString() };
    const left = (at: Date) =>
      place.put(
        'export.writing',
        once(JSON.stringify({ tidemark: 'export', by: { ...marker, at: at.toISOString() }, files: ['schema.sql'] })),
      );
    await place.put('schema.sql', once('SELECT'));
    await left(new Date());
    await expect(exportTo(place)).rejects.toMatchObject({
      code: 'STORE_CONFLICT',
      message: expect.stringMatching(/another export is at work there \(process 1 of elsewhere, since /),
      hint: expect.stringContaining('after a day'),
    });
    expect(await keysOf(place)).toEqual(['export.writing', 'schema.sql']);
    await left(new Date(Date.now() - 25 * 3_600_000));
    await exportTo(place);
    expect(await keysOf(place)).toEqual(files);
    // What is no marker of ours is not touched.
    const foreign = new MemoryStore();
    await foreign.put('export.writing', once('mine'));
    await expect(exportTo(foreign)).rejects.toMatchObject({ message: expect.stringContaining('it is not empty (export.writing)') });
    expect(await keysOf(foreign)).toEqual(['export.writing']);
  });

  test('by one that takes it for that of a killed one: of the two, the second is whole, and the first leaves nothing', async () => {
    const place = new MemoryStore();
    let second: Promise<unknown> | undefined;
    const { put } = place;
    /** Ages the marker of the first when it comes to a file, and has the second take over. */
    const overtakeAt = (name: string): void => {
      second = undefined;
      place.put = async function (this: MemoryStore, key, from, options = {}) {
        if (key === name && second === undefined) {
          second = Promise.resolve();
          const claim = JSON.parse((await readSmall(place, 'export.writing'))?.content.toString() ?? '');
          const old = { ...claim, by: { ...claim.by, at: new Date(0).toISOString() } };
          await put.call(place, 'export.writing', once(JSON.stringify(old)), {});
          second = exportTo(place, { tables: ['blocks'] });
          await second;
        }
        return await put.call(place, key, from, options);
      };
    };
    for (const name of ['schema.sql', 'public.events.csv.zst', 'SHA256SUMS', 'manifest.json']) {
      for (const key of await keysOf(place)) await place.remove(key);
      overtakeAt(name);
      await expect(exportTo(place), name).rejects.toMatchObject({ code: 'STORE_CONFLICT' });
      await second;
      expect(await keysOf(place), name).toEqual(['SHA256SUMS', 'manifest.json', 'public.blocks.csv.zst', 'schema-after.sql', 'schema.sql']);
      await using into = await target();
      expect(await importTables({ database: into.url, directory: place })).toMatchObject({ rows: 3000n });
    }
  });

  test('by one that stood still before its manifest: it takes back what it writes too late', async () => {
    const place = new MemoryStore();
    const { put } = place;
    let taken: () => void = () => undefined;
    let gone: () => void = () => undefined;
    const isTaken = new Promise<void>((resolve) => {
      taken = resolve;
    });
    const isGone = new Promise<void>((resolve) => {
      gone = resolve;
    });
    let second: Promise<unknown> | undefined;
    place.put = async function (this: MemoryStore, key, from, options = {}) {
      if (key === 'manifest.json' && second === undefined) {
        const claim = JSON.parse((await readSmall(place, 'export.writing'))?.content.toString() ?? '');
        const old = { ...claim, by: { ...claim.by, at: new Date(0).toISOString() } };
        await put.call(place, 'export.writing', once(JSON.stringify(old)), {});
        second = exportTo(place, { tables: ['blocks'] });
        await isTaken;
      } else if (key === 'schema.sql' && second !== undefined) {
        taken();
        await isGone;
      }
      return await put.call(place, key, from, options);
    };
    await expect(exportTo(place)).rejects.toMatchObject({ code: 'STORE_CONFLICT', message: expect.stringContaining('has taken over') });
    expect(await keysOf(place)).toEqual(['export.writing']);
    gone();
    await second;
    await using into = await target();
    expect(await importTables({ database: into.url, directory: place })).toMatchObject({ rows: 3000n });
  });

  test('by another export at the same time: one of them fails, and the other one is whole', async () => {
    const place = new MemoryStore();
    const ends = await Promise.allSettled([exportTo(place), exportTo(place), exportTo(place)]);
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const end of ends) if (end.status === 'rejected') expect(end.reason).toMatchObject({ code: 'STORE_CONFLICT' });
    await using into = await target();
    expect(await importTables({ database: into.url, directory: place })).toMatchObject({ rows: 23000n });
  });
});

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

/** Kills an export at the first request that is so. @returns what ended it */
async function killedAt(prefix: string, place: RegExp): Promise<string | null> {
  await using proxy = await startFaultyProxy(s3.endpoint);
  let caught: () => void = () => undefined;
  const isCaught = new Promise<void>((resolve) => {
    caught = resolve;
  });
  proxy.fault = (_, request) => {
    if (!place.test(request)) return undefined;
    caught();
    return 'stall';
  };
  const env = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
  const to = `s3://bucket/${prefix}?endpoint=${proxy.endpoint}&region=us-east-1`;
  const running = startCli(['export', '-d', source.url, '--to', to, '-j', '1'], { env });
  await Promise.race([isCaught, running.ended.then(({ stderr }) => Promise.reject(new Error(`not caught: ${stderr}`)))]);
  running.child.kill('SIGKILL');
  return (await running.ended).signal;
}

async function keysOf(place: Store): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of place.list()) keys.push(key);
  return keys.toSorted();
}

/** Fails at one of the files: before it takes anything, or after it has taken all. */
class FailingStore extends MemoryStore {
  readonly #key: string;
  readonly #late: boolean;
  constructor(key: string, late: boolean) {
    super();
    this.#key = key;
    this.#late = late;
  }
  override async put(key: string, from: AsyncIterable<Uint8Array>, options: PutOptions = {}) {
    if (key !== this.#key) return super.put(key, from, options);
    // A reply that got lost: it is there, and who has sent it does not know.
    if (this.#late) await super.put(key, from, options);
    throw new Error('the store broke');
  }
}

describe('a failure leaves nothing', () => {
  const some = ['schema.sql', 'public.events.csv.zst', 'SHA256SUMS', 'manifest.json'];
  test.each(some.flatMap((key) => [false, true].map((late) => [key, late] as const)))(
    'of the store, at %s, its reply lost: %s',
    async (key, late) => {
      const place = new FailingStore(key, late);
      await expect(exportTo(place)).rejects.toThrow('the store broke');
      expect(await keysOf(place)).toEqual([]);
    },
  );

  test('of the server', async () => {
    await using db = await createDatabase();
    await db.run(`CREATE TABLE good AS SELECT g FROM generate_series(1, 100000) g; CREATE TABLE bad (x int, y text);`);
    await db.run(`INSERT INTO bad SELECT g, 'x' FROM generate_series(1, 1000) g`);
    await db.run(`UPDATE pg_class SET relfilenode = 999999999 WHERE relname = 'bad'`);
    await expect(exportTo(urlOf('broken'), { database: db.url })).rejects.toThrow();
    expect(keysBelow('broken')).toEqual([]);
  });

  test('and so does an abort in the middle', async () => {
    const stop = new AbortController();
    const onEvent: ExportOptions['onEvent'] = ({ type }) => type === 'table' && stop.abort();
    await expect(exportTo(urlOf('aborted'), { signal: stop.signal, onEvent })).rejects.toThrow();
    expect(keysBelow('aborted')).toEqual([]);
    expect(s3.uploads.size).toBe(0);
  });

  test('a file that is not the one that was written is found before the manifest says that it is there', async () => {
    const place = new (class extends MemoryStore {
      override async put(key: string, from: AsyncIterable<Uint8Array>, options: PutOptions = {}) {
        const stored = await super.put(key, from, options);
        if (key === 'SHA256SUMS') await super.put('public.blocks.csv.zst', from, {});
        return stored;
      }
    })();
    await expect(exportTo(place)).rejects.toMatchObject({
      code: 'STORE_CONFLICT',
      message: expect.stringContaining('is not as it was written any more'),
    });
    expect(await keysOf(place)).toEqual([]);
  });
});

test.each(['public.events.csv.zst', 'manifest.json'])('what was altered in the store is not imported: %s', async (name) => {
  const place = new MemoryStore();
  await exportTo(place);
  const pieces: Uint8Array[] = [];
  for await (const piece of place.get(name)) pieces.push(piece);
  const bytes = Buffer.concat(pieces);
  const at = bytes.length >> 1;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await place.put(name, [bytes] as unknown as AsyncIterable<Uint8Array>);
  await using into = await target();
  await expect(importTables({ database: into.url, directory: place })).rejects.toMatchObject({ code: 'ARCHIVE_CORRUPT' });
  expect(await into.query('SELECT FROM blocks UNION ALL SELECT FROM events')).toEqual([]);
});

test('the commands', async () => {
  const env = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
  const exported = await runCli(['export', '-d', source.url, '--to', urlOf('cli')], { env });
  expect(exported).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^s3:\/\/bucket\/cli.*: 3 tables, 23,000 rows/) });
  await using into = await target();
  expect(await runCli(['import', urlOf('cli'), '-d', into.url], { env })).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('23,000 rows'),
  });
  expect(await runCli(['export', '-d', source.url, '--to', urlOf('cli')], { env })).toMatchObject({
    exitCode: 9,
    stderr: expect.stringContaining('there is an export already'),
  });
});
