// Whole publications into S3 with a fault at each request in turn, alone, for a while, or for good: what is told as published is there, whole,
// counts, and is pointed to; what failed leaves nothing that counts, and nothing at all after the next start of a scheduler.
// TIDEMARK_TEST_ROUNDS has it do every fault at every request, in place of one at each kind of them.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LayoutName } from '#dist/app/repository/layout.js';
import { publishSnapshot, pushSnapshot } from '#dist/app/repository/publish-snapshot.js';
import { Repository } from '#dist/app/repository/repository.js';
import { takeOverRepository } from '#dist/app/repository/take-over.js';
import { takeSnapshot } from '#dist/app/snapshot/take-snapshot.js';
import type { StoredSnapshot } from '#dist/model/stored-snapshot.js';
import { S3Store } from '#dist/store/s3/s3-store.js';
import { createDatabase, eventually, type TestDatabase } from '../../server/index.js';
import { type Fault, type FaultyProxy, faults, startFaultyProxy } from '../../store/faulty-proxy.js';
import { type FakeS3, startFakeS3 } from '../../store/s3-server.js';
import { type TemporaryDirectory, temporaryDirectory } from '../../temporary-directory.js';

const long = process.env.TIDEMARK_TEST_ROUNDS !== undefined;
const limit = { timeout: long ? 3_600_000 : 120_000 };
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const attempts = 2;

