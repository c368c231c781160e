// Ends what a writer that was killed, or had no answer any more, has begun: an archive that was verified since counts, and `latest.json` does
// not point to it yet, or there is nothing beside it. The same where somebody has removed by hand what was pointed to.
import { openArchive } from '../../archive/reader.js';
import { checksumText } from '../../archive/sidecars.js';
import type { StoredSnapshot } from '../../model/stored-snapshot.js';
import { putOnce } from '../../store/small-object.js';
import { advanceLatest, type LatestSnapshot, own, readLatest } from './latest.js';
import { pointerTo } from './output.js';
import type { Repository } from './repository.js';

/** Points to the newest snapshot that counts, unless a newer one that is there is pointed to; where signatures are asked for, to the newest that
 *  is signed. Only for who holds the lock of the series.
 *  @param token of the writer, in a store where that is told by tokens
 *  @throws TidemarkError LOCK_LOST where another process has taken over since, STORE_ERROR, FILE_ERROR */
export async function catchUp(repository: Repository, token?: bigint): Promise<void> {
  const { layout, prefix } = repository;
  const store = await repository.store();
  const newest = await toPointTo(repository, own(await readLatest(store), prefix));
  if (newest === undefined) return;
  const { id, key, position, verification } = newest;
  const { sha256, bytes, system } = verification;
  const beside = layout.beside(key);
  if ((await store.stat(beside.checksum)) === undefined) {
    await putOnce(store, beside.checksum, checksumText(sha256, key.slice(key.lastIndexOf('/') + 1)));
  }
  // Of one that is encrypted, it would have to be encrypted, too: it can be read in the archive.
  if (!key.endsWith('.age') && (await store.stat(beside.manifest)) === undefined) {
    let manifest = '';
    await using _archive = await openArchive((await repository.open(newest)).bytes, {
      accept: async (text) => {
        manifest = text;
      },
    });
    await putOnce(store, beside.manifest, manifest);
  }
  const snapshot = pointerTo(
    { layout, id, key },
    { manifest: { position, source: { systemIdentifier: system } }, archive: { sha256, bytes } },
  );
  await advanceLatest(store, { series: prefix, snapshot, token });
}

/** Undefined where that one, or none, is pointed to already. */
async function toPointTo(repository: Repository, before: LatestSnapshot | undefined): Promise<StoredSnapshot | undefined> {
  for (const snapshot of (await repository.list()).snapshots) {
    if (before?.archive === snapshot.key && before.sha256 === snapshot.verification.sha256) return undefined;
    if (await repository.isSigned(snapshot)) return snapshot;
  }
  return undefined;
}
