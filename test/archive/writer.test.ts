import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serializeCatalog } from '#dist/archive/catalog-schema.js';
import { openArchive } from '#dist/archive/reader.js';
import { readArchiveStream, type StreamedMember } from '#dist/archive/stream-reader.js';
import { verifyArchive } from '#dist/archive/verify.js';
import { ArchiveWriter } from '#dist/archive/writer.js';
import { encodeSpooledMember } from '#dist/frame/encode.js';
import { loadCodec } from '#dist/frame/zstd.js';
import type { TableEntry } from '../../src/model/manifest.js';
import { catalog, encode, manifestOf, textRows } from './sample.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemark-writer-'));
});
afterAll(() => rm(directory, { recursive: true }));

function collector() {
  const pieces: Buffer[] = [];
  return {
    sink: {
      write: async (bytes: Uint8Array) => {
        pieces.push(Buffer.from(bytes));
      },
    },
    bytes: () => Buffer.concat(pieces),
  };
}

const catalogBody = serializeCatalog(catalog);

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** A row of 40 MB, larger than what is ever taken whole, between two small ones. */
const rowBytes = 40_000_000;

async function withSpooledRow(): Promise<{ readonly bytes: Buffer; readonly row: Buffer }> {
  const codec = await loadCodec();
  const { sink, bytes } = collector();
  const writer = new ArchiveWriter({ sink, codec, level: 1 });
  const schema = [await writer.addMember('schema/catalog.json', catalogBody)];
  const row = Buffer.alloc(rowBytes, 'wide ');
  row.writeUInt8(0x0a, rowBytes - 1);
  const path = join(directory, 'row.raw');
  const spoolPath = join(directory, 'row.spool');
  await writeFile(path, row);
  const name = (chunk: number): string => `data/16404-public.blo/00000-0000${chunk}.copy`;
  const spooled = await encodeSpooledMember(codec, { name: name(1), path, bodyBytes: rowBytes, level: 1, spoolPath });
  const chunks = [
    await writer.append(await encode(name(0), textRows(['a']))),
    await writer.append(spooled),
    await writer.append(await encode(name(2), textRows(['b', 'c']))),
  ].map((stored, at) => ({ ...stored, rows: at === 2 ? 2n : 1n, range: null }));
  expect(await readdir(directory)).not.toContain('row.spool');
  const [, table] = catalog.tables;
  if (table === undefined) throw new Error('the sample has other tables');
  const entry: TableEntry = { ...table, rows: 4n, rawBytes: BigInt(rowBytes + 6), chunks };
  await writer.finish(manifestOf(schema, [entry]));
  return { bytes: bytes(), row };
}

test('a row that was spooled to disk is written, verified, and read from a file and from a pipe', async () => {
  const { bytes, row } = await withSpooledRow();
  const path = join(directory, 'spooled.tar.zst');
  await writeFile(path, bytes);
  expect((await verifyArchive(path)).rows).toBe(4n);

  await using archive = await openArchive(path);
  const [, large] = archive.manifest.tables[0]?.chunks ?? [];
  if (large === undefined) throw new Error('the chunk is missing');
  expect(large.frames.map(({ raw }) => raw)).toEqual([512, Math.ceil(rowBytes / 512) * 512]);
  await expect(archive.readMember(large)).rejects.toThrow('too many to be read at once');
  let at = 0;
  for await (const piece of await archive.openMember(large)) {
    expect(piece.equals(row.subarray(at, at + piece.length))).toBe(true);
    at += piece.length;
  }
  expect(at).toBe(rowBytes);

  at = 0;
  for await (const member of readArchiveStream(pieces(bytes, 1000), await loadCodec())) {
    if (member.rawBytes !== BigInt(rowBytes)) continue;
    for await (const piece of member.body()) {
      expect(piece.equals(row.subarray(at, at + piece.length))).toBe(true);
      at += piece.length;
    }
  }
  expect(at).toBe(rowBytes);
});

test('a flipped bit in a spooled row is found, by verify and by a pipe', async () => {
  const { bytes } = await withSpooledRow();
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 2000) ^ 4, bytes.length - 2000);
  const path = join(directory, 'flipped.tar.zst');
  await writeFile(path, bytes);
  await expect(verifyArchive(path)).rejects.toMatchObject({
    code: 'ARCHIVE_CORRUPT',
    details: { damage: [{ member: expect.stringContaining('00001.copy') }, {}] },
  });
  const reading = async () => {
    for await (const _ of readArchiveStream(pieces(bytes, 4096), await loadCodec()));
  };
  await expect(reading()).rejects.toMatchObject({ code: 'ARCHIVE_CORRUPT' });
});

test('members of a pipe may be left alone, left half-way, or read to the end', async () => {
  const { bytes } = await withSpooledRow();
  const seen: StreamedMember[] = [];
  for await (const member of readArchiveStream(pieces(bytes, 700), await loadCodec())) {
    seen.push(member);
    if (member.manifest === undefined) expect(() => member.stored()).toThrow('was not read to the end');
    if (member.name.endsWith('00001.copy')) for await (const _ of member.body()) break;
  }
  expect(seen.map(({ name }) => name.slice(-10))).toEqual(['talog.json', '00000.copy', '00001.copy', '00002.copy', 'ifest.json']);
  expect(seen.map((member) => member.stored().rawBytes)).toEqual(seen.map(({ rawBytes }) => rawBytes));
});

