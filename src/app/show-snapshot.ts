// The use case "show a snapshot": what its manifest says, without reading the rows.
import { openArchive } from '../archive/reader.js';
import type { Manifest } from '../model/manifest.js';

export interface ShownSnapshot {
  readonly file: string;
  /** Bytes of the archive. */
  readonly bytes: bigint;
  readonly manifest: Manifest;
}

/** Reads the manifest of an archive. @throws TidemarkError ARCHIVE_INVALID, ARCHIVE_TRUNCATED, ARCHIVE_CORRUPT, ARCHIVE_TOO_NEW, FILE_ERROR */
export async function showSnapshot({ file }: { readonly file: string }): Promise<ShownSnapshot> {
  await using reader = await openArchive(file);
  return { file, bytes: reader.size, manifest: reader.manifest };
}
