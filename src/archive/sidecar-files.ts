// What lies beside an archive, to be compared with it: where it is looked for is for whoever opens the archive; here are those of a file.
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { TidemarkError } from '../model/errors.js';
import { checksumSidecar, manifestSidecar } from './sidecars.js';

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
    manifest: () => readSidecar(manifestSidecar(path)),
    checksum: () => readSidecar(checksumSidecar(path)),
  };
}

/** Undefined where there is no such file. @throws TidemarkError FILE_ERROR */
export async function readSidecar(path: string): Promise<Sidecar | undefined> {
  try {
    return { name: path, content: await readFile(path) };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new TidemarkError('FILE_ERROR', `read ${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
