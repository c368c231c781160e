// The archive as a restore sees it: its catalog, and its rows either from where any chunk can be read at any time, or from a pipe, as they come.

import { decodeCatalog } from '../../archive/catalog-schema.js';
import type { JsonLimits } from '../../archive/json-bounds.js';
import { openArchive } from '../../archive/reader.js';
import { readArchiveStream } from '../../archive/stream-reader.js';
import { catalogMember } from '../../frame/member-names.js';
import { loadCodec } from '../../frame/zstd.js';
import type { Catalog, CatalogTable } from '../../model/catalog.js';
import { TidemarkError } from '../../model/errors.js';
import type { Manifest } from '../../model/manifest.js';
import { printable } from '../../model/printable.js';
import type { Archives } from '../../restore/archives.js';
import type { RowSource } from '../../restore/load-rows.js';
import { decryptedStream } from '../../seal/decrypt-stream.js';
import type { OpenedArchive } from '../archive/open-bytes.js';
import { closeAll, openOthers } from '../archive/other-archives.js';
import { refuseUnsignedPipe } from '../seal/check-signature.js';
import { type OpenSealedOptions, openSealed } from '../seal/open-sealed.js';
import { readIdentities, readVerifyKeys } from '../seal/read-keys.js';
import type { RestoreSettings } from './options.js';

export interface RestoreSource extends AsyncDisposable {
  /** For messages and marks: a path, a URL without secrets, or '-' for a pipe. */
  readonly name: string;
  readonly catalog: Catalog;
  /** Undefined for a pipe: there it comes last. */
  readonly manifest: Manifest | undefined;
  /** As it stands in the archive. */
  readonly manifestText: string | undefined;
  readonly rows: RowSource;
  /** Looks for the other archives that have rows of these tables. Before anything is changed.
   *  @throws TidemarkError ARCHIVE_MISSING_PART, also from a pipe, which cannot say where they are; STORE_ERROR */
  reach(tables: readonly CatalogTable[]): Promise<void>;
}

export interface SourceOptions extends OpenSealedOptions {
  /** What manifest and catalog may be. */
  readonly limits?: JsonLimits;
}

/** @throws TidemarkError USAGE, FILE_ERROR, OBJECT_MISSING, STORE_ERROR, ARCHIVE_INVALID, ARCHIVE_TRUNCATED, ARCHIVE_CORRUPT, ARCHIVE_TOO_NEW,
 *  CODEC_MISSING, SIGNATURE_MISSING, SIGNATURE_INVALID, IDENTITY_MISSING */
export async function openSource(file: RestoreSettings['file'], { limits, ...options }: SourceOptions = {}): Promise<RestoreSource> {
  if (typeof file === 'string' || 'bytes' in file) return openWhole(file, options, limits);
  if ((await readVerifyKeys(options.verifyKeys)) !== undefined) throw refuseUnsignedPipe();
  return openPipe(decryptedStream(file, () => readIdentities(options.identities)));
}

async function openWhole(file: string | OpenedArchive, options: OpenSealedOptions, limits: JsonLimits | undefined): Promise<RestoreSource> {
  const opened = await openSealed(file, options);
  const { bytes } = opened;
  const archive = await openArchive(bytes, { accept: opened.accept, ...(limits && { limits }) });
  try {
    const { manifest } = archive;
    let others: Archives = [];
    return {
      catalog: await archive.readCatalog(),
      name: bytes.name,
      manifest,
      manifestText: archive.tail.manifestText,
      get rows(): RowSource {
        return { kind: 'archive', archives: [bytes, ...others], manifest };
      },
      async reach(tables) {
        const wanted = new Set(tables.filter(({ withoutData }) => withoutData === undefined).map(({ directory }) => directory));
        const needed = new Set(manifest.tables.flatMap((table) => (table.in !== undefined && wanted.has(table.directory) ? table.in : [])));
        others = await openOthers(opened, manifest, needed);
      },
      async [Symbol.asyncDispose]() {
        await closeAll(others);
        await archive.close();
      },
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
    name: '-',
    catalog: decodeCatalog(Buffer.concat(pieces)),
    manifest: undefined,
    manifestText: undefined,
    rows: { kind: 'stream', members },
    async reach(tables) {
      const table = tables.find(({ elsewhere, withoutData }) => elsewhere && withoutData === undefined);
      if (table !== undefined) throw unreachable(table);
    },
    // Not awaited: where a read of the pipe stands still, so does this.
    [Symbol.asyncDispose]: async () => void members.return().catch(() => undefined),
  };
}

function unreachable({ schema, name }: CatalogTable): TidemarkError {
  const table = printable(`${schema}.${name}`);
  return new TidemarkError(
    'ARCHIVE_MISSING_PART',
    `restore rows of table ${table}: they are in another archive, and a pipe cannot say in which`,
    {
      hint: 'restore the archive by its path or URL, with those that it refers to in their places, or choose other tables with --table',
      details: { table: `${schema}.${name}` },
    },
  );
}
