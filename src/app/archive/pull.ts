// The use case "pull a snapshot": an archive and what lies beside it come to this machine, by several ranges at a time, over as many runs as
// it takes. Every byte is verified before the file gets its name.
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { TidemarkError } from '../../model/errors.js';
import type { EventListener } from '../../model/events.js';
import { formatBytes } from '../../model/units.js';
import { PartialFile, type Piece, publishWhole } from '../../store/partial-file.js';
import { abortReason } from '../abort.js';
import type { TrustOptions } from '../seal/open-sealed.js';
import { parseArchiveName } from './name.js';
import { type OpenArchiveOptions, openNamedArchive } from './open-bytes.js';
import { type Proof, type PullSource, pullSourceOf } from './pull-source.js';

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
    const archive = await pullSourceOf(opened, options);
    const done = (await alreadyThere(target, archive)) ?? (await load(target, archive, options));
    return { file: target, source: bytes.name, bytes: bytes.size, ...done, durationMs: performance.now() - started };
  } catch (error) {
    throw abortReason(signal) ?? error;
  }
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
async function alreadyThere(target: string, source: PullSource): Promise<Done | undefined> {
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
  source: PullSource,
  proof: Proof,
): Promise<readonly (readonly [path: string, content: Uint8Array | string | undefined])[]> {
  const sidecars = await source.sidecars(proof, basename(target));
  return sidecars.map(([ending, content]) => [`${target}${ending}`, content]);
}

function paths(sidecars: readonly (readonly [path: string, content: unknown])[]): readonly string[] {
  return sidecars.flatMap(([path, content]) => (content === undefined ? [] : [path]));
}

async function load(target: string, source: PullSource, { onEvent, signal }: Pick<PullOptions, 'onEvent' | 'signal'>): Promise<Done> {
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
