// Writes a snapshot into a directory. The archive lies under a temporary name until every byte of it has been read back and found right;
// what has a snapshot's name has been verified. A process that was overtaken meanwhile finds its temporary file gone.
import { basename, dirname, join } from 'node:path';
import { FileBytes } from '../../frame/file-bytes.js';
import { TidemarkError } from '../../model/errors.js';
import type { Manifest } from '../../model/manifest.js';
import type { StoredSnapshot, Verification } from '../../model/stored-snapshot.js';
import type { Fence } from '../../store/fence.js';
import { publishFenced } from '../../store/publish-fenced.js';
import { makeDirectory } from '../../store/sync-directory.js';
import { TemporaryFile } from '../../store/temporary-file.js';
import { type SealedArchive, textsBesideArchive } from '../seal/seal-archive.js';
import { verifyWritten } from '../seal/verify-sealed.js';
import { snapshotOf } from './facts.js';
import { advanceLatest, readLatest } from './latest.js';
import { type Beside, keysOf } from './layout.js';
import { refuseWithoutOthers } from './others.js';
import { checkNamed, type OutputOptions, pointerTo, type RepositoryOutput, textsBeside } from './output.js';
import { publishSigned } from './publish-signed.js';
import { verificationOf } from './records.js';
import type { Repository } from './repository.js';

export interface FolderOutputOptions extends OutputOptions {
  readonly directory: string;
  readonly fence: Fence;
}

/** @throws TidemarkError LOCK_LOST where another process has taken over, FILE_ERROR, DISK_FULL */
export async function openFolderOutput(
  repository: Repository,
  { directory, fence, started, encrypted = false, onEvent, signal }: FolderOutputOptions,
): Promise<RepositoryOutput> {
  const { layout, prefix } = repository;
  const store = await repository.store();
  // What is not ours under that name is found before the work, not after it.
  await readLatest(store);
  const place = await repository.place();
  const file = await TemporaryFile.open(join(directory, fence.temporaryName()), `an archive in ${directory}`);
  let published: StoredSnapshot | undefined;
  try {
    await fence.check();
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }

  /** Under the first name that nobody has; never in place of another. What comes beside it is written before, so that nothing is made
   *  by one that was overtaken. A signature has its name first, too. */
  async function publish(
    archive: SealedArchive,
    { manifest, record }: { manifest: Manifest; record: Verification },
  ): Promise<{ id: string; key: string }> {
    for (let turn = 1; ; turn += 1) {
      const id = layout.idFor(manifest.position, turn);
      const key = layout.keyOf(id, encrypted);
      const keys = layout.beside(key);
      const taken = await Promise.all(keysOf(layout, id).map((name) => store.stat(name)));
      if (taken.some((found) => found !== undefined)) continue;
      const beside: { readonly what: keyof Beside; readonly from: string; readonly to: string; readonly key: string }[] = [];
      const texts = await textsBesideArchive(archive, { name: basename(key) });
      for (const [what, text] of textsBeside(texts, record)) {
        beside.push({ what, from: await file.addBeside(`.${what}`, text), to: join(directory, keys[what]), key: keys[what] });
      }
      const signature = beside.find(({ what }) => what === 'signature');
      const target = join(directory, key);
      await makeDirectory(dirname(target));
      await refuseWithoutOthers(store, key, manifest);
      await fence.check();
      signal?.throwIfAborted();
      try {
        if (signature === undefined) await publishFenced(file.path, target);
        else await publishSigned(store, { archive: { from: file.path, to: target, key }, signature, writing: keys.writing });
      } catch (error) {
        if (error instanceof TidemarkError && (error.details.errno === 'EEXIST' || error.code === 'STORE_CONFLICT')) continue;
        throw error;
      }
      for (const { what, from, to } of beside) if (what !== 'signature') await publishFenced(from, to, { replace: true });
      return { id, key };
    }
  }

  return {
    place,
    spoolPrefix: `${file.path}-rows`,
    keepsBytes: false,
    untouched: true,
    get published() {
      return published;
    },
    async begin() {},
    write: (bytes) => file.write(bytes),
    async finish(archive, manifest) {
      checkNamed(archive, encrypted);
      await file.sync();
      await file.close();
      await fence.check();
      await verifyWritten(archive, await FileBytes.open(file.path), {
        attempt: 'read the new archive back',
        hint: 'check the disk and the memory of this machine; nothing was published',
        ...(onEvent && { onEvent }),
        ...(signal && { signal }),
      });
      const durationMs = Math.round(performance.now() - started);
      const record = verificationOf(manifest, { sha256: archive.sha256, bytes: archive.bytes, durationMs });
      const place = await publish(archive, { manifest, record });
      published = snapshotOf(layout, place, record);
      const snapshot = pointerTo({ layout, ...place }, { manifest, archive });
      await advanceLatest(store, { series: prefix, snapshot });
    },
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  };
}
