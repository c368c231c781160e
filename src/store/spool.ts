// Where rows that do not fit into memory lie for a moment, if no folder of the archive's own is there for that. Nothing is made before the
// first such row comes: a process that is killed without one leaves nothing behind.
import { randomUUID } from 'node:crypto';
import { access, constants } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileError } from '../model/file-error.js';
import { removeAll } from './temporary-file.js';

/** The beginning of paths in TMPDIR that nobody else has. Files that begin with it are removed with it. */
export class Spool implements AsyncDisposable {
  readonly prefix: string;

  private constructor(prefix: string) {
    this.prefix = prefix;
  }

  /** @throws TidemarkError FILE_ERROR where no file could be made in TMPDIR: hours later would be late to find out */
  static async open(): Promise<Spool> {
    const directory = tmpdir();
    try {
      await access(directory, constants.W_OK | constants.X_OK);
    } catch (error) {
      throw fileError(error, `find room for large rows in ${directory} (TMPDIR)`);
    }
    return new Spool(join(directory, `tidemark-${randomUUID()}`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await removeAll(this.prefix).catch(() => undefined);
  }
}
