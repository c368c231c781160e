// Keys and signatures in minisign's format. The files of fixtures/seal were made by minisign 0.11; what we sign is checked by the steps that
// its page describes, with node:crypto alone.
import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { generateKeyFiles, parsePublicKey, parsePublicLine, parseSecretKey } from '#dist/seal/key-files.js';
import { signManifest, verifyManifest } from '#dist/seal/signature.js';

const fixture = (name: string): Promise<string> => readFile(new URL(`../../fixtures/seal/${name}`, import.meta.url), 'utf8');

const text = await fixture('file.txt');
const minisignPublic = parsePublicKey(await fixture('minisign.pub'), 'minisign.pub');
const minisignSecret = parseSecretKey(await fixture('minisign.key'), 'minisign.key');
const keys = [minisignPublic];
const name = 'x.minisig';

/** What somebody without tidemark would do: https://jedisct1.github.io/minisign/#signature-format */
function checkByHand(signed: string, signature: string, publicLine: string): boolean {
  const [, first = '', trusted = '', second = ''] = signature.split('\n');
  const raw = Buffer.from(publicLine, 'base64').subarray(10);
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') }, format: 'jwk' });
  const line = Buffer.from(first, 'base64');
  expect(line.subarray(0, 2).toString()).toBe('ED');
  expect(line.subarray(2, 10)).toEqual(Buffer.from(publicLine, 'base64').subarray(2, 10));
  const comment = Buffer.from(trusted.slice('trusted comment: '.length));
  return (
    verify(null, createHash('blake2b512').update(signed).digest(), key, line.subarray(10)) &&
    verify(null, Buffer.concat([line.subarray(10), comment]), key, Buffer.from(second, 'base64'))
  );
}

test.each([
  ['file.ed.minisig', 'a trusted comment'],
  ['file.legacy.minisig', 'a legacy one'],
])('%s of minisign is valid', async (file, trustedComment) => {
  const signature = await fixture(file);
  expect(verifyManifest(text, signature, { keys, name })).toEqual({ keyId: 'BE6BA0320A7A722B', trustedComment });
  expect(verifyManifest(text, signature.replace(/\n/g, '\r\n'), { keys, name })).toMatchObject({ trustedComment });
  expect(() => verifyManifest(`${text} `, signature, { keys, name })).toThrow('not one of this manifest by the key BE6BA0320A7A722B');
});

test("minisign's secret key signs, as minisign would", async () => {
  const trustedComment = 'a trusted comment';
  const signature = signManifest(text, { key: minisignSecret, trustedComment, untrustedComment: 'signature from minisign secret key' });
  // Ed25519 has one signature for each text and key.
  expect(signature).toBe(await fixture('file.ed.minisig'));
});

test('a new pair of keys: written, read, signed, checked by hand', () => {
  const made = generateKeyFiles();
  const secret = parseSecretKey(made.secret, 'new.key');
  const publicKey = parsePublicKey(made.public, 'new.pub');
  expect([secret.id, publicKey.id, parsePublicLine(made.publicLine)?.id]).toEqual([made.id, made.id, made.id]);
  expect(made.public.split('\n')[1]).toBe(made.publicLine);
  const signature = signManifest('{"ä":1}', { key: secret, trustedComment: 'ünd\tmore' });
  expect(checkByHand('{"ä":1}', signature, made.publicLine)).toBe(true);
  expect(verifyManifest('{"ä":1}', signature, { keys: [minisignPublic, publicKey], name })).toEqual({
    keyId: made.id,
    trustedComment: 'ünd\tmore',
  });
  expect(generateKeyFiles().secret).not.toBe(made.secret);
});

test('the secret key has the form of minisign -G -W', async () => {
  const [ours, theirs] = [generateKeyFiles().secret, await fixture('minisign.key')].map((file) =>
    Buffer.from(file.split('\n')[1] ?? '', 'base64'),
  );
  expect(ours?.length).toBe(theirs?.length);
  expect(ours?.subarray(0, 54)).toEqual(theirs?.subarray(0, 54));
  expect(ours?.subarray(-32)).toEqual(theirs?.subarray(-32));
});

test('a key that OpenSSL made, in PEM', async () => {
  const pem = minisignPublic.key.export({ format: 'pem', type: 'spki' }).toString();
  const key = parsePublicKey(pem, 'o.pem');
  expect(key.id).toBeUndefined();
  expect(verifyManifest(text, await fixture('file.ed.minisig'), { keys: [key], name }).keyId).toBe('BE6BA0320A7A722B');
  const other = parsePublicKey(await fixture('openssl.pem'), 'openssl.pem');
  const signature = await fixture('file.ed.minisig');
  expect(() => verifyManifest(text, signature, { keys: [other], name })).toThrow('not one of this manifest by these keys');
});

test('every byte of a signature counts, but those of the untrusted comment', async () => {
  const signature = Buffer.from(await fixture('file.ed.minisig'));
  const comment = 'untrusted comment: '.length;
  const firstLine = signature.indexOf('\n');
  for (let at = 0; at < signature.length; at += 1) {
    for (const bit of [1, 0x10, 0x40]) {
      const altered = Buffer.from(signature);
      altered.writeUInt8(altered.readUInt8(at) ^ bit, at);
      const check = () => verifyManifest(text, altered.toString('latin1'), { keys, name });
      // A byte of the comment that becomes a line break makes one line more.
      if (at >= comment && at < firstLine && altered[at] !== 10) expect(check).not.toThrow();
      else if (at === signature.length - 1) expect(check, `byte ${at}`).toThrow(/its base64|fourth line/);
      else expect(check, `byte ${at} xor ${bit}`).toThrow(expect.objectContaining({ code: 'SIGNATURE_INVALID' }));
    }
  }
});

