// Opens an archive as it is trusted: with the keys whose signature it must have, and the identities that decrypt it. Everything that reads an archive for a user comes through
// here, so that none of it accepts what another part refuses.
import { encryptedManifestSidecar } from '../../archive/sidecars.js';
import type { Seekable } from '../../frame/seekable.js';
import type { EventListener } from '../../model/events.js';
import type { OptionNames } from '../../model/option-names.js';
import type { Identities } from '../../seal/age-keys.js';
import { decrypted } from '../../seal/decrypt.js';
import { decryptText } from '../../seal/decrypt-text.js';
import { type OpenArchiveOptions, type OpenedArchive, openNamedArchive } from '../archive/open-bytes.js';
import { type CheckedSignature, checkSignature } from './check-signature.js';
import { readIdentities, readVerifyKeys } from './read-keys.js';

/** Whose archives are accepted. */
export interface TrustOptions {
  /** Paths of public keys (minisign's, or PEM of Ed25519), or keys as the one line of base64 of minisign: an archive whose manifest none of
   *  them has signed is refused. Default: TIDEMARK_VERIFY_KEYS, and without that any archive is accepted. */
  readonly verifyKeys?: readonly string[];
  /** Paths of files of identities of age, for archives that are encrypted. Default: TIDEMARK_IDENTITIES */
  readonly identities?: readonly string[];
}

export const trustOptionNames: OptionNames<TrustOptions> = { verifyKeys: true, identities: true };

export interface OpenSealedOptions extends OpenArchiveOptions, TrustOptions {
  readonly onEvent?: EventListener;
}

export interface OpenedSealed extends OpenedArchive {
  /** The encrypted file, where `bytes` are those of the archive in it. Closed with them. */
  readonly encrypted: Seekable | undefined;
  /** For `openArchive`: checks the signature. Accepts everything where no key is asked for.
   *  @throws TidemarkError SIGNATURE_MISSING, SIGNATURE_INVALID */
  accept(manifestText: string): Promise<void>;
  /** What `accept` found. */
  readonly signature: CheckedSignature | undefined;
  /** The bytes of another archive that this one refers to, decrypted where it is encrypted. Whose it is does not matter: what is needed of it
   *  is compared with hashes in the manifest of this one. It is to be closed before this one. */
  other(path: string): Promise<Seekable>;
}

/** Of options that have more, those that say what is trusted. */
export function trustOf({ verifyKeys, identities }: TrustOptions): TrustOptions {
  return { ...(verifyKeys && { verifyKeys }), ...(identities && { identities }) };
}

/** Whoever opens it closes `bytes`; `openArchive` does. @throws TidemarkError KEY_INVALID, and as `openNamedArchive` */
export async function openSealed(
  archive: string | OpenedArchive,
  { verifyKeys, identities, onEvent, ...options }: OpenSealedOptions,
): Promise<OpenedSealed> {
  const [keys, known] = await Promise.all([readVerifyKeys(verifyKeys), readIdentities(identities)]);
  const opened = typeof archive === 'string' ? await openNamedArchive(archive, options) : archive;
  let signature: CheckedSignature | undefined;
  return {
    ...(await withDecrypted(opened, known)),
    async accept(manifestText) {
      if (keys === undefined) return;
      const { basename } = opened.sidecars;
      const signed = { archive: opened.bytes.name, basename, beside: opened.beside, ...(onEvent && { onEvent }) };
      signature = await checkSignature(manifestText, keys, signed);
    },
    get signature() {
      return signature;
    },
    other: async (path) => (await withDecrypted(await opened.neighbour(path), known)).bytes,
  };
}

/** The archive in it, and the manifest that lies encrypted beside it. The checksum beside it is that of the encrypted file. */
async function withDecrypted(
  opened: OpenedArchive,
  identities: Identities | undefined,
): Promise<OpenedArchive & Pick<OpenedSealed, 'encrypted'>> {
  let bytes: Seekable;
  try {
    bytes = await decrypted(opened.bytes, identities);
  } catch (error) {
    await opened.bytes[Symbol.asyncDispose]();
    throw error;
  }
  if (bytes === opened.bytes) return { ...opened, encrypted: undefined };
  const manifest = async () => {
    const found = await opened.beside(encryptedManifestSidecar(''));
    if (found === undefined) return undefined;
    return { name: found.name, content: await decryptText(found.content, { identities: identities ?? [], name: found.name }) };
  };
  return { ...opened, bytes, sidecars: { basename: opened.sidecars.basename, manifest }, encrypted: opened.bytes };
}
