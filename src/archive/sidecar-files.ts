// What lies beside an archive, to be compared with it: where it is looked for is for whoever opens the archive; here are those of a file.
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { TidemarkError } from '../model/errors.js';
import { besideNames, checksumSidecar, manifestSidecar, sidecarLimit } from './sidecars.js';

export interface Sidecar {
  /** For messages: a path, or a URL without secrets. */
  readonly name: string;
  readonly content: Buffer;
}

/** Each is asked for once, when it is needed; undefined where there is none. */
export interface Sidecars {
  /** What the line of the checksum should call the archive. */
  readonly basename: string;
  readonly manifest?: () => Promise<Sidecar | undefined>;
  readonly checksum?: () => Promise<Sidecar | undefined>;
}

export function fileSidecars(path: string): Sidecars {
  return {
    basename: basename(path),
    manifest: () => readSidecar(path, manifestSidecar('')),
    checksum: () => readSidecar(path, checksumSidecar('')),
  };
}

/** What lies beside a file under this ending. Undefined where there is nothing. @throws TidemarkError FILE_ERROR */
export async function readSidecar(archive: string, ending: string): Promise<Sidecar | undefined> {
  for (const path of besideNames(archive, ending)) {
    try {
      await refuseHuge(path, sidecarLimit(ending));
      return { name: path, content: await readFile(path) };
    } catch (error) {
      if (error instanceof TidemarkError) throw error;
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') continue;
      throw new TidemarkError('FILE_ERROR', `read ${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
  return undefined;
}

async function refuseHuge(path: string, most: number): Promise<void> {
  const { size } = await stat(path);
  if (size <= most) return;
  throw new TidemarkError('FILE_ERROR', `read ${path}: it has ${size} bytes, and ${most} are the most that it can have`, {
    hint: 'it is not what its name says: get it again from where the snapshot was made, or remove it',
  });
}
