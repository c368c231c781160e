// Archives whose hashes are all right and whose contents are a lie, and files that are something else: each is refused with the code that
// says which, by the reader of files and by that of pipes, before anything large is allocated.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeChecksumFrame } from '#dist/archive/checksum-frame.js';
import { openArchive } from '#dist/archive/reader.js';
import { encodeSeekTable } from '#dist/archive/seek-table.js';
import { readArchiveStream } from '#dist/archive/stream-reader.js';
import { verifyArchive } from '#dist/archive/verify.js';
import { loadCodec } from '#dist/frame/zstd.js';
import type { Manifest, StoredChunk, StoredMember, TableEntry } from '../../src/model/manifest.js';
import { type CraftedMember, craft } from './craft.js';
import { encode, forge, type Sample, sample } from './sample.js';

let directory: string;
let whole: Sample;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemark-hostile-'));
  whole = await sample();
});
afterAll(() => rm(directory, { recursive: true }));

async function inFile(bytes: Uint8Array): Promise<string> {
  const path = join(directory, 'hostile.tar.zst');
  await writeFile(path, bytes);
  return path;
}

async function readAll(bytes: Buffer): Promise<void> {
  const input = (async function* () {
    yield bytes;
  })();
  for await (const _ of readArchiveStream(input, await loadCodec()));
}

/** The manifest with one of its chunks, tables or schema members changed. */
function withChunk(manifest: Manifest, change: (chunk: StoredChunk) => StoredChunk): Manifest {
  return withTable(manifest, (table) => ({ ...table, chunks: table.chunks.map((chunk, at) => (at === 0 ? change(chunk) : chunk)) }));
}
function withTable(manifest: Manifest, change: (table: TableEntry) => TableEntry): Manifest {
  return { ...manifest, tables: manifest.tables.map((table, at) => (at === 0 ? change(table) : table)) };
}
function withSchema(manifest: Manifest, change: (members: readonly StoredMember[]) => readonly StoredMember[]): Manifest {
  return { ...manifest, schema: change(manifest.schema) };
}

const lies: [string, (manifest: Manifest) => Manifest, RegExp][] = [
  ['a member that is not listed', (manifest) => withSchema(manifest, (members) => members.slice(0, -1)), /frames before the manifest/],
  ['a member that is listed twice', (manifest) => withSchema(manifest, (members) => [...members, ...members.slice(-1)]), /twice|at offset/],
  ['a gap', (manifest) => withChunk(manifest, (chunk) => ({ ...chunk, offset: chunk.offset + 1n })), /ends at/],
  ['an overlap', (manifest) => withChunk(manifest, (chunk) => ({ ...chunk, offset: chunk.offset - 1n })), /ends at|at offset/],
  ['an offset past the end', (manifest) => withChunk(manifest, (chunk) => ({ ...chunk, offset: 10n ** 18n })), /ends at|at offset/],
  [
    'a name that climbs',
    (manifest) => withChunk(manifest, (chunk) => ({ ...chunk, member: 'data/../../etc/passwd.bin' })),
    /leaves its directory/,
  ],
  ['an absolute name', (manifest) => withChunk(manifest, (chunk) => ({ ...chunk, member: '/etc/passwd' })), /not safe/],
  [
    'a chunk of another table',
    (manifest) => withChunk(manifest, (chunk) => ({ ...chunk, member: 'data/1-x/00000-00000.bin' })),
    /not one of table/,
  ],
  ['a chunk of another format', (manifest) => withTable(manifest, (table) => ({ ...table, format: 'text' })), /not one of table/],
  ['a directory elsewhere', (manifest) => withTable(manifest, (table) => ({ ...table, directory: 'schema', chunks: [] })), /./],
  [
    'two tables in a directory',
    (manifest) => ({ ...manifest, tables: manifest.tables.map((table) => ({ ...table, directory: 'data/1-a' })) }),
    /./,
  ],
  [
    'a table without data that has some',
    (manifest) => withTable(manifest, (table) => ({ ...table, withoutData: 'excluded' })),
    /without data/,
  ],
  ['rows that do not add up', (manifest) => withTable(manifest, (table) => ({ ...table, rows: 4n })), /have 3 rows, not 4/],
  ['bytes that do not add up', (manifest) => withTable(manifest, (table) => ({ ...table, rawBytes: 4n })), /bytes, not 4/],
  [
    'totals that do not add up',
    (manifest) => ({ ...manifest, totals: { ...manifest.totals, compressedBytes: 1n } }),
    /total of compressedBytes/,
  ],
  ['a huge body', (manifest) => withChunk(manifest, (chunk) => ({ ...chunk, rawBytes: 2n ** 60n })), /cannot be/],
  [
    'a huge frame',
    (manifest) => withChunk(manifest, (chunk) => ({ ...chunk, rawBytes: 2n ** 31n, frames: [{ compressed: 1, raw: 2 ** 31 + 512 }] })),
    /cannot hold/,
  ],
  [
    'a frame that is larger than its content',
    (manifest) => withChunk(manifest, (chunk) => ({ ...chunk, length: 2n ** 31n, frames: [{ compressed: 2 ** 31, raw: 1024 }] })),
    /larger than its content/,
  ],
  [
    'a schema member that is none',
    (manifest) => ({
      ...withTable(manifest, (table) => ({ ...table, chunks: [], rows: 0n, rawBytes: 0n })),
      schema: [...manifest.schema, ...(manifest.tables[0]?.chunks ?? []).map(({ rows: _, range: __, ...member }) => member)],
    }),
    /none of the schema/,
  ],
];

