// A folder that holds snapshots: its files as they are, small ones read and written whole. What their names and contents mean is for
// others.
import type { BigIntStats } from 'node:fs';
import { readdir, readFile, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { fileError } from '../model/file-error.js';
import { makeDirectory, syncDirectory } from './sync-directory.js';
import { writeDurably } from './temporary-file.js';

export interface FileFacts {
  readonly bytes: bigint;
  /** Another one where the file was replaced or written to, as far as the file system tells. */
  readonly version: string;
  readonly modifiedAt: Date;
}

/** What can be told of a file without reading it. */
export function factsOf({ ino, mtimeNs, mtime, size }: BigIntStats): FileFacts {
  return { bytes: size, version: `${ino} ${mtimeNs} ${size}`, modifiedAt: mtime };
}

let counter = 0;

export class Folder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** The path of a file in it. */
  at(name: string): string {
    return join(this.path, name);
  }

  /** Makes the folder, and those above it, where they are missing. @throws TidemarkError FILE_ERROR */
  async create(): Promise<void> {
    try {
      await makeDirectory(this.path);
    } catch (error) {
      throw fileError(error, `create the folder ${this.path}`);
    }
  }

  /** The names of all that is in it; none where it is not there. @throws TidemarkError FILE_ERROR */
  async names(): Promise<readonly string[]> {
    try {
      return await readdir(this.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw fileError(error, `list the folder ${this.path}`);
    }
  }

  /** A regular file; undefined for what is none, or not there any more. */
  async look(name: string): Promise<FileFacts | undefined> {
    const found = await stat(this.at(name), { bigint: true }).catch(absent);
    return found?.isFile() ? factsOf(found) : undefined;
  }

  /** Bytes of a regular file; undefined for what is none, or not there any more. */
  async size(name: string): Promise<bigint | undefined> {
    return (await this.look(name))?.bytes;
  }

  /** A small file; undefined where it is not there. @throws TidemarkError FILE_ERROR */
  async readText(name: string): Promise<string | undefined> {
    try {
      return await readFile(this.at(name), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw fileError(error, `read ${this.at(name)}`);
    }
  }

  /** Writes or replaces a small file: whole and on disk, or not at all. @throws TidemarkError FILE_ERROR, DISK_FULL */
  async writeText(name: string, text: string): Promise<void> {
    counter += 1;
    const temporary = this.at(`.${name}.${process.pid}-${counter}.tidemark`);
    try {
      await writeDurably(temporary, text);
      await rename(temporary, this.at(name));
      await syncDirectory(this.path);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw fileError(error, `write ${this.at(name)}`);
    }
  }

  /** Removes what `writeText` left behind for files whose names are wanted, where its process was killed an hour ago or more.
   *  @throws TidemarkError FILE_ERROR */
  async clearUp(isWanted: (name: string) => boolean, now: Date): Promise<void> {
    for (const name of await this.names()) {
      const written = /^\.(.+)\.\d+-\d+\.tidemark$/.exec(name)?.[1];
      if (written === undefined || !isWanted(written)) continue;
      const found = await this.look(name);
      if (found && now.getTime() - found.modifiedAt.getTime() >= 3_600_000) await this.remove(name);
    }
  }

  /** Removes a file, if it is there; durably. @throws TidemarkError FILE_ERROR */
  async remove(name: string): Promise<void> {
    try {
      await rm(this.at(name), { force: true });
      await syncDirectory(this.path);
    } catch (error) {
      throw fileError(error, `remove ${this.at(name)}`);
    }
  }

  /** Bytes that may still be written to its file system. @throws TidemarkError FILE_ERROR */
  async free(): Promise<bigint> {
    try {
      const { bavail, bsize } = await statfs(this.path, { bigint: true });
      return bavail * bsize;
    } catch (error) {
      throw fileError(error, `ask how much room there is in ${this.path}`);
    }
  }
}

/** A link that leads to itself leads to no file, as one that leads nowhere. */
function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ELOOP') return undefined;
  throw error;
}
