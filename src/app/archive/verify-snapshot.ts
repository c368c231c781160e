// The use case "verify a snapshot": every byte of an archive, and of what lies beside it, is checked.
import type { EventListener } from '../../model/events.js';
import { type OptionNames, refuseUnknownOptions } from '../../model/option-names.js';
import { abortReason } from '../abort.js';
import { openSealed, type TrustOptions, trustOptionNames } from '../seal/open-sealed.js';
import { type VerifyReport, verifySealed } from '../seal/verify-sealed.js';
import { settleJobs } from '../settle-jobs.js';
import type { StoreOptions } from './open-bytes.js';

export type { VerifyReport };

export interface VerifySnapshotOptions extends TrustOptions {
  /** Path or URL of the archive, or of a store whose newest one is meant. */
  readonly file: string;
  /** For a URL: credentials and the like. */
  readonly store?: StoreOptions;
  /** Of a store that several series of snapshots share: whose newest one is meant. */
  readonly prefix?: string;
  /** False: other archives that it refers to are not even opened. Default true. */
  readonly others?: boolean;
  /** Threads that check at once, where there is much to check. Default: processors, at most 4. */
  readonly jobs?: number;
  readonly onEvent?: EventListener;
  readonly signal?: AbortSignal;
}

const optionNames: OptionNames<VerifySnapshotOptions> = {
  file: true,
  store: true,
  prefix: true,
  others: true,
  jobs: true,
  onEvent: true,
  signal: true,
  ...trustOptionNames,
};

/** Checks all of an archive, and of others what it refers to: the signature, where keys are given, hashes, frames, tar, manifest, seek table, rows. Resolves only if everything is right.
 *  @throws TidemarkError ARCHIVE_CORRUPT with `details.damage`, ARCHIVE_TRUNCATED, ARCHIVE_INVALID, ARCHIVE_TOO_NEW, ARCHIVE_MISSING_PART, FILE_ERROR, OBJECT_MISSING,
 *  STORE_ERROR, ABORTED, USAGE, SIGNATURE_MISSING, SIGNATURE_INVALID, IDENTITY_MISSING, KEY_INVALID */
export async function verifySnapshot(options: VerifySnapshotOptions): Promise<VerifyReport> {
  refuseUnknownOptions(options, optionNames, 'verify');
  const { file, onEvent, signal } = options;
  const jobs = settleJobs(options.jobs, 'verify');
  try {
    return await verifySealed(await openSealed(file, options), {
      jobs,
      ...(onEvent ? { onEvent } : {}),
      ...(signal ? { signal } : {}),
      ...(options.others === undefined ? {} : { others: options.others }),
    });
  } catch (error) {
    throw abortReason(signal) ?? error;
  }
}
