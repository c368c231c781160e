// Where the files of an export go: into a folder, which appears whole, or into a store, file by file as they are made and the manifest last.
// What is in them is for others.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { exportManifestFile } from '../../archive/export-names.js';
import { encodeText } from '../../model/byte-text.js';
import { TidemarkError } from '../../model/errors.js';
import type { ExportedFile } from '../../model/export.js';
import { HashedFile } from '../../store/hashed-file.js';
import { openStore, type StoreOptions } from '../../store/open-store.js';
import { DirectoryPublication } from '../../store/publish-directory.js';
import { Spool } from '../../store/spool.js';
import type { Store, StoredObject } from '../../store/store.js';
import { Pipe } from '../repository/pipe.js';
import type { Destination } from '../snapshot/sight.js';
import { ExportClaim } from './claim.js';
import { exportPlace } from './place.js';

/** A file while it is written. */
export interface ExportFile {
  /** Appends; the memory may be used again when it resolves. */
  write(bytes: Uint8Array): Promise<void>;
  /** Durable when it resolves. */
  finish(): Promise<ExportedFile>;
  /** It is not to be. */
  abandon(): Promise<void>;
}

/** Without `publish` nothing of it stays. */
export interface ExportOutput extends Destination {
  /** For messages. */
  readonly location: string;
  /** Before the first file: the names of all of them. @throws TidemarkError STORE_CONFLICT where another export has taken the place over */
  announce(files: readonly string[]): Promise<void>;
  /** @param expectedBytes about as many as it will have at most, where that is known */
  openFile(name: string, expectedBytes?: bigint): Promise<ExportFile>;
  /** Ends every write that is waited for: nothing more will come. */
  giveUp(error: unknown): void;
  /** @param files all but the manifest */
  publish(files: readonly ExportedFile[], manifest: string): Promise<void>;
}

