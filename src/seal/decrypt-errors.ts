// What may be wrong with an age file, and with who wants to read it, in the words that files and pipes share.
import { TidemarkError } from '../model/errors.js';
import { printable } from '../model/printable.js';

/** What a header has at most: that of some thousand recipients. */
export const headerLimit = 1024 * 1024;

export const cutHeader = 'it is cut short within its header';

export function damaged(code: 'ARCHIVE_CORRUPT' | 'ARCHIVE_TRUNCATED', name: string, what: string): TidemarkError {
  return new TidemarkError(code, `decrypt ${printable(name)}: ${what}`, {
    hint: 'copy it again from where it was made, or use another archive',
    details: { path: name },
  });
}

export function noIdentity(name: string): TidemarkError {
  return new TidemarkError('IDENTITY_MISSING', `open ${printable(name)}: it is encrypted by age, and no identity was given`, {
    hint: 'give the file of the identity with --identity, or TIDEMARK_IDENTITIES',
    details: { path: name },
  });
}