let db: TestDatabase;
let folder: TemporaryDirectory;
let server: FakeS3;
let proxy: FaultyProxy;
beforeAll(async () => {
  db = await createDatabase();
  await db.run('CREATE TABLE blocks (hash text); INSERT INTO blocks SELECT md5(n::text) FROM generate_series(1, 1000) n');
  folder = await temporaryDirectory();
  await takeSnapshot({ database: db.url, file: file(), height: 100n, jobs: 1 });
  server = await startFakeS3({ pageSize: 7 });
  proxy = await startFaultyProxy(server.endpoint);
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

const file = () => `${folder.path}/by-hand.tar.zst`;

/** Waits are cut out. Only where silence is the fault it is short, and what is only slow is asked again. */
function open(endpoint: string, partBytes: number, isStalled = false): Promise<S3Store> {
  const stallMs = isStalled ? 1000 : 30_000;
  const patience = { attempts: isStalled ? 2 * attempts : attempts, wait: () => Promise.resolve() };
  return S3Store.open({ bucket: 'bucket', prefix: 'p', location: 's3://bucket/p', credentials, endpoint, partBytes, patience, stallMs });
}

interface Work {
  readonly name: string;
  readonly layout: LayoutName;
  readonly partBytes: number;
  /** Done in short runs, too. */
  readonly isShort: boolean;
  readonly run: (store: S3Store) => Promise<StoredSnapshot>;
}

const works: readonly Work[] = [
  {
    name: 'snapshot --store, by one request',
    layout: 'flat',
    partBytes: 1 << 20,
    isShort: false,
    run: async (store) => (await publishSnapshot({ database: db.url, height: 100n, jobs: 1, store, prefix: 's' })).snapshot,
  },
  {
    name: 'snapshot --store, in parts',
    layout: 'dated',
    partBytes: 8 << 10,
    isShort: true,
    run: async (store) =>
      (await publishSnapshot({ database: db.url, height: 100n, jobs: 1, store, prefix: 's', layout: 'dated' })).snapshot,
  },
  {
    name: 'push, by one request',
    layout: 'flat',
    partBytes: 1 << 20,
    isShort: true,
    run: async (store) => (await pushSnapshot({ file: file(), store, prefix: 's' })).snapshot,
  },
  {
    name: 'push, in parts',
    layout: 'dated',
    partBytes: 8 << 10,
    isShort: false,
    run: async (store) => (await pushSnapshot({ file: file(), store, prefix: 's', layout: 'dated' })).snapshot,
  },
];

/** How long a fault lasts, in requests: one is got over; a while ends before the clean-up does. */
const lengths = { once: 1, 'for a while': attempts + 1, 'for good': Number.POSITIVE_INFINITY } as const;

const sha256 = (content: Uint8Array) => createHash('sha256').update(content).digest('hex');
const objectOf = (key: string) => server.objects.get(`p/${key}`)?.content;
const keys = () => [...server.objects.keys()].map((name) => name.slice('p/'.length)).sort();
const markers = () => keys().filter((key) => key.endsWith('.writing'));

/** What counts is whole, and what is pointed to; the pointer never goes back. @returns ids of what counts, and what is pointed to */
async function look({ layout, direct }: { readonly layout: LayoutName; readonly direct: S3Store }) {
  const repository = new Repository({ store: direct, prefix: 's', layout });
  const { snapshots, unknown } = await repository.list();
  for (const { key, verification } of snapshots) expect(sha256(objectOf(key) ?? Buffer.of()), key).toBe(verification.sha256);
  const latest = JSON.parse(String(objectOf('latest.json'))).snapshots.s;
  const archive = objectOf(latest.archive) ?? Buffer.of();
  expect([sha256(archive), String(archive.length)], 'latest.json').toEqual([latest.sha256, latest.bytes]);
  expect(String(objectOf(latest.checksum))).toContain(latest.sha256);
  expect(JSON.parse(String(objectOf(latest.manifest)))).toMatchObject({ format: 'tidemark' });
  expect(Number(latest.position.height)).toBeGreaterThanOrEqual(1);
  return { ids: snapshots.map(({ id }) => id), unknown: unknown.map(({ id }) => id), latest: latest.id as string, repository };
}

/** How the n-th request after the first that is harmed is harmed. */
type Harm = (n: number) => Fault;

/** A snapshot of height 1 is there; then one of 100 is published with harm from the k-th request on. */
class Trials implements AsyncDisposable {
  readonly #work: Work;
  readonly #direct: S3Store;
  readonly #base: StoredSnapshot;
  readonly #before: ReadonlyMap<string, typeof server.objects extends Map<string, infer Kept> ? Kept : never>;

  private constructor(work: Work, direct: S3Store, base: StoredSnapshot) {
    this.#work = work;
    this.#direct = direct;
    this.#base = base;
    this.#before = new Map(server.objects);
  }

  static async of(work: Work): Promise<Trials> {
    server.objects.clear();
    const direct = await open(server.endpoint, work.partBytes);
    const { layout } = work;
    const { snapshot } = await publishSnapshot({ database: db.url, height: 1n, jobs: 1, store: direct, prefix: 's', layout });
    return new Trials(work, direct, snapshot);
  }

  /** Its requests, where there is no harm. */
  async requests(): Promise<readonly string[]> {
    await this.one(Number.POSITIVE_INFINITY, 'once', () => 'error');
    return proxy.seen;
  }

  async one(k: number, length: keyof typeof lengths, harm: Harm): Promise<void> {
    const { layout, partBytes, run } = this.#work;
    server.objects.clear();
    server.uploads.clear();
    for (const [name, kept] of this.#before) server.objects.set(name, kept);
    await using store = await open(proxy.endpoint, partBytes, harm(0) === 'stall');
    proxy.seen = [];
    let first = '';
    proxy.fault = (n, request) => {
      if (n < k || n >= k + lengths[length]) return undefined;
      first ||= request;
      return harm(n - k);
    };
    const outcome = await run(store).then(
      (snapshot) => ({ snapshot }),
      (error: Error) => ({ error }),
    );
    proxy.fault = () => undefined;
    const at = `${harm(0)} at ${k}, ${first}: ${'error' in outcome ? outcome.error.message : 'published'}; ${keys()}`;
    const found = await look({ layout, direct: this.#direct });
    if ('snapshot' in outcome) {
      expect(found.ids, at).toEqual([outcome.snapshot.id, this.#base.id]);
      expect(outcome.snapshot.position.height).toBe(100n);
      expect(found.latest, at).toBe(outcome.snapshot.id);
    } else {
      expect(outcome.error, at).toMatchObject({ name: 'TidemarkError', code: expect.stringMatching(/^STORE_(ERROR|CONFLICT)$/) });
      // But where the reply to the very last write was lost, and nobody has answered since: then nobody can know.
      if (!/verified\.json/.test(outcome.error.message)) expect(found.ids, at).toEqual([this.#base.id]);
    }
    // What passes is got over, and what lasts is cleaned up after as soon as it has passed.
    if (length === 'once') expect(outcome, at).toHaveProperty('snapshot');
    if (length === 'once') expect(markers(), at).toEqual([]);
    await start(found.repository);
    const after = await look({ layout, direct: this.#direct });
    expect([markers(), server.uploads.size, after.unknown], at).toEqual([[], 0, []]);
    expect(after.latest, at).toBe(after.ids[0]);
    const archives = keys().filter((key) => key.includes('.tar.zst') && !/\.(sha256|json)$/.test(key));
    expect(archives, at).toHaveLength(after.ids.length);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#direct[Symbol.asyncDispose]();
  }
}

/** One of each kind: a kind is what is done, and to what. */
function oneOfEach(requests: readonly string[]): readonly number[] {
  const kinds = requests.map((request) =>
    request
      .replace(/\?.*?(uploads|uploadId|list-type|$).*/, ' $1')
      .replace(/s-\d+|\d{4}-\d\d-\d\d(\.\d)?/, '')
      .replace(/^(HEAD|GET).*/, '$1'),
  );
  return [...new Set(kinds)].map((kind) => kinds.indexOf(kind));
}

/** As a scheduler begins. */
async function start(repository: Repository): Promise<void> {
  const writer = await takeOverRepository(repository);
  await repository.clearUp();
  expect(await repository.verifyUnknown()).toEqual([]);
  await writer.catchUp();
}

/** Done, and then nobody answers: the hardest to tell from what was not done. */
const lost: Harm = (n) => (n === 0 ? 'drop' : 'refuse');

describe.each(works.filter(({ isShort }) => isShort || long))('$name', (work) => {
  const shown = Object.keys(lengths).filter((length) => long || length !== (work.name.startsWith('push') ? 'once' : 'for good'));
  test.each(shown as (keyof typeof lengths)[])('a fault at each request in turn, %s', limit, async (length) => {
    await using trials = await Trials.of(work);
    const requests = await trials.requests();
    if (long) {
      const harms = [
        lost,
        ...faults.map(
          (fault): Harm =>
            () =>
              fault,
        ),
      ];
      for (const harm of harms) for (const k of requests.keys()) await trials.one(k, length, harm);
      return;
    }
    for (const [turn, k] of oneOfEach(requests).entries()) {
      const fault = faults[turn % faults.length] ?? 'error';
      await trials.one(k, length, length === 'once' ? () => fault : lost);
    }
  });
});

test('no session was left in the database', async () => {
  await eventually('all sessions are gone', async () => {
    const rows = await db.query("SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'tidemark%' AND datname = current_database()");
    return rows.length === 0;
  });
});
