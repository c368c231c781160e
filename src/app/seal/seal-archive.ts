// What is done to an archive beside writing it: it is encrypted on its way to where it goes, and what lies beside it is made: checksum, manifest
// and, with a key, the signature. Signed is the plain manifest, so that it can be checked with and without the encryption around it.
import { checksumText } from '../../archive/sidecars.js';
import type { ByteSink, WrittenArchive } from '../../archive/writer.js';
import type { Seekable } from '../../frame/seekable.js';
import type { Recipients } from '../../seal/age-keys.js';
import { encryptingSink, encryptText } from '../../seal/encrypt.js';
import type { SignKey } from '../../seal/key-files.js';
import { signManifest } from '../../seal/signature.js';
import { trustedComment } from '../../seal/trusted-comment.js';

export interface Sealing {
  readonly signKey?: SignKey;
  readonly recipients?: Recipients;
}

/** An archive as it lies where it was written to: `bytes` and `sha256` are those of the encrypted file, where it is encrypted. */
export interface SealedArchive extends WrittenArchive {
  /** SHA-256 of the archive in it, in hex. */
  readonly plainSha256: string;
  readonly sealing: Sealing;
  /** The archive in the bytes that were written. */
  readBack(bytes: Seekable): Promise<Seekable>;
}

export interface SealingSink extends ByteSink {
  /** Once, after the archive was written. */
  seal(archive: WrittenArchive): Promise<SealedArchive>;
}

/** @param output gets what is to be stored */
export async function sealingSink(output: ByteSink, sealing: Sealing): Promise<SealingSink> {
  if (sealing.recipients === undefined) {
    return {
      write: (bytes) => output.write(bytes),
      seal: async (archive) => ({ ...archive, plainSha256: archive.sha256, sealing, readBack: async (bytes) => bytes }),
    };
  }
  const encryption = await encryptingSink(output, sealing.recipients);
  return {
    write: (bytes) => encryption.write(bytes),
    async seal(archive) {
      const { bytes, sha256, decrypted } = await encryption.end();
      return { ...archive, bytes, sha256, plainSha256: archive.sha256, sealing, readBack: decrypted };
    },
  };
}

/** What lies beside an archive. */
export interface TextsBeside {
  readonly checksum: string;
  readonly signature: string | undefined;
  /** Encrypted and armored, where the archive is encrypted. Undefined where nobody has it. */
  readonly manifest: string | undefined;
}

/** @param name of the archive, without directories */
export async function textsBesideArchive(
  { sha256, plainSha256, manifestText, sealing }: Omit<SealedArchive, 'bytes' | 'readBack'>,
  { name, now = new Date() }: { readonly name: string; readonly now?: Date },
): Promise<TextsBeside> {
  const { signKey, recipients } = sealing;
  const comment = trustedComment({ signedAt: now, archive: name, sha256: plainSha256 });
  return {
    checksum: checksumText(sha256, name),
    signature: signKey && signManifest(manifestText, { key: signKey, trustedComment: comment }),
    manifest: recipients === undefined ? manifestText : await encryptText(manifestText, recipients),
  };
}