test('leaving a pipe early lets go of it', async () => {
  const { bytes } = await withSpooledRow();
  let released = false;
  const input = (async function* () {
    try {
      yield* pieces(bytes, 64);
    } finally {
      released = true;
    }
  })();
  for await (const _ of readArchiveStream(input, await loadCodec())) break;
  expect(released).toBe(true);
});

/** A body that does not compress, and is too large to be gathered with others. */
const large = (): Buffer => randomBytes(100_000);

test('calls may overlap: members lie in the order of the calls, large ones as they come and small ones together', async () => {
  const { sink, bytes } = collector();
  let writes = 0;
  const slow = {
    write: async (piece: Uint8Array) => {
      await new Promise((resolve) => setImmediate(resolve));
      writes += 1;
      await sink.write(piece);
    },
  };
  const writer = new ArchiveWriter({ sink: slow, codec: await loadCodec(), level: 1 });
  const members = await Promise.all([
    writer.addMember('schema/catalog.json', catalogBody),
    ...['a', 'b', 'c', 'd'].map(async (name) => writer.append(await encode(name, name === 'd' ? large() : Buffer.from(name)))),
  ]);
  let end = 0n;
  for (const { offset, length } of members) {
    expect(offset).toBe(end);
    end += length;
  }
  expect(BigInt(bytes().length)).toBe(end);
  expect(writer.bytes).toBe(end);
  expect(writes).toBe(2);
});

test('thousands of small members are few writes, none of which is changed later', async () => {
  const written: { readonly bytes: Uint8Array; readonly copy: Buffer }[] = [];
  const sink = { write: async (bytes: Uint8Array) => void written.push({ bytes, copy: Buffer.from(bytes) }) };
  const writer = new ArchiveWriter({ sink, codec: await loadCodec(), level: 1 });
  const schema = [await writer.addMember('schema/catalog.json', catalogBody)];
  const [, table] = catalog.tables;
  const { loadInto: _, extensionCondition: _also, ...entry } = table as (typeof catalog.tables)[number];
  const chunks = [];
  for (let at = 0; at < 2000; at += 1) {
    const stored = await writer.append(
      await encode(`data/16404-public.blo/00000-${String(at).padStart(5, '0')}.copy`, textRows([`${at}`])),
    );
    chunks.push({ ...stored, rows: 1n, range: null });
  }
  const rawBytes = chunks.reduce((sum, chunk) => sum + chunk.rawBytes, 0n);
  const { bytes, sha256 } = await writer.finish(manifestOf(schema, [{ ...entry, rows: 2000n, rawBytes, chunks }]));
  const whole = Buffer.concat(written.map(({ copy }) => copy));
  expect(Buffer.concat(written.map((write) => write.bytes))).toEqual(whole);
  expect(BigInt(whole.length)).toBe(bytes);
  expect(createHash('sha256').update(whole).digest('hex')).toBe(sha256);
  expect(written.length).toBeLessThan(10);
});

test('after a failed write everything fails, and with the first error', async () => {
  const full = new Error('no space left on device');
  let writes = 0;
  const sink = {
    write: async () => {
      writes += 1;
      if (writes === 2) throw full;
    },
  };
  const writer = new ArchiveWriter({ sink, codec: await loadCodec(), level: 1 });
  const schema = [await writer.addMember('schema/catalog.json', catalogBody)];
  await expect(writer.append(await encode('a', large()))).rejects.toBe(full);
  await expect(writer.append(await encode('b', Buffer.from('b')))).rejects.toBe(full);
  await expect(writer.finish(manifestOf(schema, []))).rejects.toBe(full);
  expect(writes).toBe(2);
});

test('a manifest that is not of what was written is refused before it is', async () => {
  const { sink, bytes } = collector();
  const writer = new ArchiveWriter({ sink, codec: await loadCodec(), level: 1 });
  const stored = await writer.addMember('schema/catalog.json', catalogBody);
  const before = bytes().length;
  await expect(writer.finish(manifestOf([{ ...stored, sha256: '0'.repeat(64) }], []))).rejects.toMatchObject({ code: 'ARCHIVE_CORRUPT' });
  expect(bytes().length).toBe(before);
});

test('a finished archive takes nothing more', async () => {
  const { sink } = collector();
  const writer = new ArchiveWriter({ sink, codec: await loadCodec(), level: 1 });
  const stored = await writer.addMember('schema/catalog.json', catalogBody);
  await writer.finish(manifestOf([stored], []));
  await expect(writer.append(await encode('late', Buffer.from('')))).rejects.toMatchObject({ code: 'INTERNAL' });
});

test('frames that were made anywhere give the same archive, byte for byte', async () => {
  const make = async (): Promise<Buffer> => {
    const { sink, bytes } = collector();
    const writer = new ArchiveWriter({ sink, codec: await loadCodec(), level: 3 });
    await writer.finish(manifestOf([await writer.addMember('schema/catalog.json', catalogBody)], []));
    return bytes();
  };
  expect(await make()).toEqual(await make());
});
