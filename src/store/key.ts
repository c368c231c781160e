// Which keys an object may have, the same for every kind of store, so that a store can be copied to one of another kind. Pure.
import { TidemarkError } from '../model/errors.js';

/** S3's limit of a whole key, and that of most file systems for a part of it. https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
const maxBytes = 900;
const maxPartBytes = 255;

/** @throws TidemarkError USAGE for a key that could leave the store, or that some store cannot have */
export function checkKey(key: string): void {
  const problem = problemOf(key);
  if (problem === undefined) return;
  throw new TidemarkError('USAGE', `name an object ${JSON.stringify(key.slice(0, 200))}: ${problem}`, {
    hint: 'a key has names with "/" between them, like 2025-06-01/snapshot.tar.zst',
  });
}

export function isKey(key: string): boolean {
  return problemOf(key) === undefined;
}

/** Where keys begin with a text: the directory that holds all of them, `''` for the top. @throws TidemarkError USAGE */
export function checkPrefix(prefix: string): string {
  const end = prefix.lastIndexOf('/');
  const directory = end === -1 ? '' : prefix.slice(0, end);
  if (directory !== '' || end === 0) checkKey(directory);
  return directory;
}

/** Names of temporary files of ours, and of fences. */
export function isTemporary(name: string): boolean {
  return name.startsWith('.') && name.includes('.tidemark');
}

function problemOf(key: string): string | undefined {
  if (key === '') return 'it is empty';
  if (Buffer.byteLength(key) > maxBytes) return `it is longer than ${maxBytes} bytes`;
  if (/\p{Surrogate}/u.test(key)) return 'it is no valid Unicode';
  if (/(?![\u0080-\u009f])\p{Control}|[\\\ufffe\uffff]/u.test(key)) return 'it has a backslash or a control character';
  for (const part of key.split('/')) {
    if (part === '') return 'it has an empty name';
    if (part === '.' || part === '..') return 'it has "." or ".." as a name';
    if (Buffer.byteLength(part) > maxPartBytes) return `it has a name of more than ${maxPartBytes} bytes`;
    if (isTemporary(part)) return 'it has a name that temporary files have';
  }
  return undefined;
}
