// Opens an archive as it is trusted: with the keys whose signature it must have. Everything that reads an archive for a user comes through
// here, so that none of it accepts what another part refuses.
import type { EventListener } from '../../model/events.js';
import { type OpenArchiveOptions, type OpenedArchive, openNamedArchive } from '../open-archive-bytes.js';
import { type CheckedSignature, checkSignature } from './check-signature.js';
import { readVerifyKeys } from './read-keys.js';

/** Whose archives are accepted. */
export interface TrustOptions {
  /** Paths of public keys (minisign's, or PEM of Ed25519), or keys as the one line of base64 of minisign: an archive whose manifest none of
   *  them has signed is refused. Default: TIDEMARK_VERIFY_KEYS, and without that any archive is accepted. */
  readonly verifyKeys?: readonly string[];
}

export interface OpenSealedOptions extends OpenArchiveOptions, TrustOptions {
  readonly onEvent?: EventListener;
}

export interface SealedArchive extends OpenedArchive {
  /** For `openArchive`: checks the signature. Accepts everything where no key is asked for.
   *  @throws TidemarkError SIGNATURE_MISSING, SIGNATURE_INVALID */
  accept(manifestText: string): Promise<void>;
  /** What `accept` found. */
  readonly signature: CheckedSignature | undefined;
}

/** Whoever opens it closes `bytes`; `openArchive` does. @throws TidemarkError KEY_INVALID, and as `openNamedArchive` */
export async function openSealed(
  archive: string | OpenedArchive,
  { verifyKeys, onEvent, ...options }: OpenSealedOptions,
): Promise<SealedArchive> {
  const keys = await readVerifyKeys(verifyKeys);
  const opened = typeof archive === 'string' ? await openNamedArchive(archive, options) : archive;
  let signature: CheckedSignature | undefined;
  return {
    ...opened,
    async accept(manifestText) {
      if (keys === undefined) return;
      const { basename } = opened.sidecars;
      const signed = { archive: opened.bytes.name, basename, beside: opened.beside, ...(onEvent && { onEvent }) };
      signature = await checkSignature(manifestText, keys, signed);
    },
    get signature() {
      return signature;
    },
  };
}
