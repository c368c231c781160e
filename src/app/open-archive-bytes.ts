// Opens what somebody calls an archive (archive-name.ts), wherever it lies, and finds what lies beside it. What is read of it is for others.
import { basename, posix } from 'node:path';
import { readSidecar, type Sidecar, type Sidecars } from '../archive/sidecar-files.js';
import { checksumSidecar, manifestSidecar } from '../archive/sidecars.js';
import { FileBytes } from '../frame/file-bytes.js';
import type { Seekable } from '../frame/seekable.js';
import { TidemarkError } from '../model/errors.js';
import { openStore, type StoreOptions } from '../store/open-store.js';
import { readSmall } from '../store/small-object.js';
import type { Store } from '../store/store.js';
import { parseArchiveName } from './archive-name.js';
import { StoreBytes } from './store-bytes.js';

export type { StoreOptions };

export interface OpenArchiveOptions {
  /** Credentials and the like, which a URL does not have. */
  readonly store?: StoreOptions;
  /** Ends all that is read. */
  readonly signal?: AbortSignal;
}

/** An archive, and what lies beside it. Whoever opens it closes `bytes`, and with them all there is. */
export interface OpenedArchive {
  readonly bytes: Seekable;
  /** Another text where the archive was replaced. */
  readonly version: string;
  readonly sidecars: Sidecars;
  /** What lies beside the archive under its name and this ending. */
  beside(ending: string): Promise<Sidecar | undefined>;
}

/** What a sidecar has at most: a manifest is as large as the member that it is. */
const sidecarLimit = 256 * 1024 * 1024;

/** @param name a path, `file:///path`, `s3://bucket/path/x.tar.zst?endpoint=...`, `https://host/path/x.tar.zst`; a directory, or a URL of S3
 *  or HTTPS that does not end so, is a store, whose newest archive is meant
 *  @throws TidemarkError USAGE, FILE_ERROR, OBJECT_MISSING, STORE_ERROR, PACKAGE_MISSING */
export async function openArchiveBytes(name: string, options: OpenArchiveOptions = {}): Promise<Seekable> {
  return (await openNamedArchive(name, options)).bytes;
}

/** The same, with what lies beside it. */
export async function openNamedArchive(name: string, { store: storeOptions, signal }: OpenArchiveOptions = {}): Promise<OpenedArchive> {
  const parsed = parseArchiveName(name);
  if (parsed.kind === 'path') return openFile(parsed.path);
  const store = await openStore(parsed.store, { ...storeOptions, ...(signal && { signal }) });
  try {
    if (parsed.kind === 'object') return await openStored(store, parsed.key, { name: parsed.shown, ownsStore: true });
    throw new TidemarkError('USAGE', `open ${parsed.shown}: it does not end with .tar.zst, and names no archive`, {
      hint: 'name the archive itself',
    });
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
}

async function openFile(path: string): Promise<OpenedArchive> {
  const bytes = await FileBytes.open(path);
  const beside = async (ending: string): Promise<Sidecar | undefined> => {
    for (const besidePath of besideKeys(path, ending)) {
      const found = await readSidecar(besidePath);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const sidecars = { basename: basename(path), manifest: () => beside(manifestSidecar('')), checksum: () => beside(checksumSidecar('')) };
  return { bytes, version: bytes.version, sidecars, beside };
}

/** An archive in a store that is open.
 *  @param options name: what messages call it; ownsStore: closing the bytes closes the store, too
 *  @throws TidemarkError OBJECT_MISSING, STORE_ERROR */
export async function openStored(
  store: Store,
  key: string,
  options: { readonly name?: string; readonly ownsStore?: boolean } = {},
): Promise<OpenedArchive> {
  const bytes = await StoreBytes.open(store, key, options);
  const beside = async (ending: string): Promise<Sidecar | undefined> => {
    for (const besideKey of besideKeys(key, ending)) {
      const found = await readSmall(store, besideKey, sidecarLimit);
      if (found !== undefined) return { name: `${posix.basename(besideKey)} beside ${bytes.name}`, content: found.content };
    }
    return undefined;
  };
  return {
    bytes,
    version: bytes.version,
    sidecars: {
      basename: posix.basename(key),
      manifest: () => beside(manifestSidecar('')),
      checksum: () => beside(checksumSidecar('')),
    },
    beside,
  };
}

/** Where it may lie: a folder that is one snapshot's own gives the files in it shorter names. */
function besideKeys(key: string, ending: string): readonly string[] {
  const folder = key.slice(0, key.lastIndexOf('/') + 1);
  const keys = [`${key}${ending}`];
  if (!/^snapshot\.tar\.zst(\.age)?$/.test(posix.basename(key))) return keys;
  return [...keys, ending === checksumSidecar('') ? `${folder}snapshot${ending}` : `${folder}${ending.slice(1)}`];
}
