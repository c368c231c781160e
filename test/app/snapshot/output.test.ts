// The file of a snapshot becomes visible only when what lies on disk is what was written.
import { appendFile, mkdtemp, open, readdir, readFile, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openOutput } from '#dist/app/snapshot/output.js';
import { parseManifest } from '#dist/archive/manifest-schema.js';
import type { SealedArchive } from '../../../src/app/seal/seal-archive.js';
import type { Seekable } from '../../../src/frame/seekable.js';
import { sample } from '../../archive/sample.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemark-output-'));
});
afterEach(() => rm(directory, { recursive: true }));

/** Writes an archive as a snapshot does; what happens to its temporary file `meanwhile` is before it is published. */
async function publish(file: string, meanwhile = async (_temporary: string): Promise<void> => undefined): Promise<Buffer> {
  const { bytes, written } = await sample();
  const sealed: SealedArchive = { ...written, plainSha256: written.sha256, sealing: {}, readBack: async (same: Seekable) => same };
  await using output = await openOutput(file);
  await output.write(bytes);
  const temporary = (await readdir(directory)).filter((name) => name.startsWith(`.${basename(file)}.`));
  expect(temporary).toHaveLength(1);
  await meanwhile(join(directory, ...temporary));
  await output.finish(sealed, parseManifest(written.manifestText));
  return bytes;
}

async function flipLastByte(path: string): Promise<void> {
  await using file = await open(path, 'r+');
  const { size } = await file.stat();
  const last = Buffer.alloc(1);
  await file.read(last, 0, 1, size - 1);
  await file.write(Buffer.of((last[0] ?? 0) ^ 1), 0, 1, size - 1);
}

test('what was written is published, with its sidecars', async () => {
  const file = join(directory, 'a.tar.zst');
  const bytes = await publish(file);
  expect(await readFile(file)).toEqual(bytes);
  expect((await readdir(directory)).sort()).toEqual(['a.tar.zst', 'a.tar.zst.manifest.json', 'a.tar.zst.sha256']);
});

test.each([
  ['has another last byte', flipLastByte],
  ['is cut short', (path: string) => truncate(path, 100)],
  ['is longer', (path: string) => appendFile(path, 'x')],
])('a file that %s than was written is not published: an earlier one stays, and nothing is left behind', async (_, change) => {
  const file = join(directory, 'a.tar.zst');
  const earlier = await publish(file);
  const beside = await readdir(directory);
  await expect(publish(file, change)).rejects.toMatchObject({
    code: 'ARCHIVE_CORRUPT',
    message: 'read the new archive back: it is not what was written',
    hint: expect.stringContaining('nothing was published'),
  });
  expect(await readFile(file)).toEqual(earlier);
  expect(await readdir(directory)).toEqual(beside);
});
