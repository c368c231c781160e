// A file that comes in pieces, in any order, over as many runs as it takes: `x.partial` has the bytes, `x.partial.pieces` beside it says of what
// they are and which are there, each by its SHA-256. A process that is killed at any moment leaves pieces that are there or not; they are
// read again before they are believed. It gets its name when it is whole.
import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile, rename, rm, statfs } from 'node:fs/promises';
import { hostname, uptime } from 'node:os';
import { dirname, extname } from 'node:path';
import { TidemarkError } from '../model/errors.js';
import { fileError } from '../model/file-error.js';
import { isAlive } from './is-alive.js';
import { publishFenced } from './publish-fenced.js';
import { refuseSpecial } from './publish-file.js';
import { syncDirectory } from './sync-directory.js';
import { writeDurably } from './temporary-file.js';

/** What the pieces are of. Those of anything else are not used. */
export interface PartialOf {
  /** Without secrets. */
  readonly source: string;
  readonly version: string;
  readonly bytes: bigint;
}

export interface Piece {
  readonly index: number;
  readonly offset: bigint;
  readonly length: number;
}

const ending = '.partial';
const journalEnding = '.partial.pieces';
const defaultPieceBytes = 8 * 1024 * 1024;

/** Targets of this process. */
const inUse = new Set<string>();

export class PartialFile implements AsyncDisposable {
  readonly target: string;
  /** Pieces that are not there yet. */
  readonly missing: readonly Piece[];
  /** Bytes that were there already. */
  readonly resumed: bigint;
  /** True where there were pieces of something else: another source, or another version of it. */
  readonly begunAnew: boolean;
  readonly #file: FileHandle;
  readonly #journal: FileHandle;

  private constructor(target: string, found: Found & { readonly file: FileHandle; readonly journal: FileHandle }) {
    this.target = target;
    this.missing = found.missing;
    this.resumed = found.resumed;
    this.begunAnew = found.begunAnew;
    this.#file = found.file;
    this.#journal = found.journal;
  }

