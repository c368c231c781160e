// Which snapshot of a series a new one may refer to: the newest good one, if it can be read.
import { openArchive } from '../../archive/reader.js';
import { TidemarkError } from '../../model/errors.js';
import type { OpenedArchive } from '../archive/open-bytes.js';
import { openSealed } from '../seal/open-sealed.js';
import type { CompletedOptions } from '../snapshot/options.js';
import type { Listing, Repository } from './repository.js';

/** The options with a base, unless they have one. A base that cannot be read keeps no snapshot from being taken: all is exported then.
 *  @param onTrouble is told why it cannot be read  @throws TidemarkError KEY_INVALID, and what is not about the archive */
export async function withBase(
  completed: CompletedOptions,
  {
    repository,
    listing,
    onTrouble,
  }: { readonly repository: Repository; readonly listing: Listing; readonly onTrouble: (error: TidemarkError) => void },
): Promise<CompletedOptions> {
  const [newest] = listing.snapshots;
  if (completed.base !== undefined || newest === undefined) return completed;
  const trusting = { ...repository.trust, ...completed };
  try {
    const opened = await openSealed(await repository.open(newest), trusting);
    await (await openArchive(opened.bytes, opened)).close();
    const base: OpenedArchive = await repository.open(newest);
    return { ...trusting, base };
  } catch (error) {
    if (!(error instanceof TidemarkError) || !unreadable.has(error.code)) throw error;
    onTrouble(error);
    return completed;
  }
}

/** What is wrong with one archive, and not with the whole store or the keys. */
const unreadable: ReadonlySet<string> = new Set([
  'ARCHIVE_CORRUPT',
  'ARCHIVE_INVALID',
  'ARCHIVE_TRUNCATED',
  'ARCHIVE_TOO_NEW',
  'IDENTITY_MISSING',
  'OBJECT_MISSING',
  'FILE_ERROR',
  'SIGNATURE_INVALID',
  'SIGNATURE_MISSING',
]);
