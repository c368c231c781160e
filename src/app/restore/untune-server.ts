// The use case "put back the server settings" that a restore with `tune` has left, because it was killed or lost its server.
import { type OptionNames, refuseUnknownOptions } from '../../model/option-names.js';
import { type PutBack, untune } from '../../restore/tuning/server.js';
import { connectionOf, type Database } from '../connection.js';

export { describePutBack, type PutBack } from '../../restore/tuning/server.js';

export interface UntuneOptions {
  /** The server, by any of its databases; default: DATABASE_URL, then the PG* variables and .pgpass. */
  readonly database?: Database;
  /** Puts them back although a restore is at work with them. */
  readonly force?: boolean;
}

const optionNames: OptionNames<UntuneOptions> = { database: true, force: true };

/** Puts settings of a server back to what stood before a restore set them, from whichever machine that was. A setting that somebody else has
 *  changed since stays as it is.
 *  @returns undefined where nothing was left
 *  @throws TidemarkError LOCKED where a restore uses them, PERMISSION_DENIED, TARGET_MISMATCH for a record that cannot be read, CONNECTION_* */
export async function untuneServer(options: UntuneOptions = {}): Promise<PutBack | undefined> {
  refuseUnknownOptions(options, optionNames, 'untune');
  const { database, force = false } = options;
  return await untune(connectionOf(database), { force });
}