  /** Takes up what an earlier run left, or begins. @throws TidemarkError FILE_ERROR, DISK_FULL, LOCKED where another process is at it */
  static async open(target: string, of: PartialOf, pieceBytes = defaultPieceBytes): Promise<PartialFile> {
    await refuseSpecial(target);
    if (inUse.has(target)) throw locked(target, 'this process');
    inUse.add(target);
    const handles: FileHandle[] = [];
    try {
      const found = await readJournal(target);
      if (found !== undefined && isOther(found)) throw locked(target, `process ${found.pid}`);
      const file = await open(`${target}${ending}`, found === undefined ? 'w+' : 'r+', 0o600).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT' && found !== undefined) return open(`${target}${ending}`, 'w+', 0o600);
        throw error;
      });
      handles.push(file);
      const same = found !== undefined && found.source === of.source && found.version === of.version && found.bytes === of.bytes;
      const size = same ? found.pieceBytes : pieceBytes;
      const there = same ? await stillThere(file, found, size) : new Map<number, string>();
      if (!same) await file.truncate(0);
      await checkRoom(target, of.bytes - bytesOf(there.keys(), of.bytes, size));
      const who = { pid: process.pid, host: hostname(), at: Date.now() };
      const head = { tidemark: 'partial', ...of, bytes: String(of.bytes), pieceBytes: size, ...who };
      const lines = [head, ...[...there].map(([piece, sha256]) => ({ piece, sha256 }))].map(line);
      // In one step: a process that is killed here leaves the old one or the new one.
      await writeDurably(`${target}${journalEnding}.new`, lines.join(''));
      await rename(`${target}${journalEnding}.new`, `${target}${journalEnding}`);
      const journal = await open(`${target}${journalEnding}`, 'a');
      handles.push(journal);
      const missing = piecesOf(of.bytes, size).filter(({ index }) => !there.has(index));
      const resumed = bytesOf(there.keys(), of.bytes, size);
      return new PartialFile(target, { missing, resumed, begunAnew: found !== undefined && !same, file, journal });
    } catch (error) {
      for (const handle of handles) await handle.close();
      inUse.delete(target);
      throw fileError(error, `create ${target}${ending}`);
    }
  }

  get path(): string {
    return `${this.target}${ending}`;
  }

  /** @throws TidemarkError DISK_FULL, FILE_ERROR */
  async write({ index, offset, length }: Piece, content: Uint8Array): Promise<void> {
    try {
      for (let from = 0; from < length; ) {
        from += (await this.#file.write(content, from, length - from, Number(offset) + from)).bytesWritten;
      }
      // One write: a line is there, or not, or at the very end and without its end.
      await this.#journal.write(line({ piece: index, sha256: sha256Of(content) }));
    } catch (error) {
      throw fileError(error, `write ${this.path}`);
    }
  }

  /** Makes the bytes durable. @throws TidemarkError DISK_FULL, FILE_ERROR */
  async sync(): Promise<void> {
    try {
      await this.#file.sync();
    } catch (error) {
      throw fileError(error, `write ${this.path} to disk`);
    }
  }

  /** Gives the file its name, then the files beside it theirs, in this order; those that it has none of are removed first.
   *  @param options replace: false where a file of that name is to be left as it is, which is an error then. Default true.
   *  @throws TidemarkError FILE_ERROR, DISK_FULL */
  async publish(
    sidecars: readonly (readonly [path: string, content: Uint8Array | string | undefined])[],
    { replace = true }: { readonly replace?: boolean } = {},
  ): Promise<void> {
    if (!replace) {
      // Its name first: whatever else lies there under these names may belong to the file that has it.
      await publishFenced(this.path, this.target);
      await publishWhole(this.target, sidecars);
    } else await publishWhole(this.target, sidecars, this.path);
    await rm(`${this.target}${journalEnding}`, { force: true }).catch(() => undefined);
  }

  /** Removes what there is. */
  async discard(): Promise<void> {
    await rm(`${this.target}${journalEnding}`, { force: true });
    await rm(this.path, { force: true });
  }

  /** What is there stays. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([this.#file.close(), this.#journal.close()]);
    inUse.delete(this.target);
  }
}

/** The files beside a whole file, which gets its name itself where it has another one yet. @throws TidemarkError FILE_ERROR, DISK_FULL */
export async function publishWhole(
  target: string,
  sidecars: readonly (readonly [path: string, content: Uint8Array | string | undefined])[],
  from?: string,
): Promise<void> {
  const written: (readonly [from: string, to: string])[] = [];
  try {
    for (const [path, content] of sidecars) {
      if (content === undefined) continue;
      const temporary = `${target}${ending}${extname(path)}`;
      await writeDurably(temporary, content);
      written.push([temporary, path]);
    }
    for (const [path] of [...sidecars].reverse()) await rm(path, { force: true });
    if (from !== undefined) await rename(from, target);
    for (const [temporary, path] of written) await rename(temporary, path);
    await syncDirectory(dirname(target));
  } catch (error) {
    for (const [temporary] of written) await rm(temporary, { force: true }).catch(() => undefined);
    throw fileError(error, `publish ${target}`);
  }
}

interface Found {
  readonly missing: readonly Piece[];
  readonly resumed: bigint;
  readonly begunAnew: boolean;
}

interface Journal extends PartialOf {
  readonly pieceBytes: number;
  readonly pid: number;
  readonly host: string;
  readonly at: number;
  readonly pieces: ReadonlyMap<number, string>;
}

function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

function sha256Of(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Undefined where there is none that can be read: then nothing is believed. A line that was not written to its end is none. */
async function readJournal(target: string): Promise<Journal | undefined> {
  let text: string;
  try {
    text = await readFile(`${target}${journalEnding}`, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const [head, ...lines] = text.split('\n').slice(0, -1).map(parseLine);
  const { tidemark, source, version, bytes, pieceBytes, pid, host, at } = head ?? {};
  if (tidemark !== 'partial' || typeof source !== 'string' || typeof version !== 'string' || !/^\d{1,18}$/.test(String(bytes)))
    return undefined;
  if (!Number.isSafeInteger(pieceBytes) || Number(pieceBytes) < 1 || Number(pieceBytes) > 1 << 30) return undefined;
  const pieces = new Map<number, string>();
  for (const { piece, sha256 } of lines) if (typeof piece === 'number' && typeof sha256 === 'string') pieces.set(piece, sha256);
  return {
    source,
    version,
    bytes: BigInt(String(bytes)),
    pieceBytes: Number(pieceBytes),
    pid: Number(pid),
    host: String(host),
    at: Number(at),
    pieces,
  };
}

function parseLine(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** Numbers of processes are used again: that of this one is not another's, nor is one from before this machine was started. */
function isOther({ pid, host, at }: Journal): boolean {
  if (host !== hostname() || !Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  const startedAt = Date.now() - uptime() * 1000;
  return at >= startedAt - 1000 && isAlive(pid);
}

function locked(target: string, who: string): TidemarkError {
  return new TidemarkError('LOCKED', `write ${target}: ${who} is at it already`, {
    hint: `wait for it, or choose another file; if there is no such run, remove ${target}${ending} and ${target}${journalEnding}`,
  });
}

function piecesOf(bytes: bigint, pieceBytes: number): readonly Piece[] {
  const pieces: Piece[] = [];
  for (let offset = 0n; offset < bytes; offset += BigInt(pieceBytes)) {
    const left = bytes - offset;
    pieces.push({ index: pieces.length, offset, length: left < BigInt(pieceBytes) ? Number(left) : pieceBytes });
  }
  return pieces;
}

function bytesOf(indexes: Iterable<number>, bytes: bigint, pieceBytes: number): bigint {
  const wanted = new Set(indexes);
  return piecesOf(bytes, pieceBytes).reduce((sum, { index, length }) => (wanted.has(index) ? sum + BigInt(length) : sum), 0n);
}

/** After a power cut a line may be on the disk, and the piece that it tells of not. */
async function stillThere(file: FileHandle, { bytes, pieces }: Journal, pieceBytes: number): Promise<Map<number, string>> {
  const there = new Map<number, string>();
  for (const { index, offset, length } of piecesOf(bytes, pieceBytes)) {
    const expected = pieces.get(index);
    if (expected === undefined) continue;
    const content = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await file.read(content, filled, length - filled, Number(offset) + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    if (filled === length && sha256Of(content) === expected) there.set(index, expected);
  }
  return there;
}

async function checkRoom(target: string, needed: bigint): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(target), { bigint: true });
  if (needed <= bavail * bsize) return;
  throw new TidemarkError('DISK_FULL', `write ${target}: ${needed} bytes are needed, and ${bavail * bsize} are free`, {
    hint: 'free space, or write to another file system',
  });
}
