// One snapshot on its way into a store that is no directory of ours alone: its name is reserved, its bytes are sent, what is beside it follows,
// then `latest.json`, and the record by which it counts comes last. Disposed of before that, what was written is removed; where that cannot be,
// as the process was killed or the store does not answer, an archive stays that does not count.
import { TidemarkError } from '../../model/errors.js';
import type { Manifest } from '../../model/manifest.js';
import type { Position } from '../../model/position.js';
import type { StoredSnapshot, Verification } from '../../model/stored-snapshot.js';
import { putOnce } from '../../store/small-object.js';
import type { PutOptions, Store, WrittenObject } from '../../store/store.js';
import type { TextsBeside } from '../seal/seal-archive.js';
import { snapshotOf } from './facts.js';
import { advanceLatest, checkLatest, own, readLatest } from './latest.js';
import type { Layout } from './layout.js';
import { forget, type Marker } from './marker.js';
import { refuseWithoutOthers } from './others.js';
import { pointerTo, textsBeside } from './output.js';
import { readVerification } from './records.js';
import type { Repository } from './repository.js';
import { isReserved, type Reservation, release, removeBeside, reserve } from './reserve.js';

export interface PublishedTexts {
  readonly manifest: Manifest;
  /** What lies beside it. */
  readonly texts: TextsBeside;
  readonly record: Verification;
}

export interface Published {
  readonly snapshot: StoredSnapshot;
  /** Whether `latest.json` points to it. */
  readonly latest: boolean;
}

export class StorePublication implements AsyncDisposable {
  readonly store: Store;
  readonly key: string;
  readonly #id: string;
  readonly #marker: Marker;
  readonly #layout: Layout;
  readonly #series: string;
  readonly #token: bigint | undefined;
  #put: Promise<unknown> = Promise.resolve();
  /** Something of an upload may be there. */
  #isUnsent = false;
  /** Not ours is what somebody has put under the name who does not mind markers. */
  #isForeign = false;
  /** `latest.json` may point to it. */
  #isPointedTo = false;
  #isPublished = false;
  #isSigned = false;

  private constructor(
    store: Store,
    { layout, prefix }: Repository,
    { id, marker, token, encrypted }: Reservation & { readonly token?: bigint | undefined; readonly encrypted: boolean },
  ) {
    this.store = store;
    this.key = layout.keyOf(id, encrypted);
    this.#id = id;
    this.#marker = marker;
    this.#layout = layout;
    this.#series = prefix;
    this.#token = token;
  }

  /** Reserves a name. @param options token: of the writer that took the series over; without one, it is somebody who adds a snapshot beside it
   *  @throws TidemarkError STORE_ERROR, FILE_ERROR, LOCK_LOST where another process has taken over */
  static async begin(
    repository: Repository,
    position: Position,
    { token, encrypted }: { readonly token?: bigint | undefined; readonly encrypted: boolean },
  ): Promise<StorePublication> {
    const store = await repository.store();
    const reserved = await reserve({ store, layout: repository.layout }, position, token);
    return new StorePublication(store, repository, { ...reserved, token, encrypted });
  }

  /** @throws TidemarkError LOCK_LOST where another process has taken over since */
  async check(): Promise<void> {
    await checkWriter(this.store, this.#series, this.#token);
  }

  /** Writes the signature, where there is one. Before the end of the archive is sent: whenever a process is killed, there is no archive of it
   *  without its signature. @throws TidemarkError LOCK_LOST where another process has taken over since, STORE_ERROR, FILE_ERROR */
  async sign(signature: string | undefined): Promise<void> {
    if (signature === undefined) return;
    await this.check();
    await putOnce(this.store, this.#layout.beside(this.key).signature, signature);
    this.#isSigned = true;
  }

  /** Sends the archive. Nothing of that name is replaced. @throws TidemarkError as the store's `put` */
  async put(source: AsyncIterable<Uint8Array>, options: Omit<PutOptions, 'ifAbsent' | 'ifVersion'>): Promise<WrittenObject> {
    const put = this.store.put(this.key, source, { ...options, ifAbsent: true });
    this.#put = put.catch((error: unknown) => {
      this.#isUnsent = true;
      this.#isForeign = error instanceof TidemarkError && error.code === 'STORE_CONFLICT';
    });
    return await put;
  }

  /** After the archive was sent, and what is there was found right. Asks for nothing after it counts: who is told of a failure may take it
   *  that it does not. @throws TidemarkError LOCK_LOST where another process has taken over, STORE_ERROR, FILE_ERROR */
  async publish({ manifest, texts, record }: PublishedTexts): Promise<Published> {
    const { store } = this;
    const beside = this.#layout.beside(this.key);
    let latest = false;
    await this.check();
    await refuseWithoutOthers(store, this.key, manifest);
    for (const [what, text] of textsBeside(texts, record)) {
      if (what === 'signature' && this.#isSigned) continue;
      if (what === 'verified') {
        const snapshot = pointerTo({ layout: this.#layout, id: this.#id, key: this.key }, { manifest, archive: record });
        this.#isPointedTo = true;
        latest = await advanceLatest(store, { series: this.#series, snapshot, token: this.#token });
      }
      const isSame = (found: string) => (what === 'verified' ? readVerification(found)?.sha256 === record.sha256 : found === text);
      await putOnce(store, beside[what], text, isSame);
    }
    this.#isPublished = true;
    return { snapshot: snapshotOf(this.#layout, { id: this.#id, key: this.key }, record), latest };
  }

  /** Waits for a `put` that is under way, which its source has to end. What cannot be done now is left to the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#put;
    const { writing } = this.#layout.beside(this.key);
    try {
      if (!this.#isPublished) await this.#takeBack(writing);
      await release(this.store, writing, this.#marker);
    } catch (error) {
      if (!(error instanceof TidemarkError)) throw error;
    } finally {
      forget(this.#marker);
    }
  }

  /** Removes what was written, in the reverse order, so that nothing ever counts that is not whole. */
  async #takeBack(writing: string): Promise<void> {
    const { store } = this;
    // Who has taken over since may have verified the archive, and count on it; and another may have the name by now.
    await this.check();
    if (!(await isReserved(store, writing, this.#marker))) return;
    if (this.#isPointedTo && own(await readLatest(store), this.#series)?.archive === this.key) return;
    await removeBeside({ store, layout: this.#layout }, this.key);
    if (!this.#isForeign) await store.remove(this.key);
    if (this.#isUnsent) await store.cleanUp({ prefix: this.key, olderThanMs: 0 });
  }
}

/** Before the work: a store that cannot be written, and what is not ours under the name of `latest.json`, are found then.
 *  @throws TidemarkError USAGE, LOCK_LOST, STORE_ERROR, FILE_ERROR */
export async function checkWriter(store: Store, series: string, token: bigint | undefined): Promise<void> {
  if (!store.writable) {
    throw new TidemarkError('USAGE', `publish ${series} in ${store.location}: HTTPS is for reading`, {
      hint: 'publish in the place that it is served from',
    });
  }
  if (token === undefined) await readLatest(store);
  else await checkLatest(store, { series, token });
}
