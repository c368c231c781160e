// A snapshot on its way into a repository. A directory and other stores do it each in the way that is safest there.
import { checksumText } from '../../archive/sidecars.js';
import type { WrittenArchive } from '../../archive/writer.js';
import type { EventListener } from '../../model/events.js';
import type { Manifest } from '../../model/manifest.js';
import type { Verification } from '../../model/stored-snapshot.js';
import type { SnapshotOutput } from '../snapshot-output.js';
import type { LatestSnapshot } from './latest.js';
import type { Beside, Layout } from './layout.js';
import { verificationText } from './records.js';

export interface RepositoryOutput extends SnapshotOutput {
  /** What it was published as. */
  readonly id: string | undefined;
}

export interface OutputOptions {
  /** When the snapshot was begun, of `performance.now()`. */
  readonly started: number;
  readonly onEvent?: EventListener;
  readonly signal?: AbortSignal;
}

/** What lies beside an archive from the beginning, by what it is, in the order of being written. */
export function textsBeside(
  key: string,
  { manifestText, record }: { readonly manifestText: string; readonly record: Verification },
): readonly (readonly [what: keyof Beside, text: string])[] {
  return [
    ['checksum', checksumText(record.sha256, key.slice(key.lastIndexOf('/') + 1))],
    ['manifest', manifestText],
    ['verified', verificationText(record)],
  ];
}

/** What `latest.json` is to say of a snapshot. */
export function pointerTo(
  { layout, id }: { readonly layout: Layout; readonly id: string },
  { manifest, archive }: { readonly manifest: Manifest; readonly archive: Pick<WrittenArchive, 'bytes' | 'sha256'> },
): LatestSnapshot {
  const key = layout.keyOf(id);
  const { checksum, manifest: manifestKey } = layout.beside(key);
  const { bytes, sha256 } = archive;
  const { position, source } = manifest;
  const publishedAt = new Date();
  return { id, archive: key, checksum, manifest: manifestKey, bytes, sha256, position, system: source.systemIdentifier, publishedAt };
}