describe('a manifest that lies', () => {
  test.each(lies)('about %s is refused when the archive is opened, and at the end of a pipe', async (_, change, reason) => {
    const bytes = await forge(whole, change(whole.manifest));
    const refused = expect.objectContaining({ code: 'ARCHIVE_CORRUPT', message: expect.stringMatching(reason) });
    await expect(openArchive(await inFile(bytes))).rejects.toEqual(refused);
    await expect(readAll(bytes)).rejects.toEqual(refused);
  });

  test('about a hash is found by reading the member, verify, and a pipe', async () => {
    const bytes = await forge(
      whole,
      withChunk(whole.manifest, (chunk) => ({ ...chunk, sha256: '0'.repeat(64) })),
    );
    const path = await inFile(bytes);
    await using archive = await openArchive(path);
    const [chunk] = archive.manifest.tables[0]?.chunks ?? [];
    await expect(archive.readMember(chunk as StoredChunk)).rejects.toMatchObject({
      code: 'ARCHIVE_CORRUPT',
      details: { member: chunk?.member },
    });
    await expect(verifyArchive(path)).rejects.toMatchObject({ code: 'ARCHIVE_CORRUPT' });
    await expect(readAll(bytes)).rejects.toMatchObject({ code: 'ARCHIVE_CORRUPT', message: expect.stringContaining('sha256') });
  });

  test('the same tools find nothing wrong where nothing was changed', async () => {
    const bytes = await forge(whole, whole.manifest);
    await verifyArchive(await inFile(bytes));
    await readAll(bytes);
  });
});

describe('a flaw under right hashes', () => {
  const catalogMember: CraftedMember = { name: 'schema/catalog.json', body: Buffer.from('{"objects":[],"steps":[],"tables":[]}') };
  const post: CraftedMember = { name: 'schema/post-data.sql', body: Buffer.from('SELECT 1;\n') };
  const pre: CraftedMember = { name: 'schema/pre-data.sql', body: Buffer.from('SELECT 0;\n') };
  const lastByte = (tar: Buffer): void => void tar.writeUInt8(1, tar.length - 1);

  test('is not there', async () => {
    const bytes = craft([catalogMember, pre, post]);
    await verifyArchive(await inFile(bytes));
    await readAll(bytes);
  });

  test.each<[string, () => Buffer, RegExp]>([
    ['members out of order', () => craft([catalogMember, post, pre]), /out of order/],
    ['a member twice', () => craft([catalogMember, pre, pre]), /twice/],
    ['another member first', () => craft([pre]), /first member/],
    ['padding that is not of zeros', () => craft([catalogMember, { ...pre, tamper: lastByte }]), /padding/],
    ['a frame without checksum', () => craft([catalogMember, { ...pre, checksum: false }]), /checksum/],
    ['a tar that does not end with zeros', () => craft([catalogMember], { manifestFlaw: { tamper: lastByte } }), /zeros/],
    ['a manifest without checksum', () => craft([catalogMember], { manifestFlaw: { checksum: false } }), /checksum/],
    ['a catalog that is none', () => craft([{ ...catalogMember, body: Buffer.from('{}') }]), /objects/],
  ])('%s: verify and a pipe find it', async (what, make, reason) => {
    const bytes = make();
    const path = await inFile(bytes);
    await expect(verifyArchive(path)).rejects.toThrow(reason);
    // The catalog's content is for whoever reads it from the pipe.
    if (what !== 'a catalog that is none') await expect(readAll(bytes)).rejects.toThrow(reason);
  });
});

