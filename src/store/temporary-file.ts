// A file that is written under a temporary name, and others beside it that begin with the same name. What it becomes is for its owner;
// what is still there when it is disposed of goes.
import { type FileHandle, open, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileError } from '../model/file-error.js';

/** Bytes that are put on disk at once while more are written, so that there is little left to wait for at the end. */
const flushedBytes = 16 << 20;

export class TemporaryFile implements AsyncDisposable {
  readonly path: string;
  /** What messages call it. */
  readonly #name: string;
  readonly #handle: FileHandle;
  #position = 0;
  /** Where the last flush ended that was begun. */
  #flushedTo = 0;
  #flushing: Promise<void> | undefined;
  /** Why a flush failed. The kernel says so once: who asks again is told that all is well. */
  #failure: { readonly error: unknown } | undefined;

  private constructor(path: string, name: string, handle: FileHandle) {
    this.path = path;
    this.#name = name;
    this.#handle = handle;
  }

  /** Makes the file, which must not be there. @throws TidemarkError FILE_ERROR, DISK_FULL */
  static async open(path: string, name: string): Promise<TemporaryFile> {
    try {
      return new TemporaryFile(path, name, await open(path, 'wx', 0o600));
    } catch (error) {
      throw fileError(error, `create a file in ${dirname(path)}`);
    }
  }

  /** Appends. @throws TidemarkError DISK_FULL, FILE_ERROR */
  async write(bytes: Uint8Array): Promise<void> {
    try {
      let from = 0;
      while (from < bytes.length) {
        const { bytesWritten } = await this.#handle.write(bytes, from, bytes.length - from, this.#position);
        from += bytesWritten;
        this.#position += bytesWritten;
      }
      this.#flush();
      if (this.#failure) throw this.#failure.error;
    } catch (error) {
      throw fileError(error, `write ${this.#name}`);
    }
  }

  /** Makes the bytes durable. An fsync that failed is never tried again: the kernel may have dropped the pages.
   *  @throws TidemarkError DISK_FULL, FILE_ERROR */
  async sync(): Promise<void> {
    try {
      await this.#flushing;
      if (this.#failure) throw this.#failure.error;
      await this.#handle.sync();
    } catch (error) {
      throw fileError(error, `write ${this.#name} to disk`);
    }
  }

  /** Writes a small file beside it, durably. @returns its path */
  async addBeside(ending: string, content: string): Promise<string> {
    const path = `${this.path}${ending}`;
    try {
      await writeDurably(path, content);
    } catch (error) {
      throw fileError(error, `write the files beside ${this.#name}`);
    }
    return path;
  }

  async close(): Promise<void> {
    await this.#flushing;
    await this.#handle.close();
  }

  /** Has the disk take what was written meanwhile. One at a time: what comes in between is in the next. */
  #flush(): void {
    if (this.#flushing !== undefined || this.#position - this.#flushedTo < flushedBytes) return;
    this.#flushedTo = this.#position;
    this.#flushing = this.#handle
      .datasync()
      .catch((error: unknown) => {
        this.#failure = { error };
      })
      .finally(() => {
        this.#flushing = undefined;
      });
  }

  /** Closes it and removes all that is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close().catch(() => undefined);
    await removeAll(this.path).catch(() => undefined);
  }
}

/** Writes a whole file, which is on disk then; its directory may not be. @param mode of a file that is made */
export async function writeDurably(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const handle = await open(path, 'w', mode);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes all files whose paths begin with it. */
export async function removeAll(prefix: string): Promise<void> {
  const directory = dirname(prefix);
  const start = basename(prefix);
  for (const name of await readdir(directory)) if (name.startsWith(start)) await rm(join(directory, name), { force: true });
}
