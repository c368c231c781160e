// Gives a holder's temporary file its name in the folder, in one step that fails when another holder has taken over (fence.ts): then the
// temporary file is gone.
import { link, lstat, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { TidemarkError } from '../model/errors.js';
import { fileError } from '../model/file-error.js';
import { lockLost } from './fence.js';
import { syncDirectory } from './sync-directory.js';

export interface PublishOptions {
  /** A file of that name may be there already, and is replaced in one step. Default false: that is an error. */
  readonly replace?: boolean;
  /** How a second name is made; tests have one for file systems without hard links. */
  readonly makeLink?: (from: string, to: string) => Promise<void>;
}

/** Publishes a file that was written, fsynced, and followed by `fence.check()`. Durable when it resolves.
 *  @param temporary path of a file named by `fence.temporaryName()`, in the same directory as `target`
 *  @throws TidemarkError LOCK_LOST when the temporary file was removed by a take-over, FILE_ERROR */
export async function publishFenced(temporary: string, target: string, options: PublishOptions = {}): Promise<void> {
  try {
    if (options.replace) await rename(temporary, target);
    else await publishNew(temporary, target, options.makeLink ?? link);
    await syncDirectory(dirname(target));
  } catch (error) {
    throw await explain(error, temporary, target);
  }
}

/** link(2) refuses a name that is taken; rename(2) would replace it. */
async function publishNew(temporary: string, target: string, makeLink: (from: string, to: string) => Promise<void>): Promise<void> {
  try {
    await makeLink(temporary, target);
  } catch (error) {
    if (!withoutLinks.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    // Between the look and the rename a foreign file could come; another holder's cannot, as it has no temporary file any more.
    if (await exists(target)) throw Object.assign(new Error('it exists'), { code: 'EEXIST' });
    await rename(temporary, target);
    return;
  }
  await rm(temporary, { force: true });
}

/** What file systems without hard links say (FAT, some of networks and of FUSE). https://man7.org/linux/man-pages/man2/link.2.html */
const withoutLinks: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

async function explain(error: unknown, temporary: string, target: string): Promise<TidemarkError> {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EEXIST') {
    return new TidemarkError('FILE_ERROR', `publish ${target}: there is a file of that name already`, {
      cause: error,
      hint: 'move it away, if it is not needed; it was left as it is',
      details: { errno: code },
    });
  }
  const directory = await stat(dirname(temporary)).catch(() => undefined);
  if (code === 'ENOENT' && directory?.isDirectory() && !(await exists(temporary))) {
    return lockLost(`publish ${target}: its temporary file is gone, another process has taken over`);
  }
  return fileError(error, `publish ${target}`);
}