test.each<[string, (signature: string) => string, string]>([
  ['empty', () => '', 'cut short'],
  ['three lines', (s) => s.split('\n').slice(0, 3).join('\n'), 'cut short'],
  ['cut within the last line', (s) => s.slice(0, -10), 'its base64 is cut short or altered'],
  ['a fifth line', (s) => `${s}more\n`, 'something follows its fourth line'],
  ['an empty fifth line', (s) => `${s}\n`, 'something follows its fourth line'],
  ['base64 that is not padded', (s) => s.replace('lQXrAI=', 'lQXrAI'), 'its base64 is cut short or altered'],
  ['base64 of another text for the same bytes', (s) => s.replace('lQXrAI=', 'lQXrAJ='), 'its base64 is cut short or altered'],
  ['a blank within base64', (s) => s.replace('RUQrc', 'RUQ rc'), 'its base64 is cut short or altered'],
  ['another algorithm', (s) => s.replace('RUQrc', 'RUUrc'), 'of an algorithm that is not known'],
  ['prehashed passed for legacy', (s) => s.replace('RUQrc', 'RWQrc'), 'not one of this manifest'],
  ['another trusted comment', (s) => s.replace('a trusted', 'A trusted'), 'its trusted comment was altered'],
  ['HTML of an error', () => '<html>\n<body>\nnot found\n</body>\n', 'no signature of minisign'],
  ['signify', (s) => s.split('\n').slice(0, 2).join('\n'), 'cut short'],
])('%s is refused', async (_, change, why) => {
  const signature = change(await fixture('file.ed.minisig'));
  expect(() => verifyManifest(text, signature, { keys, name })).toThrow(
    expect.objectContaining({ code: 'SIGNATURE_INVALID', message: expect.stringContaining(why) }),
  );
});

test('a signature by another key says by which, and which would do', async () => {
  const other = parsePublicKey(generateKeyFiles().public, 'other.pub');
  const signature = await fixture('file.ed.minisig');
  expect(() => verifyManifest(text, signature, { keys: [other], name })).toThrow(
    `check the signature x.minisig: it is by the key BE6BA0320A7A722B, and not by ${other.id}`,
  );
  // The key id is nobody's property: what counts is the key.
  const same = { ...other, id: minisignPublic.id };
  expect(() => verifyManifest(text, signature, { keys: [same], name })).toThrow('not one of this manifest by the key BE6BA0320A7A722B');
  expect(verifyManifest(text, signature, { keys: [same, minisignPublic], name }).keyId).toBe('BE6BA0320A7A722B');
});

test.each(['a\nb', 'a\rb', 'a\0b', '\x7f', 'x'.repeat(8192)])('a comment with %j cannot be signed', (trustedComment) => {
  expect(() => signManifest(text, { key: minisignSecret, trustedComment })).toThrow(expect.objectContaining({ code: 'USAGE' }));
  const untrustedComment = trustedComment;
  expect(() => signManifest(text, { key: minisignSecret, trustedComment: '', untrustedComment })).toThrow(
    expect.objectContaining({ code: 'USAGE' }),
  );
});

test.each([
  ['password.key', 'it has a password', 'minisign -C -W'],
  ['minisign.pub', 'it is no secret key of minisign', 'tidemark keygen'],
  ['file.ed.minisig', 'it is no secret key of minisign', 'tidemark keygen'],
])('%s is no secret key to sign with', async (file, why, hint) => {
  const content = await fixture(file);
  expect(() => parseSecretKey(content, file)).toThrow(
    expect.objectContaining({ code: 'KEY_INVALID', message: expect.stringContaining(why), hint: expect.stringContaining(hint) }),
  );
});

test('a secret key whose halves do not belong together is refused, and nothing of it is told', async () => {
  const [comment, line = ''] = (await fixture('minisign.key')).split('\n');
  const bytes = Buffer.from(line, 'base64');
  for (const at of [62, 93, 94, 125]) {
    const altered = Buffer.from(bytes);
    altered.writeUInt8(altered.readUInt8(at) ^ 1, at);
    const base64 = altered.toString('base64');
    const told = (() => {
      try {
        return String(parseSecretKey(`${comment}\n${base64}\n`, 'a.key'));
      } catch (error) {
        return `${error} ${JSON.stringify(error)}`;
      }
    })();
    expect(told).toContain('its two halves do not belong together');
    expect(told).not.toContain(base64.slice(84, 120));
  }
});

test.each([
  ['a secret key', 'minisign.key', 'it is a secret key'],
  ['a secret key with a password', 'password.key', 'it is a secret key'],
  ['a signature', 'file.ed.minisig', 'it is no public key'],
])('%s is no public key', async (_, file, why) => {
  const content = await fixture(file);
  expect(() => parsePublicKey(content, file)).toThrow(
    expect.objectContaining({ code: 'KEY_INVALID', message: expect.stringContaining(why) }),
  );
});

test.each([
  '',
  'RWQ',
  '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n',
  // A key for X25519.
  '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VuAyEAsXQmtlo9Iyv9acqm9S0a++mcFGUyjz+j/nq1yuqcc5U=\n-----END PUBLIC KEY-----\n',
])('%j is no public key', (content) => {
  expect(() => parsePublicKey(content, 'x')).toThrow(expect.objectContaining({ code: 'KEY_INVALID' }));
});
