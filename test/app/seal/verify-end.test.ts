// The end of an archive that was just written, read back: nothing of it may be another than what was written.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyEnd } from '#dist/app/seal/verify-sealed.js';
import { openArchive } from '#dist/archive/reader.js';
import { FileBytes } from '#dist/frame/file-bytes.js';
import { borrowed } from '#dist/frame/seekable.js';
import { TidemarkError } from '#dist/model/errors.js';
import type { SealedArchive } from '../../../src/app/seal/seal-archive.js';
import type { Seekable } from '../../../src/frame/seekable.js';
import { sample } from '../../archive/sample.js';

let path: string;
beforeAll(async () => {
  path = join(await mkdtemp(join(tmpdir(), 'tidemark-end-')), 'sample.tar.zst');
});
afterAll(() => rm(join(path, '..'), { recursive: true }));

const say = { attempt: 'read it back', hint: 'nothing was published' };
const refusal = { code: 'ARCHIVE_CORRUPT', message: 'read it back: it is not what was written', hint: 'nothing was published' };

async function archive(): Promise<{ readonly bytes: Buffer; readonly sealed: SealedArchive }> {
  const { bytes, written } = await sample();
  return { bytes, sealed: { ...written, plainSha256: written.sha256, sealing: {}, readBack: async (same: Seekable) => same } };
}

async function stored(bytes: Buffer): Promise<FileBytes> {
  await writeFile(path, bytes);
  return FileBytes.open(path);
}

test('what was written is right', async () => {
  const { bytes, sealed } = await archive();
  await verifyEnd(sealed, await stored(bytes), say);
});

test('a byte that is another one, from the manifest on, is found, whichever it is', async () => {
  const { bytes, sealed } = await archive();
  await using whole = await openArchive(await stored(bytes));
  for (let at = whole.tail.manifestOffset; at < bytes.length; at += 1) {
    const altered = Buffer.from(bytes);
    altered[at] = (altered[at] ?? 0) ^ 1;
    await expect(verifyEnd(sealed, await stored(altered), say), `byte ${at}`).rejects.toMatchObject(refusal);
  }
});

test('a manifest that reads as another text than was written is found', async () => {
  const { bytes, sealed } = await archive();
  await expect(verifyEnd({ ...sealed, manifestText: '{}' }, await stored(bytes), say)).rejects.toMatchObject(refusal);
});

test.each([
  ['is shorter', (bytes: Buffer) => bytes.subarray(0, -1)],
  ['is longer', (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(1)])],
])('a file that %s is not what was written', async (_, change) => {
  const { bytes, sealed } = await archive();
  await expect(verifyEnd(sealed, await stored(change(bytes)), say)).rejects.toMatchObject(refusal);
});

test('a file that is longer than what it is read back as is not what was written', async () => {
  const { bytes, sealed } = await archive();
  const longer = Buffer.concat([bytes, Buffer.alloc(1)]);
  const readBack = async (file: Seekable): Promise<Seekable> => ({ ...borrowed(file), size: sealed.bytes });
  await expect(verifyEnd({ ...sealed, readBack }, await stored(longer), say)).rejects.toMatchObject(refusal);
});

test('that it cannot be read is said as it is', async () => {
  const { sealed } = await archive();
  const lost = new TidemarkError('FILE_ERROR', 'read it: input/output error');
  const readBack = (): Promise<Seekable> => Promise.reject(lost);
  await expect(verifyEnd({ ...sealed, readBack }, await stored(Buffer.alloc(Number(sealed.bytes))), say)).rejects.toBe(lost);
});
