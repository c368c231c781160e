// age files: those of fixtures/seal were made by age 1.1.1 and are read; what we write is read by the package age-encryption, which shares
// only the header with us. The payload is attacked chunk by chunk.
import { readFile } from 'node:fs/promises';
import { armor, Decrypter } from 'age-encryption';
import { describe, expect, test } from 'vitest';
import { generateAgeKey, parseIdentities, parseRecipients } from '#dist/seal/age-keys.js';
import { chunkBytes, payloadSizes, sealedBytes } from '#dist/seal/age-payload.js';
import { decrypted } from '#dist/seal/decrypt.js';
import { decryptedStream } from '#dist/seal/decrypt-stream.js';
import { encryptingSink, encryptText } from '#dist/seal/encrypt.js';
import type { Seekable } from '../../src/frame/seekable.js';

const fixture = (name: string): Promise<Buffer> => readFile(new URL(`../../fixtures/seal/${name}`, import.meta.url));

/** What the files of age hold: this many bytes of it. */
const content = Buffer.alloc(2 * chunkBytes);
for (let at = 0; at < content.length; at += 1) content[at] = (at * 7 + (at >> 8)) & 255;

const identity = await parseIdentities((await fixture('age-identity.txt')).toString(), 'age-identity.txt');
const other = await parseIdentities((await fixture('age-identity-2.txt')).toString(), 'age-identity-2.txt');
const recipient = await parseRecipients('age1rce3c0pgaugtd3gsahfc4dv0hqfpy083rudf62ugjew2e0rvrclqkw7puh', 'it');

interface Counted extends Seekable {
  read: Seekable['read'];
  /** Bytes that were read of it. */
  taken: number;
}