export interface OutputOptions {
  readonly store?: StoreOptions | undefined;
  readonly notice: (message: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** @throws TidemarkError FILE_ERROR or STORE_CONFLICT where something is there already, USAGE where nothing can be written */
export async function openExportOutput(to: string | Store, options: OutputOptions): Promise<ExportOutput> {
  const place = typeof to === 'string' ? exportPlace(to) : { kind: 'store' as const, store: to };
  return place.kind === 'folder' ? openFolder(place.path) : StoreOutput.open(place.store, options);
}

async function openFolder(directory: string): Promise<ExportOutput> {
  const publication = await DirectoryPublication.open(directory);
  const { temporary } = publication;
  return {
    location: directory,
    spoolPrefix: join(temporary, 'spool'),
    keepsBytes: false,
    untouched: true,
    announce: async () => undefined,
    openFile: (name) => HashedFile.open(temporary, name),
    giveUp: () => undefined,
    async publish(files, manifest) {
      const file = await HashedFile.open(temporary, exportManifestFile);
      const written = await writeText(file, manifest);
      await publication.publish([...files, written]);
    },
    [Symbol.asyncDispose]: () => publication[Symbol.asyncDispose](),
  };
}

export async function writeText(file: ExportFile, text: string): Promise<ExportedFile> {
  try {
    await file.write(encodeText(text));
    return await file.finish();
  } catch (error) {
    await file.abandon();
    throw error;
  }
}

/** Several files are sent at once: less for each than a single archive gets. */
const uploads = { partBytes: 8 << 20, parallelParts: 2 };

/** The place is claimed first, so of two exports to one place one fails before it has written anything, and whatever is written there under the
 *  names that were announced is ours until the claim goes (claim.ts). */
class StoreOutput implements ExportOutput {
  readonly location: string;
  readonly spoolPrefix: string;
  readonly keepsBytes = false;
  readonly untouched = true;
  readonly #store: Store;
  readonly #claim: ExportClaim;
  readonly #spool: Spool;
  readonly #options: OutputOptions & { readonly owned: boolean };
  /** A store for taking away what was written, also after an abort has ended everything that the first one does. */
  readonly #again: () => Promise<Store>;
  /** In the order in which they were begun. */
  readonly #files = new Map<string, StoredFile>();
  #published = false;

  private constructor(
    store: Store,
    claim: ExportClaim,
    { spool, options, again }: { spool: Spool; options: OutputOptions & { readonly owned: boolean }; again: () => Promise<Store> },
  ) {
    this.#claim = claim;
    this.location = store.location;
    this.spoolPrefix = spool.prefix;
    this.#store = store;
    this.#spool = spool;
    this.#options = options;
    this.#again = again;
  }

  static async open(given: string | Store, options: OutputOptions): Promise<StoreOutput> {
    const { store: { s3 = {}, ...more } = {}, signal } = options;
    const opened = (url: string, stop?: AbortSignal): Promise<Store> =>
      openStore(url, { ...more, s3: { ...uploads, ...s3 }, ...(stop && { signal: stop }) });
    const store = typeof given === 'string' ? await opened(given, signal) : given;
    const owned = typeof given === 'string';
    try {
      if (!store.writable) {
        throw new TidemarkError('USAGE', `export to ${store.location}: it can only be read`, {
          hint: 'name a directory, or s3://bucket/prefix',
        });
      }
      const spool = await Spool.open();
      const claim = await ExportClaim.take(store, options.notice);
      const again = async (): Promise<Store> => (owned ? opened(given) : store);
      return new StoreOutput(store, claim, { spool, options: { ...options, owned }, again });
    } catch (error) {
      if (owned) await store[Symbol.asyncDispose]();
      throw error;
    }
  }

  announce(files: readonly string[]): Promise<void> {
    return this.#claim.announce(files);
  }

  async openFile(name: string, expectedBytes?: bigint): Promise<ExportFile> {
    const file = new StoredFile(this.#store, name, expectedBytes);
    this.#files.set(name, file);
    return file;
  }

  giveUp(error: unknown): void {
    for (const file of this.#files.values()) file.fail(error);
  }

  /** Every file is looked at once more before the manifest says that it is there. */
  async publish(files: readonly ExportedFile[], manifest: string): Promise<void> {
    for (const { file } of files) {
      const found = await this.#store.stat(file);
      if (found === undefined || found.version !== this.#files.get(file)?.stored?.version) {
        throw new TidemarkError('STORE_CONFLICT', `publish an export in ${this.location}: ${file} is not as it was written any more`, {
          hint: 'somebody else writes there: export to a place of its own',
        });
      }
    }
    await this.#claim.check();
    await writeText(await this.openFile(exportManifestFile, BigInt(manifest.length)), manifest);
    // Who stood still between the look and the write has a manifest there for what another one has removed.
    await this.#claim.check();
    this.#published = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#spool[Symbol.asyncDispose]();
    if (!this.#published) await this.#takeAway();
    // An export that is there with its marker is whole.
    else await this.#claim.release(this.#store).catch(() => undefined);
    this.#claim.forget();
    if (this.#options.owned) await this.#store[Symbol.asyncDispose]();
  }

  /** The manifest first, the claim last. Where another export has taken the place over, only what is known to be ours. */
  async #takeAway(): Promise<void> {
    const left: string[] = [];
    const ours = [...this.#files].filter(([, file]) => !file.refused).reverse();
    try {
      await Promise.all(ours.map(([, file]) => file.abandon()));
      const store = await this.#again();
      const isOurs = await this.#claim.isOurs(store);
      for (const [name, { stored }] of ours) {
        if (!isOurs && (stored === undefined || (await store.stat(name))?.version !== stored.version)) continue;
        await store.remove(name).catch(() => left.push(name));
      }
      if (left.length === 0) await this.#claim.release(store);
    } catch {
      left.push(...ours.map(([name]) => name));
    }
    if (left.length === 0) return;
    const what = `what was written of the export stays in ${this.location} and could not be removed: ${left.join(', ')}`;
    this.#options.notice(`${what}; the next export to this place removes it`);
  }
}

/** An object that is sent while it is written. */
class StoredFile implements ExportFile {
  /** Once it is there. */
  stored: StoredObject | undefined;
  /** There was one already, which is not ours. */
  refused = false;
  readonly #name: string;
  readonly #pipe = new Pipe();
  readonly #hash = createHash('sha256');
  readonly #put: Promise<StoredObject>;
  #bytes = 0n;

  constructor(store: Store, name: string, expectedBytes: bigint | undefined) {
    this.#name = name;
    this.#put = store.put(name, this.#pipe, { ifAbsent: true, ...(expectedBytes === undefined ? {} : { expectedBytes }) });
    this.#put.then(
      (stored) => {
        this.stored = stored;
      },
      (error: unknown) => {
        this.refused = error instanceof TidemarkError && error.code === 'STORE_CONFLICT';
        this.#pipe.fail(error);
      },
    );
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    this.#bytes += BigInt(bytes.length);
    await this.#pipe.write(bytes);
  }

  async finish(): Promise<ExportedFile> {
    this.#pipe.end();
    const { bytes } = await this.#put;
    if (bytes !== this.#bytes) {
      throw new TidemarkError('STORE_ERROR', `read ${this.#name} back: it has ${bytes} bytes, ${this.#bytes} were written`, {
        hint: 'see the log of the store; it was removed',
      });
    }
    return { file: this.#name, bytes, sha256: this.#hash.digest('hex') };
  }

  fail(error: unknown): void {
    this.#pipe.fail(error);
  }

  async abandon(): Promise<void> {
    this.#pipe.fail(new Error('the export is given up'));
    await this.#put.catch(() => undefined);
  }
}
