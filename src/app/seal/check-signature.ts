// Whether a manifest is signed by one of the keys that count. It is asked between reading the end of an archive and everything else: before
// its catalog is read, and long before a database is connected to.
import { signatureSidecar } from '../../archive/sidecars.js';
import { TidemarkError } from '../../model/errors.js';
import type { EventListener } from '../../model/events.js';
import { printable } from '../../model/printable.js';
import type { VerifyKey } from '../../seal/key-files.js';
import { verifyManifest } from '../../seal/signature.js';
import { parseTrustedComment } from '../../seal/trusted-comment.js';

/** A signature that was found valid. */
export interface CheckedSignature {
  /** Where it was. */
  readonly name: string;
  readonly keyId: string;
  readonly trustedComment: string;
  /** When it was signed, and of which whole archive: what the trusted comment says, where tidemark wrote it. */
  readonly signedAt?: Date;
  readonly sha256?: string;
}

export interface Signed {
  /** Of the archive, for messages. */
  readonly archive: string;
  /** Of the archive, without directories: in the signature it may be another one. */
  readonly basename: string;
  beside(ending: string): Promise<{ readonly name: string; readonly content: Buffer } | undefined>;
  readonly onEvent?: EventListener;
}

/** No signature is as long, whatever its comments. */
const signatureLimit = 16 * 1024;

/** @param manifestText as it stands in the archive  @throws TidemarkError SIGNATURE_MISSING, SIGNATURE_INVALID, and what reading it throws */
export async function checkSignature(
  manifestText: string,
  keys: readonly VerifyKey[],
  { archive, basename, beside, onEvent }: Signed,
): Promise<CheckedSignature> {
  const found = await beside(signatureSidecar(''));
  if (found === undefined) {
    throw new TidemarkError('SIGNATURE_MISSING', `check the signature of ${printable(archive)}: there is none beside it`, {
      hint: `only signed snapshots are accepted: get ${printable(basename)}${signatureSidecar('')} from where the snapshot was made`,
      details: { archive },
    });
  }
  const { name, content } = found;
  if (content.length > signatureLimit) {
    throw new TidemarkError('SIGNATURE_INVALID', `check the signature ${printable(name)}: it has ${content.length} bytes`, {
      hint: 'get the signature again from where the snapshot was made',
    });
  }
  const { keyId, trustedComment } = verifyManifest(manifestText, content.toString('utf8'), { keys, name: printable(name) });
  const { archive: signedName, ...facts } = parseTrustedComment(trustedComment);
  if (signedName !== undefined && signedName !== basename) {
    onEvent?.({ type: 'notice', message: `${printable(archive)} was signed under the name ${printable(signedName)}` });
  }
  return { name, keyId, trustedComment, ...facts };
}

/** For pipes: what is signed comes last there, when the rows are in the database. */
export function refuseUnsignedPipe(): TidemarkError {
  return new TidemarkError('SIGNATURE_MISSING', 'restore: only signed snapshots are accepted, and a pipe has no signature beside it', {
    hint: 'name the file or its URL, with the signature beside it',
  });
}

/** Holds the whole archive against what was signed, where that is said. @throws TidemarkError SIGNATURE_INVALID */
export function compareSigned(
  { name, sha256: signed }: CheckedSignature,
  { path, sha256 }: { readonly path: string; readonly sha256: string },
): void {
  if (signed === undefined || signed === sha256) return;
  throw new TidemarkError(
    'SIGNATURE_INVALID',
    `check the signature ${printable(name)}: the SHA-256 of ${printable(path)} is ${sha256}, and ${signed} was signed`,
    {
      hint: 'the manifest is right, and other bytes were altered: use another copy of the archive',
      details: { signed, sha256 },
    },
  );
}
