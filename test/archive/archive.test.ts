// The whole way of an archive: written, opened, read back, streamed, verified, and opened by tools of others.
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openArchive } from '#dist/archive/reader.js';
import { checksumText } from '#dist/archive/sidecars.js';
import { readArchiveStream } from '#dist/archive/stream-reader.js';
import { verifyArchive } from '#dist/archive/verify.js';
import { loadCodec } from '#dist/frame/zstd.js';
import { binaryRows, catalog, sample, textRows } from './sample.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemark-archive-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function stored(bytes: Uint8Array, name = 'sample.tar.zst'): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, bytes);
  return path;
}

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function all(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const found: Buffer[] = [];
  for await (const piece of body) found.push(piece);
  return Buffer.concat(found);
}

describe('an archive in a file', () => {
  test('gives back manifest, catalog and members', async () => {
    const { bytes, manifest, written } = await sample();
    await using archive = await openArchive(await stored(bytes));
    expect(archive.manifest).toEqual(manifest);
    expect(archive.size).toBe(BigInt(bytes.length));
    expect(written.bytes).toBe(archive.size);
    expect(written.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(await archive.readCatalog()).toEqual(catalog);
    const [binary, , text] = archive.manifest.tables.flatMap((table) => table.chunks);
    if (binary === undefined || text === undefined) throw new Error('the sample has other chunks');
    expect(await archive.readMember(binary)).toEqual(binaryRows([1n, -2n, 1n << 62n]));
    expect(await all(await archive.openMember(text))).toEqual(textRows(['hello\\nworld', '\\N', 'x'.repeat(700)]));
  });

  test('is verified, with the sidecars beside it', async () => {
    const { bytes, written } = await sample();
    const path = await stored(bytes, 'with-sidecars.tar.zst');
    await writeFile(`${path}.sha256`, checksumText(written.sha256, 'with-sidecars.tar.zst'));
    await writeFile(`${path}.manifest.json`, written.manifestText);
    const report = await verifyArchive(path);
    expect(report).toMatchObject({ rows: 6n, members: 7, sha256: written.sha256, sidecars: [`${path}.manifest.json`, `${path}.sha256`] });
  });
});

describe('an archive from a pipe', () => {
  test.each([1, 7, 500, 1 << 20])('gives members in order, in pieces of %i bytes', async (size) => {
    const { bytes, manifest } = await sample();
    const names: string[] = [];
    let last: unknown;
    for await (const member of readArchiveStream(pieces(bytes, size), await loadCodec())) {
      names.push(member.name);
      if (member.name.endsWith('.copy')) expect(await all(member.body())).toEqual(textRows(['hello\\nworld', '\\N', 'x'.repeat(700)]));
      last = member.manifest;
    }
    expect(names).toEqual([
      'schema/catalog.json',
      'schema/pre-data.sql',
      'data/16403-public.events/00000-00000.bin',
      'data/16403-public.events/00000-00001.bin',
      'data/16404-public.blo/00000-00000.copy',
      'schema/post-data.sql',
      'manifest.json',
    ]);
    expect(last).toEqual(manifest);
  });
});
