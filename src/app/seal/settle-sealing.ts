// What the options of a snapshot, and the environment, say of keys: read and checked before a database is asked.
import type { Writable } from 'node:stream';
import { TidemarkError } from '../../model/errors.js';
import type { OptionNames } from '../../model/option-names.js';
import { printable } from '../../model/printable.js';
import { readRecipients, readSignKey } from './read-keys.js';
import type { Sealing } from './seal-archive.js';

export interface SealingOptions {
  /** Path of a secret key in minisign's form: its signature of the manifest is written to `<file>.manifest.json.minisig`.
   *  Default: TIDEMARK_SIGN_KEY */
  readonly signKey?: string;
  /** Recipients of age, `age1...`, or `@file` for a file of them: the archive is encrypted to all of these, its name ends with `.age`.
   *  Default: TIDEMARK_ENCRYPT_TO */
  readonly encryptTo?: readonly string[];
}

export const sealingOptionNames: OptionNames<SealingOptions> = { signKey: true, encryptTo: true };

/** @throws TidemarkError USAGE, KEY_INVALID, FILE_ERROR */
export async function settleSealing(options: SealingOptions): Promise<Sealing> {
  const signKey = await readSignKey(options.signKey);
  const recipients = await readRecipients(options.encryptTo);
  return { ...(signKey && { signKey }), ...(recipients && { recipients }) };
}

/** Whether the archive may go there. @throws TidemarkError USAGE */
export function checkPlace(file: string | Writable, { signKey, recipients }: Sealing): void {
  if (typeof file !== 'string') {
    if (signKey === undefined) return;
    throw new TidemarkError('USAGE', 'take a snapshot: it is to be signed, and a signature has no place in a stream', {
      hint: 'name a file: the signature lies beside it',
    });
  }
  // Whoever looks for a snapshot goes by its name.
  const named = file.endsWith('.age');
  if (named === (recipients !== undefined)) return;
  throw new TidemarkError(
    'USAGE',
    named
      ? `take a snapshot: ${printable(file)} is named like an encrypted one, and no recipient is given`
      : `take a snapshot: ${printable(file)} is to be encrypted, and its name does not end with .age`,
    { hint: named ? 'give recipients with --encrypt, or another name' : `call it ${printable(file)}.age` },
  );
}
