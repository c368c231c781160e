// Gives an archive its name in a directory, its signature before it: whenever the process is killed, there is no archive of it without its
// signature. The marker says that somebody is at it; where no archive follows, the next start removes the signature with it (reserve.ts).
import { TidemarkError } from '../../model/errors.js';
import { publishFenced } from '../../store/publish-fenced.js';
import { putSmall } from '../../store/small-object.js';
import type { Store } from '../../store/store.js';
import { forget, markerText, newMarker } from './marker.js';
import { release } from './reserve.js';

interface Named {
  /** Path of the temporary file. */
  readonly from: string;
  readonly to: string;
  readonly key: string;
}

/** @param store the directory
 *  @throws TidemarkError STORE_CONFLICT where somebody else is about to write it, FILE_ERROR, with errno EEXIST where it is there, LOCK_LOST where
 *  another process has taken over */
export async function publishSigned(
  store: Store,
  { archive, signature, writing }: { readonly archive: Named; readonly signature: Named; readonly writing: string },
): Promise<void> {
  const marker = newMarker(undefined);
  try {
    await putSmall(store, writing, markerText(marker), { ifAbsent: true });
    await publishFenced(signature.from, signature.to);
    try {
      await publishFenced(archive.from, archive.to);
    } catch (error) {
      const isAnothers = error instanceof TidemarkError && error.details.errno === 'EEXIST';
      if (isAnothers || (await store.stat(archive.key)) === undefined) await store.remove(signature.key);
      throw error;
    }
  } finally {
    // What cannot be done now is left to the next start.
    await release(store, writing, marker).catch((error: unknown) => {
      if (!(error instanceof TidemarkError)) throw error;
    });
    forget(marker);
  }
}
