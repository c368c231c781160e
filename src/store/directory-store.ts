// A store in a directory: a key is a path below it. Written under a temporary name, fsynced, given its name in one step, the directory
// fsynced. Conditional writes exclude each other by the directory's fence (fence.ts), whatever process does them and wherever it is stopped.
import { randomBytes } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { copyFile, link, open, readdir, rm, rmdir, stat, statfs } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { TidemarkError } from '../model/errors.js';
import { fileError } from '../model/file-error.js';
import { checkedSource } from './checked-source.js';
import { takeOver } from './fence.js';
import { isAlive } from './is-alive.js';
import { checkKey, checkPrefix, isTemporary } from './key.js';
import { publishFenced } from './publish-fenced.js';
import { aDayMs, type CleanUpOptions, type GetOptions, type PutOptions, type Store, type StoredObject } from './store.js';
import { changed, checkConditions, cutShort, missing, outOfRange, writeConflict } from './store-errors.js';
import { makeDirectory, syncDirectory } from './sync-directory.js';
import { TemporaryFile } from './temporary-file.js';

const readBytes = 1 << 20;
const statsAtOnce = 64;
/** Others that write the same key conditionally may take over so often before it is given up. */
const turns = 50;
const longestMs = 250;
/** A directory may be removed as empty between being made and being used, so often. */
const tries = 10;

/** Of this process, being written. */
const inUse = new Set<string>();

export class DirectoryStore implements Store {
  readonly location: string;
  readonly writable = true;

  constructor(path: string) {
    this.location = resolve(path);
  }

  async *list(prefix = ''): AsyncGenerator<StoredObject, void> {
    checkPrefix(prefix);
    let some: string[] = [];
    for await (const key of this.#walk(prefix, (name) => !isTemporary(name))) {
      if (!key.startsWith(prefix)) continue;
      some.push(key);
      if (some.length < statsAtOnce) continue;
      yield* await this.#those(some);
      some = [];
    }
    yield* await this.#those(some);
  }

  async stat(key: string): Promise<StoredObject | undefined> {
    const path = this.#path(key);
    try {
      const found = await stat(path, { bigint: true });
      return found.isFile() ? { key, ...factsOf(found) } : undefined;
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw fileError(error, `look at ${path}`);
    }
  }

