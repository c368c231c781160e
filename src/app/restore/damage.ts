// Whose fault a failed restore is: the archive's, or somebody else's.
import { TidemarkError } from '../../model/errors.js';

/** The archive's own. One of a newer tidemark is not damaged. */
export function isDamage(error: unknown): error is TidemarkError {
  return error instanceof TidemarkError && ['ARCHIVE_INVALID', 'ARCHIVE_CORRUPT', 'ARCHIVE_TRUNCATED'].includes(error.code);
}
