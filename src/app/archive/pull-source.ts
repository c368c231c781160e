// What is pulled: an archive as it lies there, how a copy of it is proven, and what lies beside it.
import { createHash } from 'node:crypto';
import { openArchive } from '../../archive/reader.js';
import type { Sidecar } from '../../archive/sidecar-files.js';
import {
  checksumSidecar,
  checksumText,
  encryptedManifestSidecar,
  manifestSidecar,
  parseChecksumText,
  signatureSidecar,
} from '../../archive/sidecars.js';
import { verifyArchive } from '../../archive/verify.js';
import { FileBytes } from '../../frame/file-bytes.js';
import { borrowed, type Seekable } from '../../frame/seekable.js';
import { TidemarkError } from '../../model/errors.js';
import type { EventListener } from '../../model/events.js';
import type { OtherArchive } from '../../model/manifest.js';
import { openSealed, type TrustOptions } from '../seal/open-sealed.js';
import { readIdentities, readVerifyKeys } from '../seal/read-keys.js';
import type { OpenedArchive } from './open-bytes.js';
import { checkOther, findOther } from './other-archives.js';

export interface Proof {
  readonly sha256: string;
  readonly rows?: bigint;
}

/** The archive as it lies there, and how a copy of it is proven. */
export interface PullSource {
  readonly opened: OpenedArchive;
  /** The other archives that it refers to; undefined where that cannot be seen. */
  readonly others: readonly OtherArchive[] | undefined;
  /** @throws TidemarkError ARCHIVE_* where the copy is not right */
  prove(path: string): Promise<Proof>;
  /** By what the name is followed, in the order in which they are written; without content where there is to be none. */
  sidecars(proof: Proof, name: string): Promise<readonly (readonly [ending: string, content: Uint8Array | string | undefined])[]>;
}

interface ProofOptions extends TrustOptions {
  readonly onEvent?: EventListener;
  readonly signal?: AbortSignal;
}

/** @throws TidemarkError ARCHIVE_*, SIGNATURE_*, IDENTITY_MISSING, KEY_INVALID */
export async function pullSourceOf(opened: OpenedArchive, options: ProofOptions): Promise<PullSource> {
  return (await isSealed(opened, options)) ? sealedArchive(opened) : await openedArchive(opened, options);
}

/** Another archive that one refers to, as it lies there: the one that is meant, by its hash. Whoever calls it closes the bytes before those of
 *  the one that refers to it. Whose it is does not matter, as in a restore.
 *  @throws TidemarkError ARCHIVE_*, ARCHIVE_MISSING_PART where it is not there, IDENTITY_MISSING, STORE_ERROR */
export async function otherSourceOf(referring: OpenedArchive, archive: OtherArchive, options: ProofOptions): Promise<PullSource> {
  const opened = await findOther(referring, archive, () => referring.neighbour(archive.file));
  try {
    return await openedArchive(opened, options, (bytes) => checkOther(referring, archive, bytes));
  } catch (error) {
    await opened.bytes[Symbol.asyncDispose]();
    throw error;
  }
}

/** True for an archive that is encrypted, where nobody asks for its signature and there is no identity to look into it. */
async function isSealed({ sidecars }: OpenedArchive, { verifyKeys, identities }: TrustOptions): Promise<boolean> {
  if (!sidecars.basename.endsWith('.age')) return false;
  const [keys, known] = await Promise.all([readVerifyKeys(verifyKeys), readIdentities(identities)]);
  return keys === undefined && known === undefined;
}

/** Looks at its end first: what is no archive, or not accepted, is not loaded.
 *  @param isMeant where one that is referred to is asked for: whether it is that one. Its signature is not looked at then. */
async function openedArchive(
  opened: OpenedArchive,
  options: ProofOptions,
  isMeant?: (bytes: Seekable) => Promise<void>,
): Promise<PullSource> {
  const { onEvent, signal } = options;
  const kept = { ...opened, bytes: borrowed(opened.bytes) };
  const sealed = await openSealed(kept, options);
  await isMeant?.(sealed.bytes);
  const { tail } = await openArchive(sealed.bytes, isMeant === undefined ? sealed : {});
  const manifest: Sidecar = { name: `the manifest of ${opened.bytes.name}`, content: Buffer.from(tail.manifestText) };
  return {
    opened,
    others: tail.manifest.archives ?? [],
    async prove(path) {
      const local = await openSealed({ ...opened, bytes: await FileBytes.open(path) }, options);
      // The manifest has the hash of every member: what has the same one is the same archive.
      const { checksum, basename: name } = opened.sidecars;
      const { encrypted } = local;
      // Beside an encrypted one lies the checksum of what is encrypted.
      const sidecars = { basename: name, manifest: async () => manifest, ...(checksum && encrypted === undefined && { checksum }) };
      const outer = encrypted && (await compareWhole(path, opened));
      await isMeant?.(local.bytes).catch(async (error: unknown) => {
        await local.bytes[Symbol.asyncDispose]();
        throw error;
      });
      const { sha256, rows } = await verifyArchive(local.bytes, {
        sidecars,
        ...(isMeant === undefined && { accept: local.accept }),
        ...(onEvent && { onEvent }),
        ...(signal && { signal }),
      });
      return { sha256: outer?.sha256 ?? sha256, rows };
    },
    sidecars: async ({ sha256 }, name) => [
      [checksumSidecar(''), checksumText(sha256, name)],
      [signatureSidecar(''), (await opened.beside(signatureSidecar('')))?.content],
      [encryptedManifestSidecar(''), (await opened.beside(encryptedManifestSidecar('')))?.content],
      [manifestSidecar(''), name.endsWith('.age') ? undefined : tail.manifestText],
    ],
  };
}

/** One that cannot be looked into: its bytes are compared as they are. */
function sealedArchive(opened: OpenedArchive): PullSource {
  return {
    opened,
    others: undefined,
    async prove(path) {
      const { sha256, compared } = await compareWhole(path, opened);
      if (compared) return { sha256 };
      throw new TidemarkError('ARCHIVE_INVALID', `verify ${path}: it is encrypted, and there is no checksum beside it to compare it with`, {
        hint: 'publish it with its .sha256 beside it, or give an identity that decrypts it',
      });
    },
    sidecars: async ({ sha256 }, name) => [
      [checksumSidecar(''), checksumText(sha256, name)],
      [signatureSidecar(''), (await opened.beside(signatureSidecar('')))?.content],
      [encryptedManifestSidecar(''), (await opened.beside(encryptedManifestSidecar('')))?.content],
      [manifestSidecar(''), undefined],
    ],
  };
}

/** The SHA-256 of a copy, which is that beside the archive where there is one. @throws TidemarkError ARCHIVE_CORRUPT */
async function compareWhole(path: string, opened: OpenedArchive): Promise<{ readonly sha256: string; readonly compared: boolean }> {
  await using copy = await FileBytes.open(path);
  const hash = createHash('sha256');
  for await (const piece of copy.stream(0n, copy.size)) hash.update(piece);
  const sha256 = hash.digest('hex');
  const said = await opened.sidecars.checksum?.();
  if (said === undefined || parseChecksumText(said.content.toString('utf8'))?.sha256 === sha256)
    return { sha256, compared: said !== undefined };
  throw new TidemarkError('ARCHIVE_CORRUPT', `verify ${path}: its SHA-256 is ${sha256}, which is not that of ${said.name}`, {
    hint: 'the archive was altered after it was written: use another copy of it',
  });
}
