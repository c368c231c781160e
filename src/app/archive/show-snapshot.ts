// The use case "show a snapshot": what its manifest says, without reading the rows.
import { openArchive } from '../../archive/reader.js';
import type { Manifest } from '../../model/manifest.js';
import { type OptionNames, refuseUnknownOptions } from '../../model/option-names.js';
import type { CheckedSignature } from '../seal/check-signature.js';
import { openSealed, type TrustOptions, trustOptionNames } from '../seal/open-sealed.js';
import type { StoreOptions } from './open-bytes.js';

export interface ShownSnapshot {
  /** Without secrets. */
  readonly file: string;
  /** Bytes of the archive. */
  readonly bytes: bigint;
  readonly manifest: Manifest;
  /** It is encrypted: `bytes` are those of the encrypted file. */
  readonly encrypted?: true;
  /** Where keys were given. */
  readonly signature?: CheckedSignature;
}

export interface ShowOptions extends TrustOptions {
  /** Path or URL of the archive, or of a store whose newest one is meant. */
  readonly file: string;
  /** For a URL: credentials and the like. */
  readonly store?: StoreOptions;
  /** Of a store that several series of snapshots share: whose newest one is meant. */
  readonly prefix?: string;
  readonly signal?: AbortSignal;
}

const optionNames: OptionNames<ShowOptions> = { file: true, store: true, prefix: true, signal: true, ...trustOptionNames };

/** Reads the manifest of an archive.
 *  @throws TidemarkError ARCHIVE_INVALID, ARCHIVE_TRUNCATED, ARCHIVE_CORRUPT, ARCHIVE_TOO_NEW, FILE_ERROR, OBJECT_MISSING, STORE_ERROR, USAGE,
 *  SIGNATURE_MISSING, SIGNATURE_INVALID */
export async function showSnapshot(options: ShowOptions): Promise<ShownSnapshot> {
  refuseUnknownOptions(options, optionNames, 'show a snapshot');
  const opened = await openSealed(options.file, options);
  await using reader = await openArchive(opened.bytes, opened);
  const { signature } = opened;
  return {
    file: reader.path,
    bytes: (opened.encrypted ?? reader).size,
    manifest: reader.manifest,
    ...(opened.encrypted && { encrypted: true as const }),
    ...(signature && { signature }),
  };
}
