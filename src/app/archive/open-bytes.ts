// Opens what somebody calls an archive (name.ts), wherever it lies, and finds what lies beside it. What is read of it is for others.
import { realpath, stat } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { fileSidecars, readSidecar, type Sidecar, type Sidecars } from '../../archive/sidecar-files.js';
import { besideNames, checksumSidecar, manifestSidecar, sidecarLimit } from '../../archive/sidecars.js';
import { FileBytes } from '../../frame/file-bytes.js';
import type { Seekable } from '../../frame/seekable.js';
import { TidemarkError } from '../../model/errors.js';
import type { OptionNames } from '../../model/option-names.js';
import { printable } from '../../model/printable.js';
import { openStore, type StoreOptions } from '../../store/open-store.js';
import { readSmall } from '../../store/small-object.js';
import type { Store } from '../../store/store.js';
import { latestKey, readLatest } from '../repository/latest.js';
import { parseArchiveName } from './name.js';
import { type Place, placeIn, placeOfFile } from './place.js';
import { StoreBytes } from './store-bytes.js';

export type { StoreOptions };

export interface OpenArchiveOptions {
  /** Credentials and the like, which a URL does not have. */
  readonly store?: StoreOptions;
  /** Of a store that several series of snapshots share: whose newest one is meant. */
  readonly prefix?: string;
  /** Ends all that is read. */
  readonly signal?: AbortSignal;
}

export const openArchiveOptionNames: OptionNames<OpenArchiveOptions> = { store: true, prefix: true, signal: true };

/** An archive, and what lies beside it. Whoever opens it closes `bytes`, and with them all there is. */
export interface OpenedArchive {
  readonly bytes: Seekable;
  /** Another text where the archive was replaced. */
  readonly version: string;
  readonly sidecars: Sidecars;
  /** What lies beside the archive under its name and this ending. */
  beside(ending: string): Promise<Sidecar | undefined>;
  readonly place: Place;
  /** Another archive, by its path from the directory of this one. It is to be closed before this one.
   *  @throws TidemarkError FILE_ERROR, OBJECT_MISSING, STORE_ERROR */
  neighbour(path: string): Promise<OpenedArchive>;
}

/** @param name a path, `file:///path`, `s3://bucket/path/x.tar.zst?endpoint=...`, `https://host/path/x.tar.zst`; a directory, or a URL of S3
 *  or HTTPS that does not end so, is a store, whose newest archive is meant
 *  @throws TidemarkError USAGE, FILE_ERROR, OBJECT_MISSING, STORE_ERROR, PACKAGE_MISSING */
export async function openArchiveBytes(name: string, options: OpenArchiveOptions = {}): Promise<Seekable> {
  return (await openNamedArchive(name, options)).bytes;
}

/** The same, with what lies beside it. */
export async function openNamedArchive(name: string, options: OpenArchiveOptions = {}): Promise<OpenedArchive> {
  const { store: storeOptions, prefix, signal } = options;
  const parsed = parseArchiveName(name);
  if (parsed.kind === 'path' && !(await isDirectory(parsed.path))) return openFile(parsed.path);
  const store = await openStore(parsed.kind === 'path' ? parsed.path : parsed.store, { ...storeOptions, ...(signal && { signal }) });
  try {
    if (parsed.kind === 'object') {
      const opened = await openStored(store, parsed.key, { name: parsed.shown, ownsStore: true });
      return { ...opened, neighbour: (path) => openNamedArchive(urlFrom(parsed.store, path), options) };
    }
    const newest = await openNewest(store, prefix);
    return parsed.kind === 'path' ? await asFile(newest, parsed.path) : newest;
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
}

async function isDirectory(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ?? false;
}

async function openFile(path: string): Promise<OpenedArchive> {
  const bytes = await FileBytes.open(path);
  // A link to the newest archive lies elsewhere than what the archive refers to.
  const real = await realpath(path);
  return {
    bytes,
    version: bytes.version,
    sidecars: fileSidecars(path),
    beside: (ending) => readSidecar(path, ending),
    place: placeOfFile(real),
    neighbour: (other) => openFile(join(dirname(real), other)),
  };
}

/** Threads read files for themselves. */
async function asFile({ bytes, ...opened }: OpenedArchive & { readonly key: string }, directory: string): Promise<OpenedArchive> {
  await bytes[Symbol.asyncDispose]();
  const { place, neighbour, ...file } = await openFile(join(directory, opened.key));
  return { ...opened, bytes: file.bytes, place, neighbour };
}

/** Retention may remove what was the newest a moment ago. */
const turns = 3;

/** What `latest.json` points to. */
async function openNewest(store: Store, prefix: string | undefined): Promise<OpenedArchive & { readonly key: string }> {
  for (let turn = 1; ; turn += 1) {
    const { archive: key, bytes: size } = choose(await readLatest(store), { location: store.location, prefix });
    try {
      const opened = await openStored(store, key, { ownsStore: true });
      if (opened.bytes.size === size) return { ...opened, key };
      throw new TidemarkError('STORE_ERROR', `open ${opened.bytes.name}: it has ${opened.bytes.size} bytes, and ${size} by ${latestKey}`, {
        hint: 'it was altered after it was published: name another snapshot of the store',
      });
    } catch (error) {
      if (turn === turns || !(error instanceof TidemarkError) || error.code !== 'OBJECT_MISSING') throw error;
    }
  }
}

function choose<T>(
  snapshots: Readonly<Record<string, T>>,
  { location, prefix }: { readonly location: string; readonly prefix: string | undefined },
): T {
  const series = Object.entries(snapshots);
  const [only, another] = prefix === undefined ? series : series.filter(([name]) => name === prefix);
  const names = series.map(([name]) => printable(name)).join(', ');
  if (only === undefined) {
    const what = series.length === 0 ? `there is no ${latestKey}, or it is empty` : `there is none of ${printable(prefix ?? '')}`;
    throw new TidemarkError('SNAPSHOT_MISSING', `find the newest snapshot in ${location}: ${what}`, {
      hint: series.length === 0 ? 'name an archive, or a store that snapshots were published in' : `it has snapshots of ${names}`,
    });
  }
  if (another !== undefined) {
    throw new TidemarkError('USAGE', `find the newest snapshot in ${location}: there are several series, ${names}`, {
      hint: 'choose one of them by its prefix, or name the archive itself',
    });
  }
  return only[1];
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
    for (const besideKey of besideNames(key, ending)) {
      const found = await readSmall(store, besideKey, sidecarLimit(ending));
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
    place: await placeIn(store.location, key),
    neighbour(path) {
      const other = posix.join(posix.dirname(key), path);
      if (!other.startsWith('../')) return openStored(store, other);
      throw new TidemarkError('OBJECT_MISSING', `open ${path} beside ${bytes.name}: it lies outside of the store`, {
        hint: 'name the archive by its own URL',
      });
    },
  };
}

/** The URL of what a path from a folder leads to, with the folder's own settings. */
function urlFrom(folder: string, path: string): string {
  const url = new URL(folder);
  url.pathname = posix.join('/', url.pathname, ...path.split('/').map((name) => (name === '..' ? name : encodeURIComponent(name))));
  return url.href;
}
