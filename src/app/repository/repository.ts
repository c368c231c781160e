// The snapshots of a series in a store: which there are, what is known of each, and what may be done to them. A snapshot is an archive with
// a record of its verification beside it (layout.ts says where); an archive without one does not count, and is never removed. All that is
// known lies in the store: it may be emptied, copied elsewhere or filled by others at any time.
import { join } from 'node:path';
import { openArchive } from '../../archive/reader.js';
import { TidemarkError } from '../../model/errors.js';
import type { EventListener } from '../../model/events.js';
import type { OptionNames } from '../../model/option-names.js';
import type { DrillRecord, StoredSnapshot, UnknownSnapshot } from '../../model/stored-snapshot.js';
import { newestFirst } from '../../rules/order.js';
import { openStore, type StoreOptions } from '../../store/open-store.js';
import { putSmall, readSmall } from '../../store/small-object.js';
import type { Store, StoredObject } from '../../store/store.js';
import { locationOf, parseStoreUrl } from '../../store/store-url.js';
import { type OpenedArchive, openNamedArchive, openStored } from '../archive/open-bytes.js';
import { type Place, placeIn } from '../archive/place.js';
import { openSealed, type TrustOptions, trustOf, trustOptionNames } from '../seal/open-sealed.js';
import { requiredKeys } from '../seal/read-keys.js';
import { type VerifyReport, verifySealed } from '../seal/verify-sealed.js';
import { FactReader } from './facts.js';
import { latestKey, readLatest } from './latest.js';
import { type Layout, type LayoutName, layoutOf } from './layout.js';
import { drillText, readDrill, verificationOf, verificationText } from './records.js';

export interface RepositoryOptions extends TrustOptions {
  /** Where the snapshots are: a directory, made when something is written to it; `file:`, `s3://bucket/prefix`, `https://` (to be read only);
   *  or a store that was opened, and stays open. */
  readonly store: string | Store;
  /** What the names of its snapshots begin with. Several series may share a store. Default `snapshot`. */
  readonly prefix?: string;
  /** `flat`: `<prefix>-<height>.tar.zst`; `dated`: `<prefix>/<date>/snapshot.tar.zst`. Default `flat`. */
  readonly layout?: LayoutName;
  /** Path of the secret key that its snapshots are signed with: an archive that is found there without a record, and is not signed by it or, where
   *  `verifyKeys` are given, by one of these, does not count. Default: TIDEMARK_SIGN_KEY */
  readonly signKey?: string;
  /** For a store that is named: credentials and the like, which do not belong in its URL. */
  readonly storeOptions?: StoreOptions;
}

export const repositoryOptionNames: OptionNames<RepositoryOptions> = {
  store: true,
  prefix: true,
  layout: true,
  signKey: true,
  storeOptions: true,
  ...trustOptionNames,
};

export interface Listing {
  /** Newest first. */
  readonly snapshots: readonly StoredSnapshot[];
  readonly unknown: readonly UnknownSnapshot[];
}

/** What may be otherwise the next time, with the same archive: a bad sector, a signature that follows, another identity. */
const passing: ReadonlySet<string> = new Set(['FILE_ERROR', 'STORE_ERROR', 'SIGNATURE_MISSING', 'SIGNATURE_INVALID', 'IDENTITY_MISSING']);

/** Objects that are read at once. */
const readsAtOnce = 32;

export class Repository implements AsyncDisposable {
  /** For messages: a path, or a URL without secrets. */
  readonly location: string;
  /** The path, where the store is a directory that was named. */
  readonly directory: string | undefined;
  readonly prefix: string;
  readonly layout: Layout;
  readonly #open: () => Promise<Store>;
  /** Whose archives count, and what opens them. */
  readonly trust: TrustOptions;
  readonly #signKey: string | undefined;
  readonly #owned: boolean;
  #store: Promise<Store> | undefined;
  /** Archives that were found damaged: they are not read again at each look. */
  readonly #damaged = new Map<string, { readonly version: string; readonly problem: string }>();
  readonly #facts: FactReader;

  /** Nothing is read yet. @throws TidemarkError USAGE */
  constructor({ store, prefix = 'snapshot', layout = 'flat', storeOptions, signKey, ...options }: RepositoryOptions) {
    this.trust = trustOf(options);
    this.#signKey = signKey;
    this.layout = layoutOf(layout, prefix);
    this.#facts = new FactReader(this.layout);
    this.prefix = prefix;
    this.#owned = typeof store === 'string';
    if (typeof store === 'string') {
      const parsed = parseStoreUrl(store);
      this.location = locationOf(parsed);
      this.directory = parsed.kind === 'directory' ? parsed.path : undefined;
      this.#open = () => openStore(store, storeOptions);
    } else {
      this.location = store.location;
      this.#open = async () => store;
    }
  }

