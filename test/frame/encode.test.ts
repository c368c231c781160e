// Members there and back: what encode.ts makes, decode.ts takes apart, and each sees what is wrong with the other's.
import { createHash } from 'node:crypto';
import { mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { extract } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decompress } from 'zstd-napi';
import { decodeMember, openMemberStream, wholeMemberLimit } from '#dist/frame/decode.js';
import { type EncodedMember, encodeMember, encodeSpooledMember, headroom, tailroom } from '#dist/frame/encode.js';
import { FileBytes } from '#dist/frame/file-bytes.js';
import type { StoredMember } from '../../src/model/manifest.js';
import { codecs } from './codecs.js';

const [codec] = codecs as [(typeof codecs)[0]];

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemark-encode-'));
});
afterAll(() => rm(directory, { recursive: true }));

function bufferOf(body: Uint8Array): Buffer {
  const buffer = Buffer.alloc(headroom + body.length + tailroom, 0xaa);
  buffer.set(body, headroom);
  return buffer;
}

const encode = (body: Uint8Array, name = 'data/1-a/00000-00000.copy'): EncodedMember =>
  encodeMember(codec, { name, buffer: bufferOf(body), bodyBytes: body.length, level: 1 });

const bytesOf = ({ content }: EncodedMember): Buffer => {
  if (content.kind !== 'buffer') throw new Error('the member is in a file');
  return Buffer.from(content.bytes);
};

const storedAt = ({ name, length, frames, rawBytes, sha256 }: EncodedMember, offset = 0n): StoredMember => ({
  member: name,
  offset,
  length: BigInt(length),
  frames,
  rawBytes: BigInt(rawBytes),
  sha256,
});

async function all(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const found: Buffer[] = [];
  for await (const piece of pieces) found.push(piece);
  return Buffer.concat(found);
}

test('any body comes back, and tar-stream reads the member', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (body) => {
      const member = encode(body);
      expect(member).toMatchObject({ rawBytes: body.length, length: bytesOf(member).length });
      expect(member.sha256).toBe(createHash('sha256').update(bytesOf(member)).digest('hex'));
      expect(decodeMember(codec, bytesOf(member), storedAt(member)).equals(body)).toBe(true);
      const reading = extract();
      reading.end(Buffer.concat([decompress(bytesOf(member)), Buffer.alloc(1024)]));
      for await (const entry of reading) {
        expect(entry.header.name).toBe(member.name);
        expect((await all(entry as AsyncIterable<Buffer>)).equals(body)).toBe(true);
      }
    }),
    { numRuns: 50 },
  );
});

test('frames depend on name and body alone', () => {
  const body = Buffer.from('a\n');
  expect(bytesOf(encode(body))).toEqual(bytesOf(encode(body)));
  const dirty = Buffer.alloc(4096, 0x55);
  body.copy(dirty, headroom);
  const member = encodeMember(codec, { name: 'data/1-a/00000-00000.copy', buffer: dirty, bodyBytes: 2, level: 1 });
  expect(bytesOf(member)).toEqual(bytesOf(encode(body)));
});

test('a buffer without room for the padding is refused', () => {
  const options = { name: 'a', buffer: Buffer.alloc(headroom + 10), bodyBytes: 10, level: 1 };
  expect(() => encodeMember(codec, options)).toThrow('no room');
});

describe('a member that is not as it is said to be is refused', () => {
  const body = Buffer.from('some\trow\n'.repeat(50));
  const member = encode(body);
  const stored = storedAt(member, 4711n);
  const refused = (bytes: Buffer, said: StoredMember, reason: string): void => {
    expect(() => decodeMember(codec, bytes, said)).toThrow(
      expect.objectContaining({
        code: 'ARCHIVE_CORRUPT',
        message: expect.stringMatching(new RegExp(`^read member ${said.member} at offset 4711: .*${reason}`)),
      }),
    );
  };

  test('by its hash, whatever else is right', () => {
    refused(bytesOf(encode(Buffer.from(body).fill(0x78, 0, 1))), { ...stored }, 'bytes of it|SHA-256');
    refused(bytesOf(member), { ...stored, sha256: '0'.repeat(64) }, 'SHA-256');
  });

  test('by its sizes', () => {
    refused(bytesOf(member), { ...stored, length: stored.length + 1n }, 'its frames have');
    refused(bytesOf(member), { ...stored, rawBytes: 600n }, 'bytes of tar for a body of 600');
    refused(bytesOf(member).subarray(1), stored, 'there are');
    const huge = 2 ** 40;
    refused(
      bytesOf(member),
      { ...stored, frames: [{ compressed: member.length, raw: huge + 512 }], rawBytes: BigInt(huge) },
      'too many to be read at once',
    );
    const large = wholeMemberLimit - 512;
    refused(
      bytesOf(member),
      { ...stored, frames: [{ compressed: member.length, raw: large + 512 }], rawBytes: BigInt(large) },
      'cannot be decompressed',
    );
  });

  test('by its tar header', () => {
    refused(bytesOf(member), { ...stored, member: 'data/1-a/00000-00001.copy' }, 'its tar header is of data/1-a/00000-00000.copy');
    refused(bytesOf(member), { ...stored, rawBytes: 449n }, 'its tar header says 450 bytes, not 449');
  });

  test('by its padding', () => {
    const tar = Buffer.from(decompress(bytesOf(member)));
    tar.writeUInt8(1, tar.length - 1);
    const bytes = codec.compress(tar, 1);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    refused(bytes, { ...stored, sha256, length: BigInt(bytes.length), frames: [{ compressed: bytes.length, raw: tar.length }] }, 'padding');
  });
});