describe('archives of the future', () => {
  const newer = { code: 'ARCHIVE_TOO_NEW', message: expect.stringMatching(/version 2,.* 1$/) };

  test('by the manifest', async () => {
    const bytes = await forge(whole, '{"format":"tidemark","formatVersion":2,"anything":{}}');
    await expect(openArchive(await inFile(bytes))).rejects.toMatchObject(newer);
    await expect(readAll(bytes)).rejects.toMatchObject(newer);
  });

  test('by the checksum frame, whatever the manifest has become', async () => {
    const bytes = await forge(whole, whole.manifest);
    const table = 17 + 8 * (whole.manifest.schema.length + 5);
    bytes.writeUInt8(2, bytes.length - table - 49 + 16);
    await expect(openArchive(await inFile(bytes))).rejects.toMatchObject(newer);
    await expect(readAll(bytes)).rejects.toMatchObject(newer);
  });
});

describe('what is no archive', () => {
  const file = async (bytes: Uint8Array): Promise<unknown> => openArchive(await inFile(bytes)).catch((error: unknown) => error);
  const pipe = async (bytes: Buffer): Promise<unknown> => readAll(bytes).catch((error: unknown) => error);

  test.each<[string, () => Promise<Buffer>, string, string]>([
    ['an empty file', async () => Buffer.alloc(0), 'ARCHIVE_INVALID', 'ARCHIVE_INVALID'],
    ['three bytes', async () => Buffer.from('abc'), 'ARCHIVE_INVALID', 'ARCHIVE_TRUNCATED'],
    ['a dump of pg_dump', async () => Buffer.from('PGDMP\x01\x0e\x00 and so on, for a while'), 'ARCHIVE_INVALID', 'ARCHIVE_INVALID'],
    ['SQL', async () => Buffer.from('-- PostgreSQL database dump\n'), 'ARCHIVE_INVALID', 'ARCHIVE_INVALID'],
    ['other zstd', async () => (await loadCodec()).compress(Buffer.from('hello'.repeat(200)), 1), 'ARCHIVE_TRUNCATED', 'ARCHIVE_INVALID'],
    [
      'a tar of others in zstd',
      async () => {
        const writing = pack();
        writing.entry({ name: 'readme.txt' }, 'hello');
        writing.finalize();
        const pieces: Buffer[] = [];
        for await (const piece of writing) pieces.push(piece as Buffer);
        return (await loadCodec()).compress(Buffer.concat(pieces), 1);
      },
      'ARCHIVE_TRUNCATED',
      'ARCHIVE_INVALID',
    ],
    [
      'seekable zstd of others',
      async () => {
        const frame = (await loadCodec()).compress(Buffer.from('hello'.repeat(200)), 1);
        return Buffer.concat([frame, encodeSeekTable([{ compressed: frame.length, raw: 1000 }])]);
      },
      'ARCHIVE_INVALID',
      'ARCHIVE_INVALID',
    ],
  ])('%s', async (_, make, inFileCode, inPipeCode) => {
    const bytes = await make();
    expect(await file(bytes)).toMatchObject({ code: inFileCode, hint: expect.any(String) });
    expect(await pipe(bytes)).toMatchObject({ code: inPipeCode, hint: expect.any(String) });
  });

  test('a file that is not there, a directory, a part of the path that is no directory', async () => {
    await mkdir(join(directory, 'folder'), { recursive: true });
    const path = await inFile(whole.bytes);
    for (const wrong of [join(directory, 'missing'), join(directory, 'folder'), join(path, 'below')]) {
      await expect(openArchive(wrong)).rejects.toMatchObject({
        code: 'FILE_ERROR',
        message: expect.stringContaining(wrong),
        hint: expect.any(String),
      });
    }
  });
});

