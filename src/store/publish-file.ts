// Publishes an archive as a file: written under a temporary name in the same directory, fsynced, renamed, the directory fsynced. The file
// is whole by itself; the sidecars follow it, the manifest last. Without the fsync of the directory a power cut can lose the rename.
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { TidemarkError } from '../model/errors.js';
import { fileError } from '../model/file-error.js';
import { isAlive } from './is-alive.js';
import { syncDirectory } from './sync-directory.js';
import { TemporaryFile } from './temporary-file.js';

/** Temporary files of ours: `.<name>.<process>-<number>.tidemark`, and beginnings of that for spooled rows. */
const suffix = '.tidemark';

let counter = 0;
/** Temporary paths of this process that are in use: process numbers are used again, in containers it is always the same one. */
const inUse = new Set<string>();

/** An archive that is being written. `dispose` removes what was not published. */
export class FilePublication implements AsyncDisposable {
  readonly target: string;
  readonly #file: TemporaryFile;

  private constructor(target: string, file: TemporaryFile) {
    this.target = target;
    this.#file = file;
  }

  /** Makes the temporary file, after having removed those that a killed process left for the same target.
   *  @throws TidemarkError FILE_ERROR when the directory is missing or not writable, or the target is no regular file */
  static async open(target: string): Promise<FilePublication> {
    const directory = dirname(target);
    await refuseSpecial(target);
    counter += 1;
    const temporary = join(directory, `.${basename(target)}.${process.pid}-${counter}${suffix}`);
    try {
      await removeStale(target);
    } catch (error) {
      throw fileError(error, `create a file in ${directory}`);
    }
    const file = await TemporaryFile.open(temporary, target);
    inUse.add(temporary);
    return new FilePublication(target, file);
  }

  /** Where the archive lies until it is published; other temporary files of the same snapshot may begin with this path. */
  get temporary(): string {
    return this.#file.path;
  }

  /** Appends. @throws TidemarkError DISK_FULL, FILE_ERROR */
  async write(bytes: Uint8Array): Promise<void> {
    await this.#file.write(bytes);
  }

  /** Makes the bytes durable; nothing is visible under the target's name yet. */
  async sync(): Promise<void> {
    await this.#file.sync();
  }

  /** Makes the archive visible, then its sidecars (path and content) in the order given. Sidecars of an archive that is replaced are
   *  removed first, also those that the new one does not have (without content), so that at no instant one archive lies beside another
   *  one's manifest or signature. */
  async publish(sidecars: readonly (readonly [path: string, content: string | undefined])[]): Promise<void> {
    try {
      await this.#file.close();
      const written = [];
      for (const [path, content] of sidecars) {
        if (content !== undefined) written.push([await this.#file.addBeside(extname(path), content), path] as const);
      }
      for (const [path] of [...sidecars].reverse()) await rm(path, { force: true });
      await rename(this.temporary, this.target);
      for (const [from, to] of written) await rename(from, to);
      await syncDirectory(dirname(this.target));
    } catch (error) {
      throw fileError(error, `publish ${this.target}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file[Symbol.asyncDispose]();
    inUse.delete(this.temporary);
  }
}

/** A directory could not be replaced; a device could: a rename to /dev/null would end it for the whole machine. */
export async function refuseSpecial(target: string): Promise<void> {
  const found = await stat(target).catch(() => undefined);
  const isDirectory = target.endsWith('/') || found?.isDirectory();
  if (!isDirectory && (found === undefined || found.isFile())) return;
  throw new TidemarkError('FILE_ERROR', `create ${target}: it is ${isDirectory ? 'a directory' : 'no regular file'}`, {
    hint: isDirectory ? 'name a file in it' : 'for a device or a pipe, write to standard output and redirect that',
  });
}

/** Removes temporary files for this target whose process is gone. Other files are never touched. */
async function removeStale(target: string): Promise<void> {
  const directory = dirname(target);
  const start = `.${basename(target)}.`;
  for (const name of await readdir(directory)) {
    const match = name.startsWith(start) ? /^(\d+)-\d+\.tidemark/.exec(name.slice(start.length)) : null;
    if (!match) continue;
    const owned = [...inUse].some((path) => join(directory, name).startsWith(path));
    const process_ = Number(match[1]);
    if (!owned && (process_ === process.pid || !isAlive(process_))) await rm(join(directory, name), { force: true });
  }
}
