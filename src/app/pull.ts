// The use case "pull a snapshot": an archive and what lies beside it come to this machine, by several ranges at a time, over as many runs as
// it takes. Every byte is verified before the file gets its name.
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { openArchive } from '../archive/reader.js';
import type { Sidecar } from '../archive/sidecar-files.js';
import {
  checksumSidecar,
  checksumText,
  encryptedManifestSidecar,
  manifestSidecar,
  parseChecksumText,
  signatureSidecar,
} from '../archive/sidecars.js';
import { verifyArchive } from '../archive/verify.js';
import { FileBytes } from '../frame/file-bytes.js';
import type { Seekable } from '../frame/seekable.js';
import { TidemarkError } from '../model/errors.js';
import type { EventListener } from '../model/events.js';
import { formatBytes } from '../model/units.js';
import { PartialFile, type Piece, publishWhole } from '../store/partial-file.js';
import { abortReason } from './abort.js';
import { parseArchiveName } from './archive-name.js';
import { type OpenArchiveOptions, type OpenedArchive, openNamedArchive } from './open-archive-bytes.js';
import { openSealed, type TrustOptions } from './seal/open-sealed.js';
import { readIdentities, readVerifyKeys } from './seal/read-keys.js';

export interface PullOptions extends OpenArchiveOptions, TrustOptions {
  /** URL or path of the archive, or of a store whose newest one is meant. */
  readonly file: string;
  /** A file, or a directory, in which it gets the name that it has there. Default: here. */
  readonly output?: string;
  readonly onEvent?: EventListener;
}

export interface PullResult {
  /** Where it is now. */
  readonly file: string;
  /** Where it came from, without secrets. */
  readonly source: string;
  readonly bytes: bigint;
  readonly sha256: string;
  /** Bytes that an earlier run had brought already; all of them where it was there. */
  readonly resumedBytes: bigint;
  /** Rows that were verified; undefined for an archive that is encrypted, of which only the SHA-256 was compared. */
  readonly rows?: bigint;
  /** Paths of the files beside it. */
  readonly sidecars: readonly string[];
  readonly durationMs: number;
}

/** Pieces that are asked for at once. Memory is as many. */
const atOnce = 4;

/** Brings an archive to this machine. What a run that fails or is killed has brought stays beside the file, as `x.partial`; the next one goes on
 *  from there, unless the archive was replaced meanwhile. An archive that is there already, and is the same, is not loaded again.
 *  @throws TidemarkError OBJECT_MISSING, STORE_ERROR, STORE_CONFLICT where it is replaced meanwhile, FILE_ERROR, DISK_FULL, LOCKED, ARCHIVE_*,
 *  SIGNATURE_*, SNAPSHOT_MISSING, USAGE, ABORTED
 *  @example
 *  await pullSnapshot({ file: 's3://backups/chain', output: '/var/lib/snapshots' }) */
export async function pullSnapshot({ file, output, ...options }: PullOptions): Promise<PullResult> {
  const { onEvent, signal } = options;
  const started = performance.now();
  try {
    onEvent?.({ type: 'phase', phase: 'connect' });
    const opened = await openNamedArchive(file, options);
    await using bytes = opened.bytes;
    const target = await targetOf(output, opened.sidecars.basename);
    const archive = (await isSealed(opened, options)) ? sealedArchive(opened) : await openedArchive(opened, options);
    const done = (await alreadyThere(target, archive)) ?? (await load(target, archive, options));
    return { file: target, source: bytes.name, bytes: bytes.size, ...done, durationMs: performance.now() - started };
  } catch (error) {
    throw abortReason(signal) ?? error;
  }
}

interface Proof {
  readonly sha256: string;
  readonly rows?: bigint;
}

/** The archive as it lies there, and how a copy of it is proven. */
interface Source {
  readonly opened: OpenedArchive;
  /** @throws TidemarkError ARCHIVE_* where the copy is not right */
  prove(path: string): Promise<Proof>;
  /** By what the name is followed, in the order in which they are written; without content where there is to be none. */
  sidecars(proof: Proof, name: string): Promise<readonly (readonly [ending: string, content: Uint8Array | string | undefined])[]>;
}

/** True for an archive that is encrypted, where nobody asks for its signature and there is no identity to look into it. */
async function isSealed({ sidecars }: OpenedArchive, { verifyKeys, identities }: TrustOptions): Promise<boolean> {
  if (!sidecars.basename.endsWith('.age')) return false;
  const [keys, known] = await Promise.all([readVerifyKeys(verifyKeys), readIdentities(identities)]);
  return keys === undefined && known === undefined;
}

