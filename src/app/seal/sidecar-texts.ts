// What lies beside an archive, as texts: whoever publishes it writes them. With a key, the signature is among them.
import { checksumSidecar, checksumText, manifestSidecar, signatureSidecar } from '../../archive/sidecars.js';
import type { WrittenArchive } from '../../archive/writer.js';
import type { SignKey } from '../../seal/key-files.js';
import { signManifest } from '../../seal/signature.js';
import { trustedComment } from '../../seal/trusted-comment.js';

/** What is done to a snapshot beside writing it. */
export interface Sealing {
  readonly signKey?: SignKey;
}

/** By what the name of the archive, or its path, is followed; without a text where there must not be such a file. The manifest last: where it
 *  is, everything is. */
export function sidecarTexts(
  archive: WrittenArchive,
  { name, sealing, now = new Date() }: { readonly name: string; readonly sealing: Sealing; readonly now?: Date },
): readonly (readonly [ending: string, text: string | undefined])[] {
  const { sha256, manifestText } = archive;
  const { signKey } = sealing;
  const signature =
    signKey && signManifest(manifestText, { key: signKey, trustedComment: trustedComment({ signedAt: now, archive: name, sha256 }) });
  return [
    [checksumSidecar(''), checksumText(sha256, name)],
    [signatureSidecar(''), signature],
    [manifestSidecar(''), manifestText],
  ];
}
