// Opens the archives that another one refers to, and makes sure that they are those that were meant. What they hold is compared with hashes
// by whoever reads it.
import { readIdentity } from '../../archive/identity.js';
import type { Seekable } from '../../frame/seekable.js';
import { TidemarkError } from '../../model/errors.js';
import type { Manifest, OtherArchive } from '../../model/manifest.js';
import { printable } from '../../model/printable.js';
import type { OpenedSealed } from '../seal/open-sealed.js';

/** Of whom: what `openSealed` gives, as far as it matters here. */
export type Referring = Pick<OpenedSealed, 'bytes' | 'other'>;

interface Named {
  readonly bytes: { readonly name: string };
}

/** The archives of these indexes, by index; others stay closed. Close them before the archive that refers to them.
 *  @throws TidemarkError ARCHIVE_MISSING_PART where one is not there, or another one is in its place; IDENTITY_MISSING, STORE_ERROR */
export async function openOthers(
  referring: Referring,
  { archives = [] }: Pick<Manifest, 'archives'>,
  needed: ReadonlySet<number>,
): Promise<readonly (Seekable | undefined)[]> {
  const opened: (Seekable | undefined)[] = [];
  try {
    for (const [at, archive] of archives.entries()) opened.push(needed.has(at) ? await openOther(referring, archive) : undefined);
    return opened;
  } catch (error) {
    await closeAll(opened);
    throw error;
  }
}

export async function closeAll(opened: readonly (Seekable | undefined)[]): Promise<void> {
  for (const bytes of opened) await bytes?.[Symbol.asyncDispose]();
}

/** One of them. @throws TidemarkError ARCHIVE_MISSING_PART, IDENTITY_MISSING, STORE_ERROR */
export async function openOther(referring: Referring, archive: OtherArchive): Promise<Seekable> {
  const bytes = await findOther(referring, archive, () => referring.other(archive.file));
  try {
    await checkOther(referring, archive, bytes);
    return bytes;
  } catch (error) {
    await bytes[Symbol.asyncDispose]();
    throw error;
  }
}

/** Opens what is called so, as it lies there. @throws TidemarkError ARCHIVE_MISSING_PART where it is not there, and what `open` throws */
export async function findOther<T>(referring: Named, archive: OtherArchive, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof TidemarkError) || !['FILE_ERROR', 'OBJECT_MISSING'].includes(error.code)) throw error;
    throw missing(referring, archive, error.message, error);
  }
}

/** Whether it is the one that is meant, by its end. @param bytes decrypted @throws TidemarkError ARCHIVE_MISSING_PART */
export async function checkOther(referring: Named, archive: OtherArchive, bytes: Seekable): Promise<void> {
  if (bytes.size !== archive.bytes) throw missing(referring, archive, `it has ${bytes.size} bytes, not ${archive.bytes}`);
  if ((await readIdentity(bytes)) === archive.sha256) return;
  throw missing(referring, archive, 'another archive, or an altered one, is in its place');
}

function missing({ bytes }: Named, { file, sha256 }: OtherArchive, why: string, cause?: unknown): TidemarkError {
  const name = printable(file);
  return new TidemarkError('ARCHIVE_MISSING_PART', `open ${name}, which ${printable(bytes.name)} refers to: ${printable(why)}`, {
    hint: `put ${name} back beside ${printable(bytes.name)}, under that path, or use another snapshot; tables that are not in it can be restored alone with --table`,
    details: { missing: file, archive: bytes.name, sha256 },
    cause,
  });
}