/** Looks at its end first: what is no archive, or not accepted, is not loaded. */
async function openedArchive(opened: OpenedArchive, options: Omit<PullOptions, 'file'>): Promise<Source> {
  const { onEvent, signal } = options;
  const kept = { ...opened, bytes: keepOpen(opened.bytes) };
  const sealed = await openSealed(kept, options);
  const { tail } = await openArchive(sealed.bytes, sealed);
  const manifest: Sidecar = { name: `the manifest of ${opened.bytes.name}`, content: Buffer.from(tail.manifestText) };
  return {
    opened,
    async prove(path) {
      const local = await openSealed({ ...opened, bytes: await FileBytes.open(path) }, options);
      // The manifest has the hash of every member: what has the same one is the same archive.
      const { checksum, basename: name } = opened.sidecars;
      const { encrypted } = local;
      // Beside an encrypted one lies the checksum of what is encrypted.
      const sidecars = { basename: name, manifest: async () => manifest, ...(checksum && encrypted === undefined && { checksum }) };
      const outer = encrypted && (await compareWhole(path, opened));
      const { sha256, rows } = await verifyArchive(local.bytes, {
        sidecars,
        accept: local.accept,
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
function sealedArchive(opened: OpenedArchive): Source {
  return {
    opened,
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

/** For a reader that would close them. */
function keepOpen(bytes: Seekable): Seekable {
  return {
    name: bytes.name,
    size: bytes.size,
    read: (offset, length) => bytes.read(offset, length),
    stream: (offset, length) => bytes.stream(offset, length),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** @throws TidemarkError USAGE */
async function targetOf(output: string | undefined, name: string): Promise<string> {
  if (output === undefined) return name;
  const parsed = parseArchiveName(output);
  if (parsed.kind !== 'path') {
    throw new TidemarkError('USAGE', 'pull: the output is no path of this machine', {
      hint: 'give a file or a directory; `push` writes to stores',
    });
  }
  const found = await stat(parsed.path).catch(() => undefined);
  return found?.isDirectory() || parsed.path.endsWith('/') ? join(parsed.path, name) : parsed.path;
}

type Done = Pick<PullResult, 'sha256' | 'rows' | 'resumedBytes' | 'sidecars'>;

/** A file of that name that is the same archive, to the last byte. A run that was killed after it had given the file its name is completed. */
async function alreadyThere(target: string, source: Source): Promise<Done | undefined> {
  const { size } = source.opened.bytes;
  const found = await stat(target, { bigint: true }).catch(() => undefined);
  if (!found?.isFile() || found.size !== size) return undefined;
  try {
    const proof = await source.prove(target);
    const sidecars = await besideOf(target, source, proof);
    await publishWhole(target, sidecars);
    return { ...proof, resumedBytes: size, sidecars: paths(sidecars) };
  } catch (error) {
    if (error instanceof TidemarkError && error.code.startsWith('ARCHIVE_')) return undefined;
    throw error;
  }
}

async function besideOf(
  target: string,
  source: Source,
  proof: Proof,
): Promise<readonly (readonly [path: string, content: Uint8Array | string | undefined])[]> {
  const sidecars = await source.sidecars(proof, basename(target));
  return sidecars.map(([ending, content]) => [`${target}${ending}`, content]);
}

function paths(sidecars: readonly (readonly [path: string, content: unknown])[]): readonly string[] {
  return sidecars.flatMap(([path, content]) => (content === undefined ? [] : [path]));
}

async function load(target: string, source: Source, { onEvent, signal }: Pick<PullOptions, 'onEvent' | 'signal'>): Promise<Done> {
  const { bytes, version } = source.opened;
  await using partial = await PartialFile.open(target, { source: bytes.name, version, bytes: bytes.size });
  if (partial.begunAnew) {
    onEvent?.({ type: 'notice', message: `${partial.path} was of another archive, or of another version of it: it is begun anew` });
  }
  let done = partial.resumed;
  const progress = (): void => onEvent?.({ type: 'progress', rows: 0n, rawBytes: done, compressedBytes: done });
  try {
    onEvent?.({ type: 'phase', phase: 'pull', detail: bytes.name });
    onEvent?.({ type: 'plan', tables: 0, rows: 0n, bytes: bytes.size, exact: true });
    progress();
    await eachAtOnce(partial.missing, async (piece) => {
      if (signal?.aborted) throw new TidemarkError('ABORTED', `pull ${bytes.name}: it was aborted`, { cause: signal.reason });
      await partial.write(piece, await bytes.read(piece.offset, piece.length));
      done += BigInt(piece.length);
      progress();
    });
    await partial.sync();
    const proof = await source.prove(partial.path).catch(async (error: unknown) => {
      if (error instanceof TidemarkError && error.code.startsWith('ARCHIVE_')) await partial.discard();
      throw error;
    });
    const sidecars = await besideOf(target, source, proof);
    onEvent?.({ type: 'phase', phase: 'publish' });
    await partial.publish(sidecars);
    return { ...proof, resumedBytes: partial.resumed, sidecars: paths(sidecars) };
  } catch (error) {
    throw withKept(error, { path: partial.path, done, size: bytes.size });
  }
}

/** Some at a time; the first failure ends the rest, and nothing is at work any more then. */
async function eachAtOnce(pieces: readonly Piece[], work: (piece: Piece) => Promise<void>): Promise<void> {
  const pending = pieces.values();
  let failed = false;
  const ended = await Promise.allSettled(
    Array.from({ length: atOnce }, async () => {
      for (const piece of pending) {
        if (failed) return;
        try {
          await work(piece);
        } catch (error) {
          failed = true;
          throw error;
        }
      }
    }),
  );
  const rejected = ended.find((end) => end.status === 'rejected');
  if (rejected !== undefined) throw rejected.reason;
}

/** The same error, which also says what became of what was loaded. */
function withKept(error: unknown, { path, done, size }: { readonly path: string; readonly done: bigint; readonly size: bigint }): unknown {
  if (!(error instanceof TidemarkError)) return error;
  const { code, message, hint, details, cause } = error;
  const damaged = code.startsWith('ARCHIVE_');
  const changed = code === 'STORE_CONFLICT';
  const kept = damaged ? 'what was loaded was removed' : `${formatBytes(done)} of ${formatBytes(size)} are kept in ${path}`;
  const next = changed ? 'run it again: it begins anew with the new one' : 'run it again: it goes on where it stopped';
  return new TidemarkError(code, `${message}; ${kept}`, {
    details: { ...details, kept: damaged ? '0' : String(done) },
    cause: cause ?? error,
    ...(damaged ? (hint === undefined ? {} : { hint }) : { hint: hint === undefined || changed ? next : `${hint}; ${next}` }),
  });
}