function seekable(bytes: Buffer): Counted {
  const counted: Counted = {
    name: 'x.age',
    size: BigInt(bytes.length),
    taken: 0,
    read: async (offset, length) => {
      expect(Number(offset) + length).toBeLessThanOrEqual(bytes.length);
      counted.taken += length;
      return Buffer.from(bytes.subarray(Number(offset), Number(offset) + length));
    },
    stream: async function* (offset, length) {
      for (let at = Number(offset); at < Number(offset + length); at += 1000) {
        counted.taken += 1000;
        yield Buffer.from(bytes.subarray(at, Math.min(at + 1000, Number(offset + length))));
      }
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
  return counted;
}

async function* piecesOf(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function all(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** By each way that there is of reading it. */
async function readBoth(file: Buffer, identities = identity): Promise<Buffer> {
  const opened = await decrypted(seekable(file), identities);
  const whole = await opened.read(0n, Number(opened.size));
  expect((await all(opened.stream(0n, opened.size))).equals(whole)).toBe(true);
  expect((await all(decryptedStream(piecesOf(file, 777), async () => identities))).equals(whole)).toBe(true);
  return whole;
}

async function encrypt(plain: Buffer, pieces = 5000): Promise<Buffer> {
  const written: Uint8Array[] = [];
  const sink = await encryptingSink({ write: async (bytes) => void written.push(bytes) }, recipient);
  for await (const piece of piecesOf(plain, pieces)) await sink.write(piece);
  const { bytes } = await sink.end();
  expect(bytes).toBe(BigInt(Buffer.concat(written).length));
  return Buffer.concat(written);
}

describe('what age has written', () => {
  test.each([
    ['empty.age', 0],
    ['short.age', 100],
    ['odd.age', chunkBytes + 1],
    ['two.age', 2 * chunkBytes],
  ])('%s is read', async (name, length) => {
    expect((await readBoth(await fixture(name))).equals(content.subarray(0, length))).toBe(true);
  });

  test('for two recipients, armored: each of them reads it', async () => {
    const file = Buffer.from(armor.decode((await fixture('short.armored.age')).toString()));
    for (const one of [identity, other, [...other, ...identity]]) expect((await readBoth(file, one)).length).toBe(100);
  });

  test('is not read without its identity', async () => {
    const file = await fixture('two.age');
    for (const read of [
      (identities?: readonly string[]) => decrypted(seekable(file), identities),
      (identities?: readonly string[]) => all(decryptedStream(piecesOf(file, 100), async () => identities)),
    ]) {
      await expect(read(other)).rejects.toThrow(
        expect.objectContaining({ code: 'IDENTITY_MISSING', message: expect.stringContaining('no identity that was given opens it') }),
      );
      await expect(read([])).rejects.toThrow(expect.objectContaining({ code: 'IDENTITY_MISSING' }));
      await expect(read()).rejects.toThrow(
        expect.objectContaining({ code: 'IDENTITY_MISSING', message: expect.stringContaining('no identity was given') }),
      );
    }
  });
});

test.each([0, 1, 100, chunkBytes - 1, chunkBytes, chunkBytes + 1, 2 * chunkBytes])(
  '%i bytes are encrypted for age, and by it',
  async (length) => {
    const plain = content.subarray(0, length);
    for (const pieces of [7001, chunkBytes, 3 * chunkBytes]) {
      const file = await encrypt(plain, pieces);
      const decrypter = new Decrypter();
      for (const line of identity) decrypter.addIdentity(line);
      expect(Buffer.from(await decrypter.decrypt(file)).equals(plain)).toBe(true);
      expect((await readBoth(file)).equals(plain)).toBe(true);
    }
    const first = await encrypt(plain);
    expect((await encrypt(plain)).equals(first)).toBe(false);
  },
);

test('the one who encrypts reads it back without an identity', async () => {
  const written: Uint8Array[] = [];
  const sink = await encryptingSink({ write: async (bytes) => void written.push(bytes) }, recipient);
  await sink.write(content);
  const { decrypted: readBack, sha256 } = await sink.end();
  const opened = await readBack(seekable(Buffer.concat(written)));
  expect((await opened.read(0n, content.length)).equals(content)).toBe(true);
  expect(sha256).toMatch(/^[0-9a-f]{64}$/);
  await expect(sink.write(content)).rejects.toThrow('the file has ended');
});

test('any range is read, and no more of the file than its chunks', async () => {
  const plain = Buffer.concat([content, content, content.subarray(0, 1234)]);
  const file = await encrypt(plain);
  const bytes = seekable(file);
  const opened = await decrypted(bytes, identity);
  for (const from of [0, 1, 65_535, 65_536, 70_000, 131_071, 200_000, plain.length - 1]) {
    for (const length of [0, 1, 1000, 65_536, 65_537, 140_000]) {
      if (from + length > plain.length) continue;
      const wanted = plain.subarray(from, from + length);
      bytes.taken = 0;
      expect((await opened.read(BigInt(from), length)).equals(wanted), `${from} ${length}`).toBe(true);
      expect(bytes.taken).toBeLessThanOrEqual((Math.ceil(length / chunkBytes) + 1) * sealedBytes);
      expect((await all(opened.stream(BigInt(from), BigInt(length)))).equals(wanted)).toBe(true);
    }
  }
  bytes.taken = 0;
  await opened.read(BigInt(plain.length - 40_000), 40_000);
  expect(bytes.taken).toBe(0);
  await expect(opened.read(BigInt(plain.length - 1), 2)).rejects.toThrow(expect.objectContaining({ code: 'ARCHIVE_TRUNCATED' }));
  await expect(all(opened.stream(BigInt(plain.length), 1n))).rejects.toThrow(expect.objectContaining({ code: 'ARCHIVE_TRUNCATED' }));
});

describe('an altered file', () => {
  const refusal = (code: RegExp) => expect.objectContaining({ code: expect.stringMatching(code) });
  const readAll = async (file: Buffer): Promise<unknown> => {
    const opened = await decrypted(seekable(file), identity);
    return opened.read(0n, Number(opened.size));
  };
  const piped = (file: Buffer): Promise<unknown> => all(decryptedStream(piecesOf(file, 4000), async () => identity));

  test('cut anywhere: found when it is opened, and in a pipe at its end', async () => {
    const file = await encrypt(Buffer.concat([content, content.subarray(0, 10)]));
    const start = file.length - 2 * sealedBytes - 26;
    const cuts = [
      0,
      16,
      17,
      26,
      26 + 16,
      26 + sealedBytes,
      26 + sealedBytes + 1,
      26 + 2 * sealedBytes,
      26 + 2 * sealedBytes + 1,
      26 + 2 * sealedBytes + 16,
    ];
    for (const cut of cuts.slice(1)) {
      const shorter = file.subarray(0, file.length - cut);
      await expect(decrypted(seekable(shorter), identity), `without ${cut}`).rejects.toThrow(refusal(/^ARCHIVE_(TRUNCATED|CORRUPT)$/));
      await expect(piped(shorter), `without ${cut}`).rejects.toThrow(refusal(/^ARCHIVE_(TRUNCATED|CORRUPT)$/));
    }
    for (const at of [30, 100, start - 17, start - 16, start - 1]) {
      await expect(decrypted(seekable(file.subarray(0, at)), identity), `at ${at}`).rejects.toThrow(
        refusal(/^ARCHIVE_(TRUNCATED|CORRUPT)$/),
      );
      await expect(piped(file.subarray(0, at)), `at ${at}`).rejects.toThrow(refusal(/^ARCHIVE_(TRUNCATED|CORRUPT)$/));
    }
    // Exactly between two chunks: the one before is whole, and not the last one.
    for (const boundary of [start + sealedBytes, start + 2 * sealedBytes]) {
      const shorter = file.subarray(0, boundary);
      await expect(decrypted(seekable(shorter), identity)).rejects.toThrow(/cut short behind its chunk \d, which is not the last one/);
      await expect(piped(shorter)).rejects.toThrow(/cut short behind its chunk \d, which is not the last one/);
    }
  });

  test('an empty last chunk behind a whole one is none', async () => {
    const whole = await encrypt(content);
    expect(payloadSizes(BigInt(2 * sealedBytes + 16))).toBeUndefined();
    await expect(readAll(Buffer.concat([whole, Buffer.alloc(16)]))).rejects.toThrow(refusal(/^ARCHIVE_TRUNCATED$/));
    await expect(piped(Buffer.concat([whole, Buffer.alloc(16)]))).rejects.toThrow(refusal(/^ARCHIVE_(TRUNCATED|CORRUPT)$/));
  });

  test('a flip anywhere: header, nonce, bodies, tags', async () => {
    const file = await encrypt(Buffer.concat([content, content.subarray(0, 10)]));
    const start = file.length - 2 * sealedBytes - 26;
    const places = [
      25,
      40,
      60,
      120,
      start - 20,
      start - 16,
      start - 1,
      start,
      start + 40_000,
      start + sealedBytes - 1,
      start + sealedBytes,
      file.length - 17,
      file.length - 1,
    ];
    for (const at of places) {
      const altered = Buffer.from(file);
      altered.writeUInt8(altered.readUInt8(at) ^ 1, at);
      await expect(readAll(altered), `at ${at}`).rejects.toThrow(refusal(/^(ARCHIVE_CORRUPT|ARCHIVE_TRUNCATED|IDENTITY_MISSING)$/));
      await expect(piped(altered), `at ${at}`).rejects.toThrow(refusal(/^(ARCHIVE_CORRUPT|ARCHIVE_TRUNCATED|IDENTITY_MISSING)$/));
    }
  });

  test('chunks that changed places, or come from another file for the same recipient', async () => {
    const file = await encrypt(content);
    const start = file.length - 2 * sealedBytes;
    const [head, one, two] = [file.subarray(0, start), file.subarray(start, start + sealedBytes), file.subarray(start + sealedBytes)];
    const foreign = (await encrypt(content)).subarray(start);
    for (const payload of [[two, one], [one, one, two], [two], [one, foreign.subarray(sealedBytes)], [foreign]]) {
      await expect(readAll(Buffer.concat([head, ...payload]))).rejects.toThrow(refusal(/^ARCHIVE_(TRUNCATED|CORRUPT)$/));
      await expect(piped(Buffer.concat([head, ...payload]))).rejects.toThrow(refusal(/^ARCHIVE_(TRUNCATED|CORRUPT)$/));
    }
  });

  test('a header without end is read to its limit only', async () => {
    const endless = Buffer.concat([Buffer.from('age-encryption.org/v1\n'), Buffer.alloc(5 * 1024 * 1024, 'a')]);
    const bytes = seekable(endless);
    await expect(decrypted(bytes, identity)).rejects.toThrow(/its header has more than/);
    expect(bytes.taken).toBeLessThan(3 * 1024 * 1024);
    await expect(piped(endless)).rejects.toThrow(/its header has more than/);
  });
});

test('what is not encrypted passes as it is', async () => {
  for (const length of [0, 5, 22, 100_000]) {
    const plain = content.subarray(0, length);
    const bytes = seekable(plain);
    expect(await decrypted(bytes, undefined)).toBe(bytes);
    const never = () => Promise.reject(new Error('nobody needs it'));
    expect((await all(decryptedStream(piecesOf(plain, 10_000), never))).equals(plain)).toBe(true);
  }
});

test('a text becomes armored text, for age as for us', async () => {
  const text = '{"ä":1}\n';
  const armored = await encryptText(text, recipient);
  expect(armored).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----\n[\s\S]+\n-----END AGE ENCRYPTED FILE-----\n$/);
  expect((await readBoth(Buffer.from(armor.decode(armored)))).toString()).toBe(text);
});

test('a new identity, and what keys must be', async () => {
  const { identity: line, recipient: to } = await generateAgeKey();
  expect(await parseIdentities(`# created: today\r\n\r\n${line}\r\n`, 'x')).toEqual([line]);
  expect(await parseRecipients(`# mine\n${to}\n\n${recipient[0]}\n`, 'x')).toEqual([to, recipient[0]]);
  const bad = (message: string) => expect.objectContaining({ code: 'KEY_INVALID', message: expect.stringContaining(message) });
  await expect(parseRecipients('', 'x')).rejects.toThrow(bad('there is none'));
  await expect(parseRecipients('age1abc', 'x')).rejects.toThrow(bad('no recipient of age'));
  await expect(
    parseRecipients(
      to.replace(/.$/, (last) => (last === 'q' ? 'p' : 'q')),
      'x',
    ),
  ).rejects.toThrow(bad('no recipient of age'));
  await expect(parseRecipients('ssh-ed25519 AAAA', 'x')).rejects.toThrow(bad('keys of SSH'));
  await expect(parseRecipients(line, line)).rejects.toThrow(
    expect.objectContaining({ code: 'KEY_INVALID', message: expect.not.stringContaining(line) }),
  );
  await expect(parseIdentities('# nothing\n', 'x')).rejects.toThrow(bad('there is none in it'));
  await expect(parseIdentities(to, 'x')).rejects.toThrow(bad('no identity of age'));
  await expect(parseIdentities('-----BEGIN OPENSSH PRIVATE KEY-----\n', 'x')).rejects.toThrow(bad('keys of SSH'));
  await expect(parseIdentities('-----BEGIN AGE ENCRYPTED FILE-----\n', 'x')).rejects.toThrow(bad('it is encrypted itself'));
  const broken = line.slice(0, -1);
  await expect(parseIdentities(broken, 'x')).rejects.toThrow(expect.objectContaining({ message: expect.not.stringContaining(broken) }));
});