describe('ends of files that lie', () => {
  const member = (length: number): Buffer => Buffer.concat([Buffer.from('28b52ffd', 'hex'), Buffer.alloc(length)]);

  test('a seek table of more frames than fit into the file', async () => {
    const footer = encodeSeekTable([]).subarray(-9);
    footer.writeUInt32LE(4_000_000, 0);
    await expect(openArchive(await inFile(Buffer.concat([member(100), footer])))).rejects.toMatchObject({ code: 'ARCHIVE_CORRUPT' });
  });

  test('sizes in the seek table that are not those of the file', async () => {
    const checksum = encodeChecksumFrame('0'.repeat(64));
    for (const compressed of [0, 99, 2 ** 32 - 1]) {
      const table = encodeSeekTable([
        { compressed, raw: 2 ** 32 - 1 },
        { compressed: checksum.length, raw: 0 },
      ]);
      const path = await inFile(Buffer.concat([member(100), checksum, table]));
      await expect(openArchive(path)).rejects.toMatchObject({
        code: 'ARCHIVE_CORRUPT',
        message: expect.stringContaining('the frames of its seek table'),
      });
    }
  });

  test('a manifest that would be 4 GiB', async () => {
    const frame = (await loadCodec()).compress(Buffer.alloc(1_000_000), 1);
    const checksum = encodeChecksumFrame('0'.repeat(64));
    const table = encodeSeekTable([
      { compressed: frame.length, raw: 2 ** 32 - 1 },
      { compressed: checksum.length, raw: 0 },
    ]);
    const path = await inFile(Buffer.concat([frame, checksum, table]));
    await expect(openArchive(path)).rejects.toMatchObject({
      code: 'ARCHIVE_CORRUPT',
      message: expect.stringContaining('134217728 are the most'),
    });
  });
});

describe('a pipe with members that lie', () => {
  test('a catalog that would not fit into memory', async () => {
    const { content } = await encode('schema/catalog.json', Buffer.alloc(0));
    const tar = Buffer.from((await loadCodec()).decompress(content.kind === 'buffer' ? content.bytes : Buffer.alloc(0), 512));
    const { tarHeader } = await import('#dist/frame/tar.js');
    tarHeader('schema/catalog.json', 2 ** 40).copy(tar);
    await expect(readAll((await loadCodec()).compress(tar, 1))).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' });
  });

  test('frames without content, without end', async () => {
    const codec = await loadCodec();
    const empty = codec.compress(Buffer.alloc(0), 1);
    const { tarHeader } = await import('#dist/frame/tar.js');
    const header = codec.compress(tarHeader('schema/catalog.json', 100), 1);
    let given = 0;
    const input = (async function* () {
      yield header;
      for (; ; given++) yield empty;
    })();
    const reading = async () => {
      for await (const member of readArchiveStream(input, codec)) for await (const _ of member.body());
    };
    await expect(reading()).rejects.toMatchObject({ code: 'ARCHIVE_CORRUPT' });
    expect(given).toBeLessThan(3);
  });

  test('frames without checksum', async () => {
    const { compress } = await import('zstd-napi');
    const raw = (await loadCodec()).decompress(
      whole.bytes.subarray(0, Number(whole.manifest.schema[0]?.length)),
      whole.manifest.schema[0]?.frames[0]?.raw ?? 0,
    );
    await expect(readAll(compress(raw, { checksumFlag: false }))).rejects.toThrow('its frame has no checksum');
  });
});
