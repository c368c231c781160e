// Verifies an archive as it was opened: signature, every byte of the archive, and where it is encrypted, the encrypted file around it.
import { createHash } from 'node:crypto';
import { checksumSidecar, parseChecksumText } from '../../archive/sidecars.js';
import { endsAs } from '../../archive/tail.js';
import { type VerifyReport as ArchiveReport, type VerifyOptions, verifyArchive } from '../../archive/verify.js';
import { borrowed, type Seekable } from '../../frame/seekable.js';
import { loadCodec } from '../../frame/zstd.js';
import { TidemarkError } from '../../model/errors.js';
import type { EventListener } from '../../model/events.js';
import type { OtherArchive } from '../../model/manifest.js';
import { printable } from '../../model/printable.js';
import { openOther } from '../archive/other-archives.js';
import { type CheckedSignature, compareSigned } from './check-signature.js';
import type { OpenedSealed } from './open-sealed.js';
import type { SealedArchive } from './seal-archive.js';

/** `bytes` and `sha256` are those of the file: of the encrypted one, where it is encrypted. */
export interface VerifyReport extends ArchiveReport {
  /** Where keys were given. */
  readonly signature?: CheckedSignature;
  /** Of an encrypted archive: the SHA-256 of the archive in it. */
  readonly plainSha256?: string;
}

export interface VerifySealedOptions extends Pick<VerifyOptions, 'jobs' | 'onEvent' | 'signal' | 'limits'> {
  /** False leaves alone what it refers to. */
  readonly others?: boolean;
}

/** Closes it. @throws TidemarkError as `verifyArchive`, SIGNATURE_MISSING, SIGNATURE_INVALID */
export async function verifySealed(opened: OpenedSealed, { others = true, ...options }: VerifySealedOptions): Promise<VerifyReport> {
  const { sidecars, accept, encrypted } = opened;
  await using bytes = opened.bytes;
  const report = await verifyArchive(borrowed(bytes), {
    ...options,
    sidecars,
    accept,
    ...(others && { openOther: (archive: OtherArchive) => openOther(opened, archive) }),
  });
  const { signature } = opened;
  if (signature !== undefined) compareSigned(signature, report);
  const checked = { ...report, ...(signature && { signature }) };
  if (encrypted === undefined) return checked;
  const sha256 = await hashOf(encrypted, options.signal);
  const checksum = await opened.beside(checksumSidecar(''));
  if (checksum !== undefined && parseChecksumText(checksum.content.toString('utf8'))?.sha256 !== sha256) {
    throw new TidemarkError(
      'ARCHIVE_CORRUPT',
      `verify ${printable(report.path)}: ${printable(checksum.name)} does not hold its SHA-256, ${sha256}`,
      {
        hint: 'the archive is whole: the file beside it is that of another one, or was altered',
        details: { path: report.path, sha256 },
      },
    );
  }
  const beside = checksum === undefined ? report.sidecars : [...report.sidecars, checksum.name];
  return { ...checked, bytes: encrypted.size, sha256, plainSha256: report.sha256, sidecars: beside };
}

/** Verifies an archive that was just written, without any key: who has written it knows what is in it. Closes the bytes.
 *  @throws TidemarkError ARCHIVE_CORRUPT where it is not what was written */
export async function verifyWritten(
  archive: SealedArchive,
  written: Seekable,
  {
    attempt,
    hint,
    ...options
  }: { readonly attempt: string; readonly hint: string; readonly onEvent?: EventListener; readonly signal?: AbortSignal },
): Promise<void> {
  await using bytes = written;
  const { sha256 } = await verifyArchive(borrowed(await archive.readBack(bytes)), options);
  if (sha256 === archive.plainSha256 && bytes.size === archive.bytes) return;
  throw new TidemarkError('ARCHIVE_CORRUPT', `${attempt}: its SHA-256 is ${sha256}, not ${archive.plainSha256}`, { hint });
}

/** The same for one that others vouch for, by its end alone: it has the right size, and the manifest, checksum and seek table that were
 *  written, byte for byte. Closes the bytes. @throws TidemarkError ARCHIVE_CORRUPT */
export async function verifyEnd(
  archive: SealedArchive,
  written: Seekable,
  { attempt, hint }: { readonly attempt: string; readonly hint: string },
): Promise<void> {
  await using bytes = written;
  let cause: unknown;
  try {
    if (bytes.size === archive.bytes && (await endsAs(await loadCodec(), await archive.readBack(bytes), archive))) return;
  } catch (error) {
    // What is told to whoever opens an old archive is of no help here.
    if (!(error instanceof TidemarkError) || !error.code.startsWith('ARCHIVE_')) throw error;
    cause = error;
  }
  throw new TidemarkError('ARCHIVE_CORRUPT', `${attempt}: it is not what was written`, { hint, cause });
}

async function hashOf(bytes: Seekable, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of bytes.stream(0n, bytes.size)) {
    signal?.throwIfAborted();
    hash.update(piece);
  }
  return hash.digest('hex');
}
