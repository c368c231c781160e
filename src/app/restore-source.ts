// The archive as a restore sees it: its catalog, and its rows either from a file, any chunk at any time, or from a pipe, as they come.

import { parseCatalog } from '../archive/catalog-schema.js';
import { openArchive } from '../archive/reader.js';
import { readArchiveStream } from '../archive/stream-reader.js';
import { catalogMember } from '../frame/member-names.js';
import { loadCodec } from '../frame/zstd.js';
import type { Catalog } from '../model/catalog.js';
import { TidemarkError } from '../model/errors.js';
import type { Manifest } from '../model/manifest.js';
import { toolVersion } from '../model/tool-version.js';
import type { RowSource } from '../restore/load-rows.js';
import type { Mark } from '../restore/marker.js';
import { refuseUnsignedPipe } from './seal/check-signature.js';
import { type OpenSealedOptions, openSealed } from './seal/open-sealed.js';
import { readVerifyKeys } from './seal/read-keys.js';

export interface RestoreSource extends AsyncDisposable {
  readonly catalog: Catalog;
  /** Undefined for a pipe: there it comes last. */
  readonly manifest: Manifest | undefined;
  readonly rows: RowSource;
  mark(startedAt: Date): Mark;
}

/** @throws TidemarkError FILE_ERROR, ARCHIVE_INVALID, ARCHIVE_TRUNCATED, ARCHIVE_CORRUPT, ARCHIVE_TOO_NEW, CODEC_MISSING, SIGNATURE_MISSING,
 *  SIGNATURE_INVALID */
export async function openSource(file: string | AsyncIterable<Uint8Array>, options: OpenSealedOptions = {}): Promise<RestoreSource> {
  if (typeof file === 'string') return openFile(file, options);
  if ((await readVerifyKeys(options.verifyKeys)) !== undefined) throw refuseUnsignedPipe();
  return openPipe(file);
}

async function openFile(path: string, options: OpenSealedOptions): Promise<RestoreSource> {
  const opened = await openSealed(path, options);
  const archive = await openArchive(opened.bytes, opened);
  try {
    const { manifest } = archive;
    return {
      catalog: await archive.readCatalog(),
      manifest,
      rows: { kind: 'file', path, manifest },
      mark: (startedAt) => ({ file: path, startedAt, toolVersion }),
      [Symbol.asyncDispose]: () => archive.close(),
    };
  } catch (error) {
    await archive.close();
    throw error;
  }
}

async function openPipe(input: AsyncIterable<Uint8Array>): Promise<RestoreSource> {
  const members = readArchiveStream(input, await loadCodec());
  const first = await members.next();
  if (first.done || first.value.name !== catalogMember)
    throw new TidemarkError('ARCHIVE_INVALID', 'read the archive: its catalog is not first');
  const pieces: Uint8Array[] = [];
  for await (const piece of first.value.body()) pieces.push(piece);
  return {
    catalog: parseCatalog(Buffer.concat(pieces).toString('utf8')),
    manifest: undefined,
    rows: { kind: 'stream', members },
    mark: (startedAt) => ({ file: '-', startedAt, toolVersion }),
    // Not awaited: where a read of the pipe stands still, so does this.
    [Symbol.asyncDispose]: async () => void members.return().catch(() => undefined),
  };
}
