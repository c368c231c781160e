// One time around: snapshot, verify, restore into a database of its own.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { verifySnapshot } from '#dist/app/archive/verify-snapshot.js';
import type { RestoreOptions } from '#dist/app/restore/options.js';
import { restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import type { SnapshotOptions } from '#dist/app/snapshot/options.js';
import { takeSnapshot } from '#dist/app/snapshot/take-snapshot.js';
import type { Manifest } from '#dist/model/manifest.js';
import { createDatabase, type DatabaseOptions, type TestDatabase } from '../server/index.js';

export interface Archive extends AsyncDisposable {
  readonly file: string;
  readonly manifest: Manifest;
}

/** A snapshot in a temporary folder, verified. Level 1, one worker, and secrets, unless told otherwise. */
export async function archiveOf(source: TestDatabase, options: Partial<SnapshotOptions> = {}): Promise<Archive> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-round-trip-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const file = join(folder, 'a.tar.zst');
    const { manifest } = await takeSnapshot({ database: source.url, file, jobs: 1, compressLevel: 1, secrets: true, ...options });
    await verifySnapshot({ file });
    return { file, manifest, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** A new database with the archive's contents. */
export async function restored(
  { file }: Pick<Archive, 'file'>,
  { into = {}, ...options }: Partial<RestoreOptions> & { readonly into?: DatabaseOptions } = {},
): Promise<TestDatabase> {
  const target = await createDatabase(into);
  try {
    await restoreSnapshot({ database: target.url, file, jobs: 1, ...options });
    return target;
  } catch (error) {
    await target.drop();
    throw error;
  }
}

/** Snapshot and restore at once, with a pipe between them. */
export async function pipe(
  source: TestDatabase,
  target: TestDatabase,
  { snapshot = {}, restore = {} }: { readonly snapshot?: Partial<SnapshotOptions>; readonly restore?: Partial<RestoreOptions> } = {},
): Promise<void> {
  const stream = new PassThrough();
  const ends = await Promise.allSettled([
    takeSnapshot({ database: source.url, jobs: 1, compressLevel: 1, ...snapshot, file: stream }).finally(() => stream.end()),
    restoreSnapshot({ database: target.url, jobs: 1, ...restore, file: stream }),
  ]);
  // Where the restore fails, its error is the one that tells: the snapshot's is only that nobody reads any more.
  for (const end of ends.toReversed()) if (end.status === 'rejected') throw end.reason;
}
