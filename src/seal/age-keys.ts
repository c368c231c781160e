// Recipients and identities of age, and the header of an age file, which wraps the key of the file for each recipient
// (https://age-encryption.org/v1). The package age-encryption does all of that; it is loaded when it is needed first.
import { TidemarkError } from '../model/errors.js';
import { printable } from '../model/printable.js';

/** Whom something is encrypted to: `age1...`. */
export type Recipients = readonly string[];

/** What opens it: `AGE-SECRET-KEY-1...`. Nothing prints them. */
export type Identities = readonly string[];

export interface FileKey {
  readonly key: Uint8Array;
  /** The text that files encrypted by this key begin with. */
  readonly header: Uint8Array;
}

const load = () => import('age-encryption');

function refused(what: string, why: string, hint: string): TidemarkError {
  return new TidemarkError('KEY_INVALID', `${what}: ${why}`, { hint });
}

/** Lines of a file of keys, without comments. */
function linesOf(text: string): readonly string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** Recipients, as text or from a file of lines. Each is tried.
 *  @param name where they stand, for messages  @throws TidemarkError KEY_INVALID */
export async function parseRecipients(text: string, name: string): Promise<Recipients> {
  const lines = linesOf(text);
  const what = `read the recipient ${printable(name)}`;
  if (lines.length === 0) throw refused(what, 'there is none', 'write one recipient a line: age1...');
  const { Encrypter } = await load();
  for (const line of lines) {
    if (/^AGE-SECRET-KEY-/i.test(line))
      throw refused('read a recipient', 'it is an identity, which is secret', 'give its recipient, which `age-keygen -y` prints');
    if (/^ssh-/.test(line)) throw refused(what, 'keys of SSH are not supported', 'make one with `tidemark keygen --age` or age-keygen');
    try {
      new Encrypter().addRecipient(line);
    } catch (error) {
      throw new TidemarkError('KEY_INVALID', `${what}: it is no recipient of age`, {
        hint: 'one begins with age1: `tidemark keygen --age` makes them',
        cause: error,
      });
    }
  }
  return lines;
}

/** Identities, as age-keygen writes them. @param name of the file, for messages  @throws TidemarkError KEY_INVALID */
export async function parseIdentities(text: string, name: string): Promise<Identities> {
  const what = `read the identity ${printable(name)}`;
  const hint = 'give a file that `tidemark keygen --age` or age-keygen made';
  if (text.includes('-----BEGIN AGE ENCRYPTED FILE-----') || text.startsWith('age-encryption.org/')) {
    throw refused(what, 'it is encrypted itself', 'decrypt it first: age -d FILE > identity.txt');
  }
  if (text.includes('PRIVATE KEY-----')) throw refused(what, 'keys of SSH and PEM are not supported', hint);
  const lines = linesOf(text);
  if (lines.length === 0) throw refused(what, 'there is none in it', hint);
  const { Decrypter } = await load();
  for (const line of lines) {
    try {
      new Decrypter().addIdentity(line);
    } catch {
      // Without its cause: what stands there may be a secret.
      throw refused(what, 'a line of it is no identity of age', hint);
    }
  }
  return lines;
}

export interface AgeKey {
  readonly identity: string;
  readonly recipient: string;
}

/** Makes an identity of X25519 with its recipient. */
export async function generateAgeKey(): Promise<AgeKey> {
  const { generateX25519Identity, identityToRecipient } = await load();
  const identity = await generateX25519Identity();
  return { identity, recipient: await identityToRecipient(identity) };
}

/** A new key, wrapped for the recipients. */
export async function wrapFileKey(recipients: Recipients): Promise<FileKey> {
  const { Encrypter } = await load();
  const encrypter = new Encrypter();
  let key: Uint8Array | undefined;
  // The package keeps the key to itself; a recipient is told, and need not add anything to the header.
  encrypter.addRecipient({
    wrapFileKey: (fileKey) => {
      key = Uint8Array.from(fileKey);
      return [];
    },
  });
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  const file = Buffer.from(await encrypter.encrypt(new Uint8Array(0)));
  const end = headerEnd(file);
  if (key === undefined || end === undefined || recipients.length === 0)
    throw new TidemarkError('INTERNAL', 'encrypt: the header has no end');
  return { key, header: file.subarray(0, end) };
}

const magic = Buffer.from('age-encryption.org/v1\n');
export const magicBytes = magic.length;

export function isAge(beginning: Uint8Array): boolean {
  return magic.equals(beginning.subarray(0, magic.length));
}

/** Where the header ends: behind the line of its MAC. Undefined where it goes on. */
export function headerEnd(beginning: Buffer): number | undefined {
  const mac = beginning.indexOf('\n---');
  const end = mac < 0 ? -1 : beginning.indexOf('\n', mac + 1);
  return end < 0 ? undefined : end + 1;
}

/** @param name of the file, for messages  @throws TidemarkError IDENTITY_MISSING, ARCHIVE_CORRUPT */
export async function unwrapFileKey(
  header: Buffer,
  { identities, name }: { readonly identities: Identities; readonly name: string },
): Promise<FileKey> {
  const { Decrypter } = await load();
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  let nobody = false;
  decrypter.addIdentity({
    unwrapFileKey: () => {
      nobody = true;
      return null;
    },
  });
  try {
    return { key: await decrypter.decryptHeader(header), header };
  } catch (error) {
    if (nobody) {
      throw new TidemarkError('IDENTITY_MISSING', `decrypt ${printable(name)}: no identity that was given opens it`, {
        hint: 'give the identity of one of the recipients that it was encrypted to',
        details: { path: name },
      });
    }
    throw new TidemarkError('ARCHIVE_CORRUPT', `decrypt ${printable(name)}: its header was altered`, {
      hint: 'use another copy of it',
      details: { path: name },
      cause: error,
    });
  }
}
