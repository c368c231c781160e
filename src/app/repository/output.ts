// A snapshot on its way into a repository. A directory and other stores do it each in the way that is safest there.
import type { WrittenArchive } from '../../archive/writer.js';
import { TidemarkError } from '../../model/errors.js';
import type { EventListener } from '../../model/events.js';
import type { Manifest } from '../../model/manifest.js';
import type { StoredSnapshot, Verification } from '../../model/stored-snapshot.js';
import type { SealedArchive, TextsBeside } from '../seal/seal-archive.js';
import type { SnapshotOutput } from '../snapshot/output.js';
import type { LatestSnapshot } from './latest.js';
import type { Beside, Layout } from './layout.js';
import { verificationText } from './records.js';

export interface RepositoryOutput extends SnapshotOutput {
  /** As which it counts now. */
  readonly published: StoredSnapshot | undefined;
}

export interface OutputOptions {
  /** When the snapshot was begun, of `performance.now()`. */
  readonly started: number;
  /** Its name says so. */
  readonly encrypted?: boolean;
  /** How it is known that it is whole before it counts. `read`: every byte is read back and verified. `checksum`: that is left out where the
   *  store tells the SHA-256 of what it has, and only the end of the archive is read. Default `read`. */
  readonly verify?: 'read' | 'checksum';
  readonly onEvent?: EventListener;
  readonly signal?: AbortSignal;
}

/** Whoever reads it goes by its name. @throws TidemarkError INTERNAL */
export function checkNamed({ sealing }: SealedArchive, encrypted: boolean): void {
  if ((sealing.recipients !== undefined) === encrypted) return;
  throw new TidemarkError('INTERNAL', `publish a snapshot: it is ${encrypted ? 'not ' : ''}encrypted, and its name says otherwise`);
}

/** What lies beside an archive from the beginning, by what it is, in the order of being written. */
export function textsBeside(
  { checksum, signature, manifest }: TextsBeside,
  record: Verification,
): readonly (readonly [what: keyof Beside, text: string])[] {
  return [
    ['checksum', checksum],
    ...(signature === undefined ? [] : [['signature', signature] as const]),
    ...(manifest === undefined ? [] : [['manifest', manifest] as const]),
    ['verified', verificationText(record)],
  ];
}

/** Of a manifest. */
interface Described {
  readonly position: Manifest['position'];
  readonly source: Pick<Manifest['source'], 'systemIdentifier'>;
}

/** What `latest.json` is to say of a snapshot. */
export function pointerTo(
  { layout, id, key }: { readonly layout: Layout; readonly id: string; readonly key: string },
  { manifest, archive }: { readonly manifest: Described; readonly archive: Pick<WrittenArchive, 'bytes' | 'sha256'> },
): LatestSnapshot {
  const { checksum, manifest: manifestKey } = layout.beside(key);
  const { bytes, sha256 } = archive;
  const { position, source } = manifest;
  const publishedAt = new Date();
  return { id, archive: key, checksum, manifest: manifestKey, bytes, sha256, position, system: source.systemIdentifier, publishedAt };
}
