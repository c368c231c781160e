// Signatures in minisign's format: four lines, the second a signature of the BLAKE2b-512 of what is signed ('ED'; 'Ed' for that of the text
// itself, as minisign wrote it before 0.10), the fourth one of that signature and the trusted comment. What the comment says is
// trusted-comment.ts's business.
import { createHash, sign, verify } from 'node:crypto';
import { TidemarkError } from '../model/errors.js';
import { printable } from '../model/printable.js';
import { fromBase64 } from './base64.js';
import { keyIdBytes, keyIdText, type SignKey, type VerifyKey } from './key-files.js';

export interface VerifiedSignature {
  /** Of the key that signed, as the signature names it. */
  readonly keyId: string;
  readonly trustedComment: string;
}

export interface Signing {
  readonly key: SignKey;
  readonly trustedComment: string;
  /** What anybody may change. Default: what minisign says. */
  readonly untrustedComment?: string;
}

const untrustedPrefix = 'untrusted comment: ';
const trustedPrefix = 'trusted comment: ';
/** As minisign has them, with their ends. */
const untrustedLimit = 1024;
const trustedLimit = 8192;
const signatureBytes = 64;

/** @param text what is signed: a manifest as it stands in the archive
 *  @returns the text of the `.minisig` file  @throws TidemarkError USAGE for a comment that cannot be */
export function signManifest(text: string, { key, trustedComment, untrustedComment }: Signing): string {
  const untrusted = untrustedComment ?? `signature from tidemark, key ${key.id}`;
  checkComment(untrusted, untrustedLimit);
  checkComment(trustedComment, trustedLimit);
  const signature = sign(null, hashed(text), key.key);
  const both = sign(null, Buffer.concat([signature, Buffer.from(trustedComment)]), key.key);
  const line = Buffer.concat([Buffer.from('ED'), keyIdBytes(key.id), signature]).toString('base64');
  const written = `${untrustedPrefix}${untrusted}\n${line}\n${trustedPrefix}${trustedComment}\n${both.toString('base64')}\n`;
  // One that was made by a machine with a fault gives the key away; and nobody would find out before it is needed.
  verifyManifest(text, written, { keys: [key.verify], name: 'that was just made' });
  return written;
}

/** A line break in a comment would be another line of the file. */
function checkComment(comment: string, limit: number): void {
  const bad = [...comment].some((character) => (character < ' ' && character !== '\t') || character === '\x7f');
  if (!bad && Buffer.byteLength(comment) < limit - trustedPrefix.length - 1) return;
  throw new TidemarkError('USAGE', `sign a manifest: a comment has control characters, or more than ${limit} bytes`);
}

function hashed(text: string): Buffer {
  return createHash('blake2b512').update(text).digest();
}

interface Parsed {
  readonly prehashed: boolean;
  readonly keyId: string;
  readonly signature: Buffer;
  readonly trustedComment: string;
  readonly both: Buffer;
}

export interface Checking {
  /** Any of them may have signed. */
  readonly keys: readonly VerifyKey[];
  /** Where the signature is, for messages. */
  readonly name: string;
}

/** Returns only if one of the keys has signed this text, and the trusted comment with it.
 *  @param signature text of a `.minisig` file  @throws TidemarkError SIGNATURE_INVALID */
export function verifyManifest(text: string, signature: string, { keys, name }: Checking): VerifiedSignature {
  const parsed = parseSignature(signature);
  if (typeof parsed === 'string') throw invalid(name, parsed, 'get the signature again from where the snapshot was made');
  const { keyId, trustedComment } = parsed;
  const candidates = keys.filter(({ id }) => id === undefined || id === keyId);
  if (candidates.length === 0) {
    const wanted = keys.map(({ id }) => id ?? 'a PEM key').join(', ');
    throw invalid(
      name,
      `it is by the key ${keyId}, and not by ${wanted}`,
      'get the snapshot from somebody who has one of these keys, or give the key that you trust',
    );
  }
  const message = parsed.prehashed ? hashed(text) : Buffer.from(text);
  const signer = candidates.find(({ key }) => verify(null, message, key, parsed.signature));
  if (signer === undefined) {
    const by = candidates.every(({ id }) => id === undefined) ? 'these keys' : `the key ${keyId}`;
    throw invalid(
      name,
      `it is not one of this manifest by ${by}`,
      'the archive, or the signature, is another one or was altered: do not use it',
    );
  }
  if (!verify(null, Buffer.concat([parsed.signature, Buffer.from(trustedComment)]), signer.key, parsed.both)) {
    throw invalid(name, 'its trusted comment was altered', 'get the signature again from where the snapshot was made');
  }
  return { keyId, trustedComment };
}

function invalid(name: string, why: string, hint: string): TidemarkError {
  return new TidemarkError('SIGNATURE_INVALID', `check the signature ${name}: ${printable(why)}`, { hint, details: { signature: name } });
}

/** @returns what is wrong with it, where it is no signature */
function parseSignature(text: string): Parsed | string {
  const lines = text.replace(/\r\n/g, '\n').replace(/\n$/, '').split('\n');
  const [untrusted = '', first = '', trusted = '', second = ''] = lines;
  if (lines.length < 4) return 'it is cut short';
  if (lines.length > 4) return 'something follows its fourth line';
  if (!untrusted.startsWith(untrustedPrefix) || !trusted.startsWith(trustedPrefix)) return 'it is no signature of minisign';
  const bytes = fromBase64(first, 2 + 8 + signatureBytes);
  const both = fromBase64(second, signatureBytes);
  if (bytes === undefined || both === undefined) return 'its base64 is cut short or altered';
  const algorithm = bytes.toString('latin1', 0, 2);
  if (algorithm !== 'ED' && algorithm !== 'Ed') return 'it is of an algorithm that is not known';
  return {
    prehashed: algorithm === 'ED',
    keyId: keyIdText(bytes.subarray(2, 10)),
    signature: bytes.subarray(10),
    trustedComment: trusted.slice(trustedPrefix.length),
    both,
  };
}
