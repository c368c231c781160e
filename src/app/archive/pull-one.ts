// Brings one archive to its place on this machine: what is there already is proven, what is missing is loaded by several ranges at a time, and every byte is
// verified before the file gets its name.
import { lstat, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { TidemarkError } from '../../model/errors.js';
import type { EventListener } from '../../model/events.js';
import { formatBytes } from '../../model/units.js';
import { PartialFile, type Piece, publishWhole } from '../../store/partial-file.js';
import type { Proof, PullSource } from './pull-source.js';

/** An archive that is here now. */
export interface PulledArchive {
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
}

export interface BringOptions {
  /** False: what has its name already is left as it is, with what lies beside it. Default true. */
  readonly replace?: boolean;
  readonly onEvent?: EventListener;
  readonly signal?: AbortSignal;
}

/** Pieces that are asked for at once. Memory is as many. */
const atOnce = 4;

/** A file of that name that is the same archive, to the last byte. A run that was killed after it had given the file its name is completed. */
export async function alreadyThere(
  target: string,
  source: PullSource,
  { replace = true }: BringOptions,
): Promise<PulledArchive | undefined> {
  const { name, size } = source.opened.bytes;
  const found = await stat(target, { bigint: true }).catch(() => undefined);
  if (!found?.isFile() || found.size !== size) return undefined;
  try {
    const proof = await source.prove(target);
    const sidecars = await besideOf(target, source, proof);
    await publishWhole(target, replace ? sidecars : await missingOf(sidecars));
    return { file: target, source: name, bytes: size, ...proof, resumedBytes: size, sidecars: paths(sidecars) };
  } catch (error) {
    if (error instanceof TidemarkError && error.code.startsWith('ARCHIVE_')) return undefined;
    throw error;
  }
}

type Beside = readonly (readonly [path: string, content: Uint8Array | string | undefined])[];

async function besideOf(target: string, source: PullSource, proof: Proof): Promise<Beside> {
  const sidecars = await source.sidecars(proof, basename(target));
  return sidecars.map(([ending, content]) => [`${target}${ending}`, content]);
}

/** Those that are to be there, and are not. */
async function missingOf(sidecars: Beside): Promise<Beside> {
  const found = await Promise.all(sidecars.map(([path]) => isThere(path)));
  return sidecars.filter(([, content], at) => content !== undefined && !found[at]);
}

export async function isThere(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}

function paths(sidecars: Beside): readonly string[] {
  return sidecars.flatMap(([path, content]) => (content === undefined ? [] : [path]));
}

/** What a run that fails or is killed has brought stays beside the file, for the next one.
 *  @throws TidemarkError STORE_ERROR, STORE_CONFLICT, FILE_ERROR, DISK_FULL, LOCKED, ARCHIVE_*, ABORTED */
export async function loadArchive(
  target: string,
  source: PullSource,
  { replace = true, onEvent, signal }: BringOptions,
): Promise<PulledArchive> {
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
    await partial.publish(sidecars, { replace });
    return { file: target, source: bytes.name, bytes: bytes.size, ...proof, resumedBytes: partial.resumed, sidecars: paths(sidecars) };
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