  async *get(key: string, { range, version }: GetOptions = {}): AsyncGenerator<Uint8Array, void> {
    const path = this.#path(key);
    if ((await this.stat(key)) === undefined) throw missing(this.location, key);
    try {
      await using handle = await open(path, 'r');
      const facts = factsOf(await handle.stat({ bigint: true }));
      if (version !== undefined && facts.version !== version) throw changed(this.location, key);
      const { from, bytes } = range ?? { from: 0n, bytes: facts.bytes };
      const end = from + bytes;
      if (end > facts.bytes) throw outOfRange(this.location, key, facts.bytes);
      for (let at = from; at < end; ) {
        const length = Math.min(Number(end - at), readBytes);
        const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, Number(at));
        if (bytesRead === 0) throw cutShort(this.location, key, at - from, bytes);
        at += BigInt(bytesRead);
        yield buffer.subarray(0, bytesRead);
      }
      // Stores never write to a file that has its name; others may.
      if (factsOf(await handle.stat({ bigint: true })).version !== facts.version) throw changed(this.location, key);
    } catch (error) {
      if (isAbsent(error)) throw missing(this.location, key);
      throw fileError(error, `read ${path}`);
    }
  }

  async put(key: string, source: AsyncIterable<Uint8Array>, options: PutOptions = {}): Promise<StoredObject> {
    const path = this.#path(key);
    checkConditions(options);
    if (options.ifAbsent || options.ifVersion !== undefined) await this.#check(key, options);
    const file = await this.#temporary(dirname(path), path);
    try {
      for await (const chunk of checkedSource(source, path, options)) await file.write(chunk);
      await file.sync();
      if (options.ifVersion !== undefined) await this.#replace(key, file.path, options);
      else await this.#publish(key, file.path, options);
    } finally {
      await file[Symbol.asyncDispose]();
      inUse.delete(file.path);
    }
    const written = await this.stat(key);
    if (written === undefined) throw changed(this.location, key);
    return written;
  }

  async remove(key: string): Promise<void> {
    const path = this.#path(key);
    if ((await this.stat(key)) === undefined) return;
    try {
      await rm(path, { force: true });
      await syncDirectory(dirname(path));
    } catch (error) {
      if (!isAbsent(error)) throw fileError(error, `remove ${path}`);
    }
    // Directories that hold nothing any more go, up to the first that does, or that may not be removed.
    for (let at = dirname(path); at !== this.location; at = dirname(at)) {
      const gone = await rmdir(at).then(
        () => true,
        () => false,
      );
      if (!gone) return;
    }
  }

  async cleanUp({ prefix = '', olderThanMs = aDayMs, only }: CleanUpOptions = {}): Promise<number> {
    let removed = 0;
    checkPrefix(prefix);
    for await (const name of this.#walk(prefix, isOurs)) {
      const path = join(this.location, name);
      const found = await stat(path).catch(() => undefined);
      if (found === undefined || inUse.has(path)) continue;
      const least = { dead: 0, alive: aDayMs, elsewhere: only === undefined ? olderThanMs : aDayMs }[writerOf(basename(name))];
      // What may be of any age goes whatever the clocks say: that of the files can be a little ahead of ours.
      if (least > 0 && Date.now() - found.mtimeMs < least) continue;
      await rm(path, { force: true });
      removed += 1;
    }
    return removed;
  }

  async free(): Promise<bigint> {
    // Of what is there already of a path that is made when it is needed.
    for (let at = this.location; ; at = dirname(at)) {
      try {
        const { bavail, bsize } = await statfs(at, { bigint: true });
        return bavail * bsize;
      } catch (error) {
        if (!isAbsent(error) || at === dirname(at)) throw fileError(error, `ask how much room there is in ${this.location}`);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #path(key: string): string {
    checkKey(key);
    return join(this.location, ...key.split('/'));
  }

  async #those(keys: readonly string[]): Promise<readonly StoredObject[]> {
    return (await Promise.all(keys.map((key) => this.stat(key)))).flatMap((found) => found ?? []);
  }

  /** Paths of files that have names of the right kind, with `/`, in those directories that may have keys of a prefix in them. */
  async *#walk(prefix: string, isWanted: (name: string) => boolean, directory = checkPrefix(prefix)): AsyncGenerator<string, void> {
    const path = join(this.location, ...directory.split('/'));
    const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
      if (isAbsent(error)) return [];
      throw fileError(error, `list ${path}`);
    });
    for (const entry of entries) {
      const key = directory === '' ? entry.name : `${directory}/${entry.name}`;
      if (!entry.isDirectory()) {
        if (isWanted(entry.name)) yield key;
      } else if (`${key}/`.startsWith(prefix)) {
        yield* this.#walk(prefix, isWanted, key);
      }
    }
  }

  async #temporary(directory: string, name: string): Promise<TemporaryFile> {
    for (let turn = 1; ; turn += 1) {
      const path = join(directory, `.put-${encodeURIComponent(hostname())}-${process.pid}-${randomBytes(8).toString('hex')}.tidemark`);
      inUse.add(path);
      try {
        await makeDirectory(directory);
        return await TemporaryFile.open(path, name);
      } catch (error) {
        inUse.delete(path);
        const { errno } = error instanceof TidemarkError ? error.details : { errno: (error as NodeJS.ErrnoException).code };
        if (errno !== 'ENOENT' || turn === tries) throw fileError(error, `create the directory ${directory}`);
      }
    }
  }

  async #check(key: string, options: PutOptions): Promise<void> {
    const found = await this.stat(key);
    const wrong = options.ifAbsent ? found !== undefined : found?.version !== options.ifVersion;
    if (wrong) throw writeConflict(this.location, key, options);
  }

  async #publish(key: string, temporary: string, options: PutOptions): Promise<void> {
    try {
      await publishFenced(temporary, this.#path(key), { replace: !options.ifAbsent });
    } catch (error) {
      if (error instanceof TidemarkError && error.details.errno === 'EEXIST') throw writeConflict(this.location, key, options);
      throw error;
    }
  }

  /** Compares and replaces in one. Whoever takes over afterwards removes the file that was to be renamed, before it compares itself; so
   *  where the rename succeeds, nobody has looked since the comparison. */
  async #replace(key: string, temporary: string, options: PutOptions): Promise<void> {
    const path = this.#path(key);
    for (let turn = 1; ; turn += 1) {
      try {
        const fence = await takeOver(dirname(path), `key ${basename(path)}`);
        const own = join(dirname(path), fence.temporaryName());
        await link(temporary, own).catch(() => copyDurably(temporary, own));
        await fence.check();
        try {
          await this.#check(key, options);
          await publishFenced(own, path, { replace: true });
        } finally {
          await rm(own, { force: true });
        }
        return;
      } catch (error) {
        if (!(error instanceof TidemarkError && error.code === 'LOCK_LOST') || turn === turns) throw fileError(error, `write ${path}`);
        // Those that took over from each other would do so again, all at once.
        await setTimeout(Math.random() * Math.min(longestMs, 2 ** turn));
      }
    }
  }
}

async function copyDurably(from: string, to: string): Promise<void> {
  await copyFile(from, to);
  await using handle = await open(to, 'r+');
  await handle.sync();
}

/** What can be told of a file without reading it: another version where it was replaced or written to, as far as the file system tells. */
function factsOf({ ino, mtimeNs, mtime, size }: BigIntStats): Omit<StoredObject, 'key'> {
  return { bytes: size, version: `${ino} ${mtimeNs} ${size}`, modifiedAt: mtime };
}

const pattern = /^\.put-(.*)-(\d+)-[0-9a-f]{16}\.tidemark$/;

function isOurs(name: string): boolean {
  return pattern.test(name);
}

/** Who writes it: a process of this machine, as far as its name tells, or of another one, of which only the age is known. */
function writerOf(name: string): 'dead' | 'alive' | 'elsewhere' {
  const [, host, pid] = pattern.exec(name) ?? [];
  if (host !== encodeURIComponent(hostname())) return 'elsewhere';
  // This process has said by then that it is not writing it.
  return Number(pid) === process.pid || !isAlive(Number(pid)) ? 'dead' : 'alive';
}

function isAbsent(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  // ELOOP: a link that leads to itself leads to no file, as one that leads nowhere.
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP';
}
