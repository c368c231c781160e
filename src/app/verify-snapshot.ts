// The use case "verify a snapshot": every byte of an archive, and of the files beside it, is checked.
import { type VerifyReport, verifyArchive } from '../archive/verify.js';
import type { EventListener } from '../model/events.js';
import { abortReason } from './abort.js';

export type { VerifyReport };

export interface VerifySnapshotOptions {
  readonly file: string;
  readonly onEvent?: EventListener;
  readonly signal?: AbortSignal;
}

/** Checks all of an archive: hashes, frames, tar, manifest, seek table, rows. Resolves only if everything is right.
 *  @throws TidemarkError ARCHIVE_CORRUPT with `details.damage`, ARCHIVE_TRUNCATED, ARCHIVE_INVALID, ARCHIVE_TOO_NEW, FILE_ERROR, ABORTED */
export async function verifySnapshot({ file, onEvent, signal }: VerifySnapshotOptions): Promise<VerifyReport> {
  try {
    return await verifyArchive(file, { ...(onEvent ? { onEvent } : {}), ...(signal ? { signal } : {}) });
  } catch (error) {
    throw abortReason(signal) ?? error;
  }
}
