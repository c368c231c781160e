// Publishes a folder of files as one: written under a temporary name in the same directory, every file fsynced, then renamed. Until then
// there is nothing under the target's name; what is not published goes.
import { mkdir, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { TidemarkError } from '../model/errors.js';
import { fileError } from '../model/file-error.js';
import { isAlive } from './is-alive.js';
import { syncDirectory } from './sync-directory.js';

/** Temporary folders of ours: `.<name>.<process>-<number>.tidemark`. */
const suffix = '.tidemark';

let counter = 0;
/** Temporary paths of this process that are in use: process numbers are used again, in containers it is always the same one. */
const inUse = new Set<string>();

/** A folder that is being filled. `dispose` removes it unless it was published. */
export class DirectoryPublication implements AsyncDisposable {
  readonly target: string;
  /** Where the files lie until then. */
  readonly temporary: string;

  private constructor(target: string, temporary: string) {
    this.target = target;
    this.temporary = temporary;
  }

  /** Makes the temporary folder, after having removed those that a killed process left for the same target.
   *  @throws TidemarkError FILE_ERROR where the target is there and not an empty directory, or the directory above is missing */
  static async open(path: string): Promise<DirectoryPublication> {
    const target = resolve(path);
    await refuseTaken(target);
    counter += 1;
    const temporary = join(dirname(target), `.${basename(target)}.${process.pid}-${counter}${suffix}`);
    try {
      await removeStale(target);
      await mkdir(temporary, { mode: 0o700 });
    } catch (error) {
      throw fileError(error, `create a directory in ${dirname(target)}`);
    }
    inUse.add(temporary);
    return new DirectoryPublication(target, temporary);
  }

  /** Makes the folder visible. Its files are whole and on disk already.
   *  @param files name and bytes of every file that must be in it
   *  @throws TidemarkError FILE_ERROR where one is not as it was written, or the target was taken meanwhile */
  async publish(files: readonly { readonly file: string; readonly bytes: bigint }[]): Promise<void> {
    try {
      for (const { file, bytes } of files) {
        const { size } = await stat(join(this.temporary, file), { bigint: true });
        if (size !== bytes) throw new TidemarkError('FILE_ERROR', `read ${file} back: it has ${size} bytes, ${bytes} were written`);
      }
      await syncDirectory(this.temporary);
      await refuseTaken(this.target);
      // Not every file system puts a directory in place of an empty one.
      await rmdir(this.target).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      });
      await rename(this.temporary, this.target);
      await syncDirectory(dirname(this.target));
    } catch (error) {
      throw fileError(error, `publish ${this.target}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.temporary, { recursive: true, force: true, maxRetries: 5 }).catch(() => undefined);
    inUse.delete(this.temporary);
  }
}

async function refuseTaken(target: string): Promise<void> {
  let names: readonly string[];
  try {
    names = await readdir(target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw (error as NodeJS.ErrnoException).code === 'ENOTDIR'
      ? new TidemarkError('FILE_ERROR', `create ${target}: it is a file`, { hint: 'name a directory that is not there yet' })
      : fileError(error, `create ${target}`);
  }
  if (names.length > 0) {
    throw new TidemarkError('FILE_ERROR', `create ${target}: it is not empty`, {
      hint: 'name a directory that is not there yet, or an empty one',
    });
  }
}

/** Removes temporary folders for this target whose process is gone. Others are never touched. */
async function removeStale(target: string): Promise<void> {
  const directory = dirname(target);
  const start = `.${basename(target)}.`;
  for (const name of await readdir(directory)) {
    const match = name.startsWith(start) ? /^(\d+)-\d+\.tidemark$/.exec(name.slice(start.length)) : null;
    if (!match) continue;
    const path = join(directory, name);
    const owner = Number(match[1]);
    if (!inUse.has(path) && (owner === process.pid || !isAlive(owner))) await rm(path, { recursive: true, force: true });
  }
}
