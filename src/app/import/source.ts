// An export as an import reads it, from a folder or a store: the manifest, the hash of every file before a row is sent, and the rows, whose
// hash is compared again while they are sent.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseExport, parseSums } from '../../archive/export-manifest.js';
import { exportManifestFile, exportSumsFile } from '../../archive/export-names.js';
import type { Codec } from '../../frame/codec.js';
import { decompressed } from '../../frame/decompressed.js';
import { TidemarkError } from '../../model/errors.js';
import type { ExportedTable, ExportManifest } from '../../model/export.js';
import { fileError, isSystemError } from '../../model/file-error.js';
import { openStore, type StoreOptions } from '../../store/open-store.js';
import { readSmall } from '../../store/small-object.js';
import type { Store } from '../../store/store.js';
import { exportPlace } from '../export/place.js';

/** The most that a manifest may have. */
const manifestLimit = 128 << 20;

/** Where the files of an export lie. */
export interface ExportSource extends AsyncDisposable {
  /** For messages. */
  pathOf(file: string): string;
  /** From the beginning. */
  read(file: string): AsyncIterable<Uint8Array>;
  /** A small one. */
  readWhole(file: string): Promise<Buffer>;
}

export interface SourceOptions {
  readonly store?: StoreOptions | undefined;
  readonly signal: AbortSignal;
}

/** @param from a path, `file:///path`, `s3://bucket/prefix`, `https://host/path`, or a store that is open
 *  @throws TidemarkError USAGE, PACKAGE_MISSING */
export async function openExport(from: string | Store, { store: options, signal }: SourceOptions): Promise<ExportSource> {
  if (typeof from !== 'string') return storeSource(from, { owned: false });
  const place = exportPlace(from);
  if (place.kind === 'folder') return folderSource(place.path);
  return storeSource(await openStore(place.store, { ...options, signal }), { owned: true });
}

function folderSource(directory: string): ExportSource {
  const pathOf = (file: string): string => join(directory, file);
  return {
    pathOf,
    read: (file) => createReadStream(pathOf(file), { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>,
    async readWhole(file) {
      const path = pathOf(file);
      try {
        return await readFile(path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw fileError(error, `read ${path}`);
        throw missing(path, error);
      }
    },
    async [Symbol.asyncDispose]() {},
  };
}

function storeSource(store: Store, { owned }: { readonly owned: boolean }): ExportSource {
  const pathOf = (file: string): string => `${file} of ${store.location}`;
  return {
    pathOf,
    read: (file) => store.get(file),
    async readWhole(file) {
      const found = await readSmall(store, file, manifestLimit);
      if (found === undefined) throw missing(pathOf(file));
      return found.content;
    },
    async [Symbol.asyncDispose]() {
      if (owned) await store[Symbol.asyncDispose]();
    },
  };
}

function missing(path: string, cause?: unknown): TidemarkError {
  return new TidemarkError('ARCHIVE_INVALID', `read ${path}: it does not exist`, {
    hint: 'name the folder or store that `tidemark export` made, with all of its files',
    cause,
  });
}

/** The manifest of an export, which is as its checksums say.
 *  @throws TidemarkError FILE_ERROR, STORE_ERROR, ARCHIVE_INVALID, ARCHIVE_CORRUPT, ARCHIVE_TOO_NEW */
export async function readExport(source: ExportSource): Promise<ExportManifest> {
  const bytes = await source.readWhole(exportManifestFile);
  if (bytes.length > manifestLimit) throw corrupt(exportManifestFile, `it has ${bytes.length} bytes, and ${manifestLimit} are the most`);
  const manifest = parseExport(bytes.toString('utf8'));
  const said = parseSums((await source.readWhole(exportSumsFile)).toString('utf8')).get(exportManifestFile);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== said) throw corrupt(exportManifestFile, `its SHA-256 is ${sha256}, not ${said ?? `in ${exportSumsFile}`}`);
  return manifest;
}

function corrupt(file: string, what: string, cause?: unknown): TidemarkError {
  return new TidemarkError('ARCHIVE_CORRUPT', `read ${file}: ${what}`, {
    hint: 'the file was altered after it was written: use another copy of the export',
    details: { file },
    cause,
  });
}

/** Reads a file from its beginning to its end. @throws TidemarkError ARCHIVE_CORRUPT where it is not as the manifest says */
export async function verifyFile(source: ExportSource, table: ExportedTable, signal: AbortSignal): Promise<void> {
  for await (const _ of checkedBytes(source, table)) signal.throwIfAborted();
}

/** The bytes of a file. Whoever takes them to the end knows that all are as the manifest says.
 *  @throws TidemarkError FILE_ERROR, ARCHIVE_CORRUPT */
async function* checkedBytes(source: ExportSource, { file, bytes, sha256 }: ExportedTable): AsyncGenerator<Uint8Array> {
  const path = source.pathOf(file);
  const hash = createHash('sha256');
  let count = 0n;
  try {
    for await (const piece of source.read(file)) {
      hash.update(piece);
      count += BigInt(piece.length);
      if (count > bytes) break;
      yield piece;
    }
  } catch (error) {
    throw isSystemError(error) ? fileError(error, `read ${path}`) : error;
  }
  if (count !== bytes)
    throw corrupt(path, `it has ${count > bytes ? 'more than ' : ''}${bytes < count ? bytes : count} bytes, not ${bytes}`);
  const found = hash.digest('hex');
  if (found !== sha256) throw corrupt(path, `its SHA-256 is ${found}, not ${sha256}`);
}

/** The rows of a table as COPY takes them, checked again while they come: the file may have changed since.
 *  @throws TidemarkError FILE_ERROR, ARCHIVE_CORRUPT */
export async function* readRowsOf(codec: Codec, source: ExportSource, table: ExportedTable): AsyncGenerator<Buffer> {
  const { file, rawBytes } = table;
  let count = 0n;
  try {
    for await (const piece of decompressed(codec, checkedBytes(source, table))) {
      count += BigInt(piece.length);
      if (count > rawBytes) break;
      yield piece;
    }
  } catch (error) {
    throw error instanceof TidemarkError ? error : corrupt(file, `it cannot be decompressed: ${(error as Error).message}`, error);
  }
  if (count !== rawBytes) throw corrupt(file, `it does not hold the ${rawBytes} bytes that the manifest has`);
}
