// The archives in a store that hold a part of another one's rows.
import { posix } from 'node:path';
import { TidemarkError } from '../../model/errors.js';
import type { Manifest } from '../../model/manifest.js';
import { printable } from '../../model/printable.js';
import { isKey } from '../../store/key.js';
import type { Store } from '../../store/store.js';

/** The key of another archive, by its path from the directory of this one. It may lead out of the store. */
export function keyOfOther(key: string, file: string): string {
  return posix.join(posix.dirname(key), file);
}

export async function isThere(store: Store, key: string): Promise<boolean> {
  return isKey(key) && (await store.stat(key)) !== undefined;
}

/** Before an archive counts: without the others it could not be restored. @throws TidemarkError ARCHIVE_MISSING_PART */
export async function refuseWithoutOthers(store: Store, key: string, { archives = [] }: Manifest): Promise<void> {
  for (const { file } of archives) {
    const other = keyOfOther(key, file);
    if (await isThere(store, other)) continue;
    const attempt = `publish ${printable(key)} in ${store.location}`;
    throw new TidemarkError('ARCHIVE_MISSING_PART', `${attempt}: a part of its rows is in ${printable(other)}, which is not there`, {
      hint: 'bring that one there first, under this name; or take a snapshot without a base, which has all of its rows',
      details: { archive: key, missing: other },
    });
  }
}
