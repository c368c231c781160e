// A file of an export while it is written: appended to in order, counted and hashed on the way, durable once it is finished.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { ExportedFile } from '../model/export.js';
import { TemporaryFile } from './temporary-file.js';

export class HashedFile {
  readonly #name: string;
  readonly #file: TemporaryFile;
  readonly #hash = createHash('sha256');
  #bytes = 0n;

  private constructor(name: string, file: TemporaryFile) {
    this.#name = name;
    this.#file = file;
  }

  /** Makes the file, which must not be there. @throws TidemarkError FILE_ERROR, DISK_FULL */
  static async open(directory: string, name: string): Promise<HashedFile> {
    return new HashedFile(name, await TemporaryFile.open(join(directory, name), name));
  }

  /** Appends. @throws TidemarkError DISK_FULL, FILE_ERROR */
  async write(bytes: Uint8Array): Promise<void> {
    await this.#file.write(bytes);
    this.#hash.update(bytes);
    this.#bytes += BigInt(bytes.length);
  }

  /** Closes it, durable. @throws TidemarkError DISK_FULL, FILE_ERROR */
  async finish(): Promise<ExportedFile> {
    await this.#file.sync();
    await this.#file.close();
    return { file: this.#name, bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }

  /** Closes it as it is. */
  async abandon(): Promise<void> {
    await this.#file.close().catch(() => undefined);
  }
}
