// Public and secret keys as minisign writes them (https://jedisct1.github.io/minisign/), and public keys as OpenSSL does (PEM). Texts and
// bytes only: who reads and writes the files is elsewhere.
import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { TidemarkError } from '../model/errors.js';
import { fromBase64 } from './base64.js';
import { privateKeyOf, publicKeyOf, rawPublicKey } from './ed25519.js';

/** Whose signatures count. */
export interface VerifyKey {
  /** As minisign prints it: 16 hexadecimal digits. Undefined for a PEM key: it has none, and is tried on every signature. */
  readonly id: string | undefined;
  readonly key: KeyObject;
}

export interface SignKey {
  readonly id: string;
  readonly key: KeyObject;
  /** What its signatures are checked with. */
  readonly verify: VerifyKey;
}

export interface KeyFiles {
  readonly id: string;
  /** Text of the secret key's file, unencrypted, as `minisign -G -W` writes it. */
  readonly secret: string;
  /** Text of the public key's file. */
  readonly public: string;
  /** Its second line, which is enough for `minisign -P` and `--verify-key`. */
  readonly publicLine: string;
}

const algorithm = 'Ed';
const idBytes = 8;
const publicBytes = 2 + idBytes + 32;
/** Algorithms of signature, key derivation and checksum; salt, limits; key id, seed and public key, checksum. */
const secretBytes = 6 + 32 + 8 + 8 + idBytes + 64 + 32;
const secretAt = 6 + 32 + 8 + 8;
const commentPrefix = 'untrusted comment: ';

/** Key ids are numbers, least byte first. */
export function keyIdText(bytes: Buffer): string {
  return bytes.readBigUInt64LE(0).toString(16).toUpperCase().padStart(16, '0');
}

export function keyIdBytes(id: string): Buffer {
  const bytes = Buffer.alloc(idBytes);
  bytes.writeBigUInt64LE(BigInt(`0x${id}`));
  return bytes;
}

/** Makes a key pair. */
export function generateKeyFiles(): KeyFiles {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32);
  const raw = rawPublicKey(publicKey);
  const idOf = randomBytes(idBytes);
  const id = keyIdText(idOf);
  const secret = Buffer.alloc(secretBytes);
  secret.write(`${algorithm}\0\0B2`, 'latin1');
  Buffer.concat([idOf, seed, raw]).copy(secret, secretAt);
  const publicLine = Buffer.concat([Buffer.from(algorithm), idOf, raw]).toString('base64');
  return {
    id,
    secret: `${commentPrefix}minisign secret key ${id}\n${secret.toString('base64')}\n`,
    public: `${commentPrefix}minisign public key ${id}\n${publicLine}\n`,
    publicLine,
  };
}

function refused(what: string, why: string, hint: string): TidemarkError {
  return new TidemarkError('KEY_INVALID', `${what}: ${why}`, { hint });
}

/** The base64 line of a key file: its second, after a comment. Undefined where the text is of another form. */
function keyLine(text: string): string | undefined {
  const [comment = '', line, ...more] = text.replace(/\r\n/g, '\n').replace(/\n+$/, '').split('\n');
  return comment.startsWith(commentPrefix) && more.length === 0 ? line : undefined;
}

/** The public key in one line of base64, without its comment. Undefined where it is none. */
export function parsePublicLine(line: string): VerifyKey | undefined {
  const bytes = fromBase64(line, publicBytes);
  if (bytes === undefined || bytes.toString('latin1', 0, 2) !== algorithm) return undefined;
  return { id: keyIdText(bytes.subarray(2, 2 + idBytes)), key: publicKeyOf(bytes.subarray(2 + idBytes)) };
}

/** As `parsePublicLine` reads it. */
export function publicLineOf({ id, verify }: SignKey): string {
  return Buffer.concat([Buffer.from(algorithm), keyIdBytes(id), rawPublicKey(verify.key)]).toString('base64');
}

/** A public key's file: minisign's, or PEM (SubjectPublicKeyInfo) of an Ed25519 key.
 *  @param name of the file, for messages  @throws TidemarkError KEY_INVALID */
export function parsePublicKey(text: string, name: string): VerifyKey {
  const what = `read the public key ${name}`;
  if (text.includes('PRIVATE KEY-----') || fromBase64(keyLine(text) ?? '', secretBytes) !== undefined) {
    throw refused(what, 'it is a secret key', 'give the public key, and keep the secret one where snapshots are signed only');
  }
  if (text.includes('-----BEGIN PUBLIC KEY-----')) return { id: undefined, key: pemKey(text, what) };
  const key = parsePublicLine(keyLine(text) ?? text.trim());
  if (key !== undefined) return key;
  throw refused(
    what,
    'it is no public key of minisign, and no Ed25519 key in PEM',
    'give a file that `tidemark keygen` made, or its second line',
  );
}

function pemKey(text: string, what: string): KeyObject {
  const hint = 'make one with `tidemark keygen`, or with `openssl genpkey -algorithm ed25519` and `openssl pkey -pubout`';
  let key: KeyObject;
  try {
    key = createPublicKey(text);
  } catch (error) {
    throw new TidemarkError('KEY_INVALID', `${what}: it cannot be read as PEM`, { hint, cause: error });
  }
  if (key.asymmetricKeyType !== 'ed25519') throw refused(what, `it is a key for ${key.asymmetricKeyType}, not for Ed25519`, hint);
  return key;
}

/** A secret key's file as minisign writes it. No message repeats any of it.
 *  @param name of the file, for messages  @throws TidemarkError KEY_INVALID, also for one with a password */
export function parseSecretKey(text: string, name: string): SignKey {
  const what = `read the secret key ${name}`;
  const bytes = fromBase64(keyLine(text) ?? '', secretBytes);
  if (bytes === undefined || bytes.toString('latin1', 0, 2) !== algorithm) {
    throw refused(what, 'it is no secret key of minisign', 'give a file that `tidemark keygen` or `minisign -G -W` made');
  }
  if (bytes.readUInt16LE(2) !== 0) {
    throw refused(
      what,
      'it has a password, which nobody could type where snapshots are taken',
      'make a key without one with `tidemark keygen`, or take the password off a copy with `minisign -C -W -s FILE`',
    );
  }
  const id = keyIdText(bytes.subarray(secretAt, secretAt + idBytes));
  const seed = bytes.subarray(secretAt + idBytes, secretAt + idBytes + 32);
  const raw = bytes.subarray(secretAt + idBytes + 32, secretAt + idBytes + 64);
  const key = privateKeyOf(seed);
  // What follows is a checksum, zeros in keys without a password. This is the better one.
  if (!rawPublicKey(createPublicKey(key)).equals(raw)) {
    throw refused(what, 'its two halves do not belong together', 'the file was altered: use another copy of it');
  }
  return { id, key, verify: { id, key: publicKeyOf(raw) } };
}
