// Chunks of every size that may be asked for are read back by everybody who reads archives: at once, as a stream, from a pipe.
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { restoreSnapshot, takeSnapshot, verifySnapshot } from '#dist/index.js';
import { createDatabase, type TestDatabase } from '../../server/index.js';

let source: TestDatabase;
let folder = '';
const sum = 'SELECT count(*), sum(hashtext(wide::text)) FROM wide';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-test-'));
  source = await createDatabase();
  // 72 MB of COPY, and little of it on the server's disk: one range.
  await source.run(`
    CREATE UNLOGGED TABLE wide (id int, value text);
    INSERT INTO wide SELECT g, repeat(md5(g::text), 250) FROM generate_series(1, 9000) g`);
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await source.drop();
});

test.each([
  [256 << 10, 270],
  [64 << 20, 2],
])('chunks of %i bytes', async (chunkBytes, about) => {
  const file = join(folder, `${chunkBytes}.tar.zst`);
  const { manifest } = await takeSnapshot({ database: source.url, file, jobs: 2, compressLevel: 1, chunkBytes });
  expect(manifest.settings.chunkBytes).toBe(chunkBytes);
  const { chunks = [] } = manifest.tables[0] ?? {};
  const largest = Math.max(...chunks.map(({ rawBytes }) => Number(rawBytes)));
  expect(largest).toBeGreaterThan(chunkBytes * 0.8);
  expect(largest).toBeLessThan(chunkBytes + 10_000);
  expect(chunks.length / about).toBeCloseTo(1, 0);
  await verifySnapshot({ file });

  await using target = await createDatabase();
  await restoreSnapshot({ database: target.url, file, jobs: 2 });
  expect(await target.query(sum)).toEqual(await source.query(sum));
  await using piped = await createDatabase();
  await restoreSnapshot({ database: piped.url, file: createReadStream(file) });
  expect(await piped.query(sum)).toEqual(await source.query(sum));
});

test.each([0, 4 << 10, (64 << 20) + 1, 1.5e6 + 0.5])('%s bytes are refused', async (chunkBytes) => {
  await expect(takeSnapshot({ database: source.url, file: join(folder, 'x.tar.zst'), chunkBytes })).rejects.toMatchObject({
    code: 'USAGE',
    message: 'take a snapshot: the chunk size must be from 256KiB to 64MiB',
  });
});