  /** @throws TidemarkError PACKAGE_MISSING, USAGE */
  async store(): Promise<Store> {
    this.#store ??= this.#open();
    try {
      return await this.#store;
    } catch (error) {
      this.#store = undefined;
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#owned || this.#store === undefined) return;
    await (await this.#store)[Symbol.asyncDispose]();
  }

  /** Where a new archive is going to lie. Its name is not known yet; each that it may get is in such a folder. */
  place(): Promise<Place> {
    return placeIn(this.location, this.layout.keyOf(`${this.layout.start}new`));
  }

  /** An archive, for reading: as it is now, another one of the same name is an error. Close it.
   *  @throws TidemarkError OBJECT_MISSING, STORE_ERROR, FILE_ERROR */
  async open({ key }: { readonly key: string }): Promise<OpenedArchive> {
    // A file of this machine is read by the threads that need it.
    if (this.directory !== undefined) return await openNamedArchive(join(this.directory, key));
    return await openStored(await this.store(), key);
  }

  /** All snapshots, and what has their names and does not count. A store that is not there has none. Of one that has no lists, the one that
   *  its `latest.json` points to. @throws TidemarkError FILE_ERROR, STORE_ERROR */
  async list(): Promise<Listing> {
    const store = await this.store();
    const objects = await this.#objects();
    const keys = [...objects.keys()].filter((key) => this.layout.parse(key) !== undefined);
    const problemOf = ({ key, version }: StoredObject): string | undefined => {
      const damaged = this.#damaged.get(key);
      return damaged?.version === version ? damaged.problem : undefined;
    };
    const listed = { store, objects, problemOf };
    const found: (StoredSnapshot | UnknownSnapshot)[] = [];
    for (let at = 0; at < keys.length; at += readsAtOnce) {
      const some = await Promise.all(keys.slice(at, at + readsAtOnce).map((key) => this.#facts.look(key, listed)));
      found.push(...some.flatMap((one) => one ?? []));
    }
    return {
      snapshots: newestFirst(found.filter((one) => 'verification' in one)),
      unknown: found.filter((one) => 'problem' in one),
    };
  }

  /** The newest snapshot that counts, by its recorded position. @throws TidemarkError FILE_ERROR, STORE_ERROR */
  async newestGood(): Promise<StoredSnapshot | undefined> {
    return (await this.list()).snapshots[0];
  }

  /** One snapshot by its id, or by the key of its archive. @throws TidemarkError USAGE where there is none */
  async find(name: string): Promise<StoredSnapshot> {
    const { snapshots, unknown } = await this.list();
    const found = snapshots.find(({ id, key }) => id === name || key === name);
    if (found) return found;
    const bad = unknown.find(({ id, key }) => id === name || key === name);
    throw new TidemarkError('USAGE', `find snapshot ${name} in ${this.location}: ${bad ? bad.problem : 'there is none of that name'}`, {
      hint: bad ? 'tidemark verify tells what is wrong with it' : `tidemark list shows those whose names begin with ${this.layout.start}`,
    });
  }

  /** Verifies every byte of the archives that nothing is known of, and records what was found right. Only for who holds the lock: another
   *  process may be about to record the same. @returns those that do not count */
  async verifyUnknown({
    onEvent,
    signal,
  }: {
    readonly onEvent?: EventListener;
    readonly signal?: AbortSignal;
  } = {}): Promise<readonly UnknownSnapshot[]> {
    const { unknown } = await this.list();
    const store = await this.store();
    if (!store.writable || unknown.length === 0) return unknown;
    const trust = await this.#required();
    const bad: UnknownSnapshot[] = [];
    for (const archive of unknown) {
      const version = (await store.stat(archive.key))?.version;
      if (version === undefined) continue;
      const known = this.#damaged.get(archive.key)?.version === version;
      const options = { version, trust, ...(onEvent && { onEvent }), ...(signal && { signal }) };
      const problem = known ? archive.problem : await this.#verify(archive, options);
      if (problem !== undefined) bad.push({ ...archive, problem });
    }
    return bad;
  }

  /** Removes what writers of the series have left that were killed, a day ago or more. Archives that a scheduler was writing are its
   *  successor's business (take-over.ts). @throws TidemarkError FILE_ERROR, STORE_ERROR */
  async clearUp(olderThanMs?: number): Promise<void> {
    const store = await this.store();
    const options = olderThanMs === undefined ? {} : { olderThanMs };
    if (!store.writable) return;
    // The pointer lies above the folders of a series.
    for (const prefix of [this.layout.start, ...(this.layout.start.includes('/') ? [latestKey] : [])]) {
      await store.cleanUp({ prefix, ...options });
    }
  }

  /** Keeps a snapshot whatever the policy says. @throws TidemarkError FILE_ERROR, STORE_ERROR */
  async pin({ key }: StoredSnapshot, note = ''): Promise<void> {
    await this.#write(this.layout.beside(key).pin, note === '' ? '' : `${note}\n`);
  }

  /** Takes that back. @throws TidemarkError FILE_ERROR, STORE_ERROR */
  async unpin({ key }: StoredSnapshot): Promise<void> {
    await (await this.store()).remove(this.layout.beside(key).pin);
  }

  /** Into a store that can only be read, nothing is recorded. @throws TidemarkError FILE_ERROR, DISK_FULL, STORE_ERROR */
  async recordDrill({ key }: StoredSnapshot, drill: DrillRecord): Promise<void> {
    if (!(await this.store()).writable) return;
    await this.#write(this.layout.beside(key).drill, drillText(drill));
    await this.#write(this.layout.lastDrill, drillText(drill));
  }

  /** What the newest drill found, also where its snapshot is gone by now. @throws TidemarkError FILE_ERROR, STORE_ERROR */
  async lastDrill(): Promise<DrillRecord | undefined> {
    return readDrill(await this.#text(this.layout.lastDrill));
  }

  /** Makes a snapshot that was found damaged one that does not count, until it is verified again. @throws TidemarkError FILE_ERROR, STORE_ERROR */
  async doubt({ key }: StoredSnapshot): Promise<void> {
    await (await this.store()).remove(this.layout.beside(key).verified);
  }

  /** Removes a snapshot. First what makes it count, and the archive last: whatever a crash leaves is seen again.
   *  @throws TidemarkError USAGE for a pinned one, FILE_ERROR, STORE_ERROR */
  async remove({ id, key }: StoredSnapshot): Promise<void> {
    const store = await this.store();
    const { pin, verified, manifest, signature, checksum, drill } = this.layout.beside(key);
    if ((await store.stat(pin)) !== undefined) {
      throw new TidemarkError('USAGE', `remove snapshot ${id}: it is pinned`, { hint: 'unpin it first' });
    }
    for (const one of [manifest, signature, checksum, drill, verified, key]) await store.remove(one);
  }

  /** Whether it may be pointed to: where signatures are asked for, one of these keys has signed it, and it is there. Of one that is encrypted, where
   *  there is no identity, only whether there is a signature is known. @throws TidemarkError KEY_INVALID, STORE_ERROR, FILE_ERROR */
  async isSigned(snapshot: StoredSnapshot): Promise<boolean> {
    const trust = await this.#required();
    if (trust.verifyKeys === undefined) return true;
    try {
      const opened = await openSealed(await this.open(snapshot), trust);
      await (await openArchive(opened.bytes, opened)).close();
      return true;
    } catch (error) {
      if (!(error instanceof TidemarkError)) throw error;
      const { code } = error;
      if (code === 'IDENTITY_MISSING') return (await (await this.store()).stat(this.layout.beside(snapshot.key).signature)) !== undefined;
      if (code.startsWith('SIGNATURE_') || code.startsWith('ARCHIVE_') || code === 'OBJECT_MISSING') return false;
      throw error;
    }
  }

  async #required(): Promise<TrustOptions> {
    const verifyKeys = await requiredKeys({ verifyKeys: this.trust.verifyKeys, signKey: this.#signKey });
    return { ...this.trust, ...(verifyKeys && { verifyKeys }) };
  }

  async #objects(): Promise<ReadonlyMap<string, StoredObject>> {
    const store = await this.store();
    const objects = new Map<string, StoredObject>();
    if (store.writable) {
      for await (const object of store.list(this.layout.start)) objects.set(object.key, object);
      return objects;
    }
    const latest = await readLatest(store);
    const newest = Object.hasOwn(latest, this.prefix) ? latest[this.prefix] : undefined;
    if (newest === undefined) return objects;
    for (const key of [newest.archive, this.layout.beside(newest.archive).verified]) {
      const object = await store.stat(key);
      if (object) objects.set(key, object);
    }
    return objects;
  }

  async #text(key: string): Promise<string | undefined> {
    return (await readSmall(await this.store(), key))?.content.toString('utf8');
  }

  async #write(key: string, text: string): Promise<void> {
    await putSmall(await this.store(), key, text);
  }

  /** @returns what is wrong */
  async #verify(
    { key }: UnknownSnapshot,
    {
      version,
      trust,
      ...options
    }: { readonly version: string; readonly trust: TrustOptions; readonly onEvent?: EventListener; readonly signal?: AbortSignal },
  ): Promise<string | undefined> {
    let report: VerifyReport;
    try {
      report = await verifySealed(await openSealed(await this.open({ key }), trust), options);
    } catch (error) {
      if (!(error instanceof TidemarkError)) throw error;
      // One that cannot be read (somebody else's, or on a bad sector) does not keep others from being taken. The next time it may be readable.
      if (passing.has(error.code)) return error.message;
      // It was let go of meanwhile.
      if (error.code === 'OBJECT_MISSING') return undefined;
      if (!error.code.startsWith('ARCHIVE_')) throw error;
      this.#damaged.set(key, { version, problem: error.message });
      return error.message;
    }
    const { sha256, bytes, manifest } = report;
    try {
      await this.#write(this.layout.beside(key).verified, verificationText(verificationOf(manifest, { sha256, bytes })));
    } catch (error) {
      // Who may only read there does without it.
      if (!(error instanceof TidemarkError) || !passing.has(error.code)) throw error;
      return `it is right, but that could not be recorded: ${error.message}`;
    }
    return undefined;
  }
}
