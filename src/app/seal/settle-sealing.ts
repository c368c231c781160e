// What the options of a snapshot, and the environment, say of keys: read and checked before a database is asked.
import type { Writable } from 'node:stream';
import { TidemarkError } from '../../model/errors.js';
import { readSignKey } from './read-keys.js';
import type { Sealing } from './sidecar-texts.js';

export interface SealingOptions {
  readonly signKey?: string;
}

/** @throws TidemarkError USAGE, KEY_INVALID, FILE_ERROR */
export async function settleSealing(file: string | Writable, options: SealingOptions): Promise<Sealing> {
  const signKey = await readSignKey(options.signKey);
  if (signKey !== undefined && typeof file !== 'string') {
    throw new TidemarkError('USAGE', 'take a snapshot: it is to be signed, and a signature has no place in a stream', {
      hint: 'name a file: the signature lies beside it',
    });
  }
  return signKey === undefined ? {} : { signKey };
}