describe('a spooled member', () => {
  const body = Buffer.alloc(3 * 1024 * 1024 + 77, 'a row that is far too long ');
  const name = 'data/1-a/00000-00000.copy';

  async function spool(file: string, bodyBytes = body.length): Promise<EncodedMember> {
    const path = join(directory, `${file}.raw`);
    await writeFile(path, body);
    return encodeSpooledMember(codec, { name, path, bodyBytes, level: 1, spoolPath: join(directory, file) });
  }

  test('has its tar header in a frame alone, and comes back from the file, whole or in pieces', async () => {
    const member = await spool('good');
    expect(member.frames).toHaveLength(2);
    expect(member.frames[0]?.raw).toBe(512);
    await using file = await open(join(directory, 'good'));
    await using opened = await FileBytes.open(join(directory, 'good'));
    const bytes = await file.readFile();
    expect(bytes.length).toBe(member.length);
    expect(decodeMember(codec, bytes, storedAt(member)).equals(body)).toBe(true);
    expect((await all(await openMemberStream(codec, opened, storedAt(member)))).equals(body)).toBe(true);
    // The same tar bytes as those of a member that fits into a buffer.
    expect(Buffer.from(decompress(bytes)).equals(decompress(bytesOf(encode(body))))).toBe(true);
  });

  test('past the size of a frame goes on in further ones', async () => {
    const path = join(directory, 'several.raw');
    await writeFile(path, body);
    const options = { name, path, bodyBytes: body.length, level: 1, spoolPath: join(directory, 'several'), frameBytes: 1024 * 1024 };
    const member = await encodeSpooledMember(codec, options);
    expect(member.frames.map(({ raw }) => raw)).toEqual([512, 1048576, 1048576, 1048576, 512]);
    await using file = await open(join(directory, 'several'));
    await using opened = await FileBytes.open(join(directory, 'several'));
    expect(decodeMember(codec, await file.readFile(), storedAt(member)).equals(body)).toBe(true);
    expect((await all(await openMemberStream(codec, opened, storedAt(member)))).equals(body)).toBe(true);
  });

  test('without a body is the header alone', async () => {
    const path = join(directory, 'nothing.raw');
    await writeFile(path, '');
    const member = await encodeSpooledMember(codec, { name, path, bodyBytes: 0, level: 1, spoolPath: join(directory, 'nothing') });
    await using opened = await FileBytes.open(join(directory, 'nothing'));
    expect(await all(await openMemberStream(codec, opened, storedAt(member)))).toEqual(Buffer.alloc(0));
  });

  test('gives no byte where its hash is not as it is said to be', async () => {
    const member = await spool('changed');
    await using file = await open(join(directory, 'changed'), 'r+');
    await using opened = await FileBytes.open(join(directory, 'changed'));
    await file.write(Buffer.from([0xff]), 0, 1, member.length - 1);
    await expect(openMemberStream(codec, opened, storedAt(member))).rejects.toMatchObject({
      code: 'ARCHIVE_CORRUPT',
      details: { member: name },
    });
  });

  test('fails while iterating where frames and tar do not agree', async () => {
    const member = await spool('other');
    await using opened = await FileBytes.open(join(directory, 'other'));
    const stored = { ...storedAt(member), member: 'data/2-b/00000-00000.copy' };
    await expect(openMemberStream(codec, opened, stored).then(all)).rejects.toMatchObject({ code: 'ARCHIVE_CORRUPT' });
  });

  test.each([body.length + 1, body.length + 600])('leaves no file where the body has not %i bytes', async (bodyBytes) => {
    await expect(spool('short', bodyBytes)).rejects.toMatchObject({ code: 'FILE_ERROR' });
    expect(await readdir(directory)).not.toContain('short');
  });

  test('leaves no file where it is aborted', async () => {
    const path = join(directory, 'aborted.raw');
    await writeFile(path, body);
    const signal = AbortSignal.abort();
    const options = { name, path, bodyBytes: body.length, level: 1, spoolPath: join(directory, 'aborted'), signal };
    await expect(encodeSpooledMember(codec, options)).rejects.toThrow();
    expect(await readdir(directory)).not.toContain('aborted');
  });

  test('does not write over a file that is there', async () => {
    await spool('there');
    await expect(spool('there')).rejects.toMatchObject({ code: 'FILE_ERROR', details: { errno: 'EEXIST' } });
    expect(await readdir(directory)).toContain('there');
  });
});
