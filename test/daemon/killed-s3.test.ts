// Publishers into S3 that are killed, and schedulers that are stopped for longer than their lease: nothing half counts or is pointed to, and the
// next start leaves no upload and no marker. TIDEMARK_TEST_ROUNDS has it do more of it.
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { startCli } from '../cli/run-cli.js';
import { eventually } from '../server/index.js';
import { startFaultyProxy } from '../store/faulty-proxy.js';
import { type FakeS3, startFakeS3 } from '../store/s3-server.js';
import { type DaemonProcess, startChain } from './daemon-process.js';

const rounds = Number(process.env.TIDEMARK_TEST_ROUNDS ?? 3);
const limit = { timeout: 90_000 + rounds * 20_000 };
const env = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'us-east-1' };
const partBytes = 5 << 20;

/** What `latest.json` points to is there, whole. @returns its height */
function heightOfLatest({ objects }: FakeS3): bigint {
  const latest = JSON.parse(String(objects.get('p/latest.json')?.content)).snapshots.chain;
  const archive = objects.get(`p/${latest.archive}`)?.content ?? Buffer.of();
  expect(createHash('sha256').update(archive).digest('hex')).toBe(latest.sha256);
  expect(objects.has(`p/${latest.checksum}`) && objects.has(`p/${latest.manifest}`)).toBe(true);
  return BigInt(latest.position.height);
}

const names = ({ objects }: FakeS3, wanted: RegExp): string[] => [...objects.keys()].filter((name) => wanted.test(name)).sort();

function promise<T>(): { readonly kept: Promise<T>; keep(value: T): void } {
  let keep: (value: T) => void = () => undefined;
  const kept = new Promise<T>((resolve) => {
    keep = resolve;
  });
  return { kept, keep };
}

/** Requests at which a publisher is caught, from its beginning to its end. Nothing of them is done. */
const places: readonly RegExp[] = [
  /^PUT .*partNumber=2/,
  /^PUT .*latest\.json/,
  /^PUT .*verified\.json/,
  /^POST .*chain-\d+\.tar\.zst\?.*uploadId/,
  /^PUT .*chain-\d+\.tar\.zst\.writing/,
  /^DELETE .*\.writing/,
  /^POST .*chain-\d+\.tar\.zst\?.*uploads/,
  /^GET .*chain-\d+\.tar\.zst/,
  /^PUT .*\.manifest\.json/,
];

test(
  `publishers killed at ${rounds} places, and a scheduler begun: no upload and no marker is left, what is whole counts`,
  limit,
  async () => {
    await using chain = await startChain();
    // More than two parts, that do not compress.
    await chain.db.run(
      "CREATE TABLE hashes AS SELECT decode(string_agg(md5(n::text || m::text), ''), 'hex') AS bytes FROM generate_series(1, 11) n, generate_series(1, 65536) m GROUP BY n",
    );
    await using server = await startFakeS3();
    await using proxy = await startFaultyProxy(server.endpoint);
    const store = (endpoint: string) => `s3://bucket/p?endpoint=${endpoint}&part-size=${partBytes}`;
    const args = ['--store', store(proxy.endpoint), '--prefix', 'chain', '--jobs', '1', '--height-query', 'SELECT max(height) FROM blocks'];
    const publish = () => startCli(['snapshot', '-d', chain.db.url, ...args], { env });
    expect((await publish().ended).exitCode).toBe(0);
    let best = heightOfLatest(server);
    for (let round = 0; round < rounds; round += 1) {
      await chain.processTo(BigInt(round + 2));
      const place = places[round % places.length] ?? /^PUT/;
      const caught = promise<void>();
      proxy.fault = (_, request) => {
        if (!place.test(request)) return undefined;
        caught.keep();
        return 'stall';
      };
      const publisher = publish();
      await Promise.race([
        caught.kept,
        publisher.ended.then(({ stderr }) => Promise.reject(new Error(`not caught at ${place}: ${stderr}`))),
      ]);
      publisher.child.kill('SIGKILL');
      await publisher.ended;
      proxy.fault = () => undefined;
      expect(heightOfLatest(server), String(place)).toBeGreaterThanOrEqual(best);

      const daemon = chain.start(
        await chain.configure({ store: store(server.endpoint), rules: [{ by: 'height', every: 1000 }], retention: { last: 'all' } }),
        env,
      );
      await daemon.line(/^found|newest|no snapshot/i, 0);
      daemon.signal('SIGTERM');
      expect(await daemon.ended).toBe(0);
      expect([names(server, /\.writing$/), [...server.uploads.values()]], String(place)).toEqual([[], []]);
      expect(names(server, /\.tar\.zst$/).map((name) => `${name}.verified.json`)).toEqual(names(server, /\.verified\.json$/));
      const newest = names(server, /\.tar\.zst$/)
        .map((name) => BigInt(/chain-(\d+)/.exec(name)?.[1] ?? 0))
        .sort((a, b) => (a < b ? 1 : -1))[0];
      expect(heightOfLatest(server), String(place)).toBe(newest);
      best = newest ?? best;
    }
    await eventually('no session is left', async () => (await chain.sessions()) === 0);
  },
);

test(
  `a scheduler stopped past its lease at ${rounds} places: it publishes nothing, and a mark never has two snapshots`,
  limit,
  async () => {
    await using chain = await startChain();
    await using server = await startFakeS3();
    const proxies = [await startFaultyProxy(server.endpoint), await startFaultyProxy(server.endpoint)] as const;
    try {
      const daemons: DaemonProcess[] = [];
      for (const [number, { endpoint }] of proxies.entries()) {
        const store = `s3://bucket/p?endpoint=${endpoint}`;
        const settings = { store, lease: '600ms', retention: { last: 'all' }, log: { level: 'debug' } };
        daemons.push(chain.start(await chain.configure(settings, `${number}.json`), env));
      }
      await Promise.race(daemons.map((daemon) => daemon.line(/^created/, 0)));
      const spots = [
        /^PUT .*latest\.json/,
        /^PUT .*chain-\d+\.tar\.zst\?/,
        /^PUT .*\.manifest\.json/,
        /^PUT .*\.writing/,
        /^GET .*\.tar\.zst\?/,
      ];
      let height = 1n;
      for (let round = 0; round < rounds; round += 1) {
        const spot = spots[round % spots.length] ?? /^PUT/;
        const begun = promise<number>();
        height += 150n;
        const mark = new RegExp(`chain-${height}\\.`);
        let isSending = false;
        // Stopped by the time the request is there, which is done afterwards.
        for (const [number, proxy] of proxies.entries()) {
          proxy.fault = (_, request) => {
            isSending ||= mark.test(request) && request.startsWith('PUT');
            if (!isSending || !spot.test(request)) return undefined;
            daemons[number]?.signal('SIGSTOP');
            for (const one of proxies) one.fault = () => undefined;
            begun.keep(number);
            return undefined;
          };
        }
        await chain.processTo(height);
        const stopped = daemons[await begun.kept];
        const from = stopped?.lines.length;
        await eventually(
          'a snapshot of this mark counts',
          async () => names(server, new RegExp(`chain-${height}\\.tar\\.zst\\.verified`)).length > 0,
          {
            withinMs: 30_000,
          },
        );
        stopped?.signal('SIGCONT');
        await stopped?.line(/^(created|snapshot failed|stood back)/, from);
        await eventually(
          'no upload is left, and the snapshot is pointed to',
          async () => server.uploads.size === 0 && heightOfLatest(server) === height,
        );
        expect(names(server, /\.tar\.zst$/), String(spot)).toHaveLength(round + 2);
      }
    } finally {
      for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
    }
  },
);
