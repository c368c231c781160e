// The bytes of an archive in a file of this machine. What can be read by path, threads open for themselves; so the path is told.
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { TidemarkError } from '../model/errors.js';
import { fileError } from '../model/file-error.js';
import { cutShort, type Seekable } from './seekable.js';

/** Bytes read at a time where a stream is asked for. */
const pieceBytes = 1024 * 1024;

export class FileBytes implements Seekable {
  readonly name: string;
  readonly size: bigint;
  readonly nearby = true;
  /** When its content was last changed, which file it is: another text where the file was replaced. */
  readonly version: string;
  readonly #file: FileHandle;

  private constructor(path: string, file: FileHandle, { size, version }: { readonly size: bigint; readonly version: string }) {
    this.name = path;
    this.size = size;
    this.version = version;
    this.#file = file;
  }

  /** @throws TidemarkError FILE_ERROR where there is no regular file that may be read */
  static async open(path: string): Promise<FileBytes> {
    const file = await openFile(path);
    try {
      const stat = await file.stat({ bigint: true });
      if (!stat.isFile()) throw notRegular(path);
      const { size, ino, mtimeNs } = stat;
      return new FileBytes(path, file, { size, version: `${ino} ${mtimeNs} ${size}` });
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get path(): string {
    return this.name;
  }

  async read(offset: bigint, length: number, memory?: ArrayBuffer): Promise<Buffer> {
    // Of its own, never a slice of the pool: it may be handed to another thread.
    const buffer = memory === undefined ? Buffer.allocUnsafeSlow(length) : Buffer.from(memory, 0, length);
    for (let filled = 0; filled < length; ) {
      const bytesRead = await this.#readAt(Number(offset) + filled, buffer, filled);
      if (bytesRead === 0) throw cutShort(this.name, { offset, got: filled, of: length });
      filled += bytesRead;
    }
    return buffer;
  }

  async *stream(offset: bigint, length: bigint): AsyncGenerator<Buffer> {
    let at = Number(offset);
    const end = Number(offset + length);
    while (at < end) {
      const buffer = Buffer.allocUnsafeSlow(Math.min(end - at, pieceBytes));
      const bytesRead = await this.#readAt(at, buffer, 0);
      if (bytesRead === 0) throw cutShort(this.name, { offset, got: at - Number(offset), of: Number(length) });
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#file.close();
  }

  /** FileHandle.read takes a bigint position without complaint and reads from the current one instead (Node 20): numbers only. */
  async #readAt(position: number, buffer: Buffer, from: number): Promise<number> {
    try {
      return (await this.#file.read(buffer, from, buffer.length - from, position)).bytesRead;
    } catch (error) {
      throw fileError(error, `read the archive at offset ${position}`);
    }
  }
}

function notRegular(path: string): TidemarkError {
  return new TidemarkError('FILE_ERROR', `open ${path}: it is not a regular file`, { hint: 'give `-` to read an archive from a pipe' });
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    // Opening a pipe would wait for its writer; what kind of file it is, is asked afterwards.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const what = { ENOENT: 'there is no such file', EACCES: 'permission denied', ENOTDIR: 'a part of the path is no directory' }[code];
    throw new TidemarkError('FILE_ERROR', `open ${path}: ${what ?? (error instanceof Error ? error.message : String(error))}`, {
      hint: 'look whether the path is right and may be read by this user',
      details: { path },
      cause: error,
    });
  }
}
