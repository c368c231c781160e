// The use case "show a snapshot": what its manifest says, without reading the rows.
import { openArchive } from '../archive/reader.js';
import type { Manifest } from '../model/manifest.js';
import type { CheckedSignature } from './seal/check-signature.js';
import { openSealed, type TrustOptions } from './seal/open-sealed.js';

export interface ShownSnapshot {
  readonly file: string;
  /** Bytes of the archive. */
  readonly bytes: bigint;
  readonly manifest: Manifest;
  /** Where keys were given. */
  readonly signature?: CheckedSignature;
}

export interface ShowOptions extends TrustOptions {
  readonly file: string;
}

/** Reads the manifest of an archive.
 *  @throws TidemarkError ARCHIVE_INVALID, ARCHIVE_TRUNCATED, ARCHIVE_CORRUPT, ARCHIVE_TOO_NEW, FILE_ERROR, SIGNATURE_MISSING, SIGNATURE_INVALID */
export async function showSnapshot({ file, ...options }: ShowOptions): Promise<ShownSnapshot> {
  const opened = await openSealed(file, options);
  await using reader = await openArchive(opened.bytes, opened);
  const { signature } = opened;
  return { file, bytes: reader.size, manifest: reader.manifest, ...(signature === undefined ? {} : { signature }) };
}
