// Writes a snapshot into a repository. The archive lies under a temporary name until every byte of it has been read back and found right;
// what has a snapshot's name has been verified. A process that was overtaken meanwhile finds its temporary file gone.
import { checksumSidecar, checksumText, manifestSidecar } from '../../archive/sidecars.js';
import { verifyArchive } from '../../archive/verify.js';
import type { WrittenArchive } from '../../archive/writer.js';
import { TidemarkError } from '../../model/errors.js';
import type { EventListener } from '../../model/events.js';
import type { Manifest } from '../../model/manifest.js';
import type { Fence } from '../../store/fence.js';
import { publishFenced } from '../../store/publish-fenced.js';
import { TemporaryFile } from '../../store/temporary-file.js';
import type { SnapshotOutput } from '../snapshot-output.js';
import { idFor, keyOf, verifiedFile } from './names.js';
import { verificationText } from './records.js';
import { type Repository, verificationOf } from './repository.js';

export interface FolderOutputOptions {
  readonly fence: Fence;
  /** When the snapshot was begun, of `performance.now()`. */
  readonly started: number;
  readonly onEvent?: EventListener;
  readonly signal?: AbortSignal;
}

export interface FolderOutput extends SnapshotOutput {
  /** The name that it was published under. */
  readonly id: string | undefined;
}

/** @throws TidemarkError LOCK_LOST where another process has taken over, FILE_ERROR, DISK_FULL */
export async function openFolderOutput(
  { folder, prefix }: Repository,
  { fence, started, onEvent, signal }: FolderOutputOptions,
): Promise<FolderOutput> {
  const file = await TemporaryFile.open(folder.at(fence.temporaryName()), `an archive in ${folder.path}`);
  let published: string | undefined;
  try {
    await fence.check();
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }

  /** Under the first name that nobody has; never in place of another. What comes beside it is written before, so that nothing is made
   *  by one that was overtaken. */
  async function publish(
    manifest: Manifest,
    textsFor: (key: string) => readonly (readonly [name: string, text: string])[],
  ): Promise<string> {
    for (let turn = 1; ; turn += 1) {
      const id = idFor(prefix, manifest.position, turn);
      const key = keyOf(id);
      if ((await folder.names()).some((name) => name.startsWith(key))) continue;
      const beside: [from: string, to: string][] = [];
      for (const [name, text] of textsFor(key)) beside.push([await file.addBeside(name.slice(key.length), text), folder.at(name)]);
      await fence.check();
      signal?.throwIfAborted();
      try {
        await publishFenced(file.path, folder.at(key));
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
    write: (bytes) => file.write(bytes),
    async finish(archive: WrittenArchive, manifest: Manifest) {
      await file.sync();
      await file.close();
      const report = await verifyArchive(file.path, { ...(onEvent && { onEvent }), ...(signal && { signal }) });
      if (report.sha256 !== archive.sha256) {
        throw new TidemarkError('ARCHIVE_CORRUPT', `read the new archive back: its SHA-256 is ${report.sha256}, not ${archive.sha256}`, {
          hint: 'check the disk and the memory of this machine; nothing was published',
        });
      }
      const { sha256, bytes } = report;
      const record = verificationOf(manifest, { sha256, bytes, durationMs: Math.round(performance.now() - started) });
      published = await publish(manifest, (key) => [
        [checksumSidecar(key), checksumText(sha256, key)],
        [manifestSidecar(key), archive.manifestText],
        [verifiedFile(key), verificationText(record)],
      ]);
    },
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  };
}
