// Writes a snapshot into a directory. The archive lies under a temporary name until every byte of it has been read back and found right;
// what has a snapshot's name has been verified. A process that was overtaken meanwhile finds its temporary file gone.
import { dirname, join } from 'node:path';
import { verifyArchive } from '../../archive/verify.js';
import type { WrittenArchive } from '../../archive/writer.js';
import { TidemarkError } from '../../model/errors.js';
import type { Manifest } from '../../model/manifest.js';
import type { Fence } from '../../store/fence.js';
import { publishFenced } from '../../store/publish-fenced.js';
import { makeDirectory } from '../../store/sync-directory.js';
import { TemporaryFile } from '../../store/temporary-file.js';
import { advanceLatest, readLatest } from './latest.js';
import { type OutputOptions, pointerTo, type RepositoryOutput, textsBeside } from './output.js';
import { verificationOf } from './records.js';
import type { Repository } from './repository.js';

export interface FolderOutputOptions extends OutputOptions {
  readonly directory: string;
  readonly fence: Fence;
}

/** @throws TidemarkError LOCK_LOST where another process has taken over, FILE_ERROR, DISK_FULL */
export async function openFolderOutput(
  repository: Repository,
  { directory, fence, started, onEvent, signal }: FolderOutputOptions,
): Promise<RepositoryOutput> {
  const { layout, prefix } = repository;
  const store = await repository.store();
  // What is not ours under that name is found before the work, not after it.
  await readLatest(store);
  const file = await TemporaryFile.open(join(directory, fence.temporaryName()), `an archive in ${directory}`);
  let published: string | undefined;
  try {
    await fence.check();
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }

  /** Under the first name that nobody has; never in place of another. What comes beside it is written before, so that nothing is made
   *  by one that was overtaken. */
  async function publish(manifest: Manifest, textsFor: (key: string) => ReturnType<typeof textsBeside>): Promise<string> {
    for (let turn = 1; ; turn += 1) {
      const id = layout.idFor(manifest.position, turn);
      const key = layout.keyOf(id);
      const keys = layout.beside(key);
      const taken = await Promise.all([key, ...Object.values(keys)].map((name: string) => store.stat(name)));
      if (taken.some((found) => found !== undefined)) continue;
      const beside: [from: string, to: string][] = [];
      for (const [what, text] of textsFor(key)) beside.push([await file.addBeside(`.${what}`, text), join(directory, keys[what])]);
      const target = join(directory, key);
      await makeDirectory(dirname(target));
      await fence.check();
      signal?.throwIfAborted();
      try {
        await publishFenced(file.path, target);
      } catch (error) {
        if (error instanceof TidemarkError && error.details.errno === 'EEXIST') continue;
        throw error;
      }
      for (const [from, to] of beside) await publishFenced(from, to, { replace: true });
      return id;
    }
  }

  return {
    spoolPrefix: `${file.path}-rows`,
    keepsBytes: false,
    untouched: true,
    get id() {
      return published;
    },
    async begin() {},
    write: (bytes) => file.write(bytes),
    async finish(archive: WrittenArchive, manifest: Manifest) {
      await file.sync();
      await file.close();
      await fence.check();
      const report = await verifyArchive(file.path, { ...(onEvent && { onEvent }), ...(signal && { signal }) });
      if (report.sha256 !== archive.sha256) {
        throw new TidemarkError('ARCHIVE_CORRUPT', `read the new archive back: its SHA-256 is ${report.sha256}, not ${archive.sha256}`, {
          hint: 'check the disk and the memory of this machine; nothing was published',
        });
      }
      const durationMs = Math.round(performance.now() - started);
      const record = verificationOf(manifest, { sha256: report.sha256, bytes: report.bytes, durationMs });
      const { manifestText } = archive;
      published = await publish(manifest, (key) => textsBeside(key, { manifestText, record }));
      const snapshot = pointerTo({ layout, id: published }, { manifest, archive });
      await advanceLatest(store, { series: prefix, snapshot });
    },
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  };
}
