// Reads the keys that options, or the environment, name. Their forms are seal/'s matter.
import { readFile, stat } from 'node:fs/promises';
import { TidemarkError } from '../../model/errors.js';
import { type Identities, parseIdentities, parseRecipients, type Recipients } from '../../seal/age-keys.js';
import { parsePublicKey, parsePublicLine, parseSecretKey, publicLineOf, type SignKey, type VerifyKey } from '../../seal/key-files.js';
import { listVariable, variable } from '../environment.js';

/** No key is longer; what is, was named by mistake. */
const keyLimit = 64 * 1024;

/** @param given paths of public keys, or the keys themselves as one line of base64. Default: TIDEMARK_VERIFY_KEYS
 *  @returns undefined where none is asked for: then a snapshot need not be signed  @throws TidemarkError KEY_INVALID, FILE_ERROR, USAGE */
export async function readVerifyKeys(given: readonly string[] | undefined): Promise<readonly VerifyKey[] | undefined> {
  const wanted = given ?? listVariable('verifyKeys');
  if (wanted === undefined) return undefined;
  // Nothing would be valid then, or everything: neither is what somebody meant who has written it down.
  if (wanted.length === 0) throw new TidemarkError('USAGE', 'check a signature: the list of keys is empty');
  return Promise.all(wanted.map(async (one) => parsePublicLine(one) ?? parsePublicKey(await readKeyFile('public key', one), one)));
}

/** @param given path of a secret key. Default: TIDEMARK_SIGN_KEY
 *  @returns undefined where nothing is to be signed  @throws TidemarkError KEY_INVALID, FILE_ERROR, USAGE */
export async function readSignKey(given: string | undefined): Promise<SignKey | undefined> {
  const path = given ?? variable('signKey');
  return path === undefined ? undefined : parseSecretKey(await readKeyFile('secret key', path), path);
}

/** Whose signature is asked for of what is found where snapshots are published: that of the keys that count, and where none is named, of the
 *  key that signs them. Undefined where none is. @throws TidemarkError KEY_INVALID, FILE_ERROR, USAGE */
export async function requiredKeys({
  verifyKeys,
  signKey,
}: {
  readonly verifyKeys?: readonly string[] | undefined;
  readonly signKey?: string | undefined;
}): Promise<readonly string[] | undefined> {
  const wanted = verifyKeys ?? listVariable('verifyKeys');
  if (wanted !== undefined) return wanted;
  const key = await readSignKey(signKey);
  return key && [publicLineOf(key)];
}

/** @param given recipients of age, or `@file` for a file of them. Default: TIDEMARK_ENCRYPT_TO
 *  @returns undefined where nothing is to be encrypted  @throws TidemarkError KEY_INVALID, FILE_ERROR, USAGE */
export async function readRecipients(given: readonly string[] | undefined): Promise<Recipients | undefined> {
  const wanted = given ?? listVariable('encryptTo');
  if (wanted === undefined) return undefined;
  // A list that came out empty by mistake would leave everything as plain as before.
  if (wanted.length === 0) throw new TidemarkError('USAGE', 'take a snapshot: the list of recipients is empty');
  const read = wanted.map(async (one) => {
    if (!one.startsWith('@')) return parseRecipients(one, one.startsWith('age1') ? one : 'that was given');
    const path = one.slice(1);
    return parseRecipients(await readKeyFile('recipients', path), path);
  });
  return [...new Set((await Promise.all(read)).flat())];
}

/** @param given paths of files of identities of age. Default: TIDEMARK_IDENTITIES
 *  @returns undefined where none is given  @throws TidemarkError KEY_INVALID, FILE_ERROR, USAGE */
export async function readIdentities(given: readonly string[] | undefined): Promise<Identities | undefined> {
  const wanted = given ?? listVariable('identities');
  if (wanted === undefined) return undefined;
  return (await Promise.all(wanted.map(async (path) => parseIdentities(await readKeyFile('identity', path), path)))).flat();
}

/** @throws TidemarkError FILE_ERROR, KEY_INVALID */
export async function readKeyFile(what: string, path: string): Promise<string> {
  let text: string;
  try {
    const { size } = await stat(path);
    text = size > keyLimit ? '' : await readFile(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const why = { ENOENT: 'there is no such file', EACCES: 'permission denied', EISDIR: 'it is a directory' }[code];
    throw new TidemarkError('FILE_ERROR', `read the ${what} ${path}: ${why ?? (error as Error).message}`, {
      hint: 'look whether the path is right and may be read by this user',
      details: { path },
      cause: error,
    });
  }
  if (text === '') throw new TidemarkError('KEY_INVALID', `read the ${what} ${path}: it is empty, or too long for a key`);
  return text;
}
