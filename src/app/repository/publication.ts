// One snapshot on its way into a store that is no directory of ours alone: its name is reserved, its bytes are sent, what is beside it follows,
// then `latest.json`, and the record by which it counts comes last. Disposed of before that, what was written is removed; where the process
// is killed, an archive stays that does not count.
import { TidemarkError } from '../../model/errors.js';
import type { Manifest } from '../../model/manifest.js';
import type { Position } from '../../model/position.js';
import type { Verification } from '../../model/stored-snapshot.js';
import { putSmall } from '../../store/small-object.js';
import type { PutOptions, Store } from '../../store/store.js';
import type { TextsBeside } from '../seal/seal-archive.js';
import { advanceLatest, checkLatest, readLatest } from './latest.js';
import type { Layout } from './layout.js';
import { pointerTo, textsBeside } from './output.js';
import type { Repository } from './repository.js';
import { reserve } from './reserve.js';

export interface PublishedTexts {
  readonly manifest: Manifest;
  /** What lies beside it. */
  readonly texts: TextsBeside;
  readonly record: Verification;
}

export class StorePublication implements AsyncDisposable {
  readonly store: Store;
  readonly id: string;
  readonly key: string;
  readonly #layout: Layout;
  readonly #series: string;
  readonly #token: bigint | undefined;
  /** In the order of being written. */
  readonly #written: string[];
  #put: Promise<unknown> = Promise.resolve();
  #isPublished = false;

  private constructor(
    store: Store,
    { layout, prefix }: Repository,
    { id, token, encrypted }: { readonly id: string; readonly token?: bigint | undefined; readonly encrypted: boolean },
  ) {
    this.store = store;
    this.id = id;
    this.key = layout.keyOf(id, encrypted);
    this.#layout = layout;
    this.#series = prefix;
    this.#token = token;
    this.#written = [layout.beside(this.key).writing];
  }

  /** Reserves a name. @param options token: of the writer that took the series over; without one, it is somebody who adds a snapshot beside it
   *  @throws TidemarkError STORE_ERROR, FILE_ERROR, LOCK_LOST where another process has taken over */
  static async begin(
    repository: Repository,
    position: Position,
    { token, encrypted }: { readonly token?: bigint | undefined; readonly encrypted: boolean },
  ): Promise<StorePublication> {
    const store = await repository.store();
    const id = await reserve({ store, layout: repository.layout }, position, token);
    return new StorePublication(store, repository, { id, token, encrypted });
  }

  get isPublished(): boolean {
    return this.#isPublished;
  }

  /** @throws TidemarkError LOCK_LOST where another process has taken over since */
  async check(): Promise<void> {
    await checkWriter(this.store, this.#series, this.#token);
  }

  /** Sends the archive. Nothing of that name is replaced. @throws TidemarkError as the store's `put` */
  async put(source: AsyncIterable<Uint8Array>, options: Omit<PutOptions, 'ifAbsent' | 'ifVersion'>): Promise<void> {
    const put = this.store.put(this.key, source, { ...options, ifAbsent: true });
    this.#put = put.then(
      () => this.#written.push(this.key),
      () => undefined,
    );
    await put;
    await this.#put;
  }

  /** After the archive was sent, and what is there was found right.
   *  @throws TidemarkError LOCK_LOST where another process has taken over, STORE_ERROR, FILE_ERROR */
  async publish({ manifest, texts, record }: PublishedTexts): Promise<void> {
    const beside = this.#layout.beside(this.key);
    await this.check();
    for (const [what, text] of textsBeside(texts, record)) {
      if (what === 'verified') {
        const snapshot = pointerTo({ layout: this.#layout, id: this.id, key: this.key }, { manifest, archive: record });
        await advanceLatest(this.store, { series: this.#series, snapshot, token: this.#token });
        this.#isPublished = true;
      }
      await putSmall(this.store, beside[what], text, { ifAbsent: true });
      this.#written.push(beside[what]);
    }
    await this.store.remove(beside.writing);
  }

  /** Waits for a `put` that is under way, which its source has to end. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#put;
    if (this.#isPublished) return;
    // Who has taken over since may have verified the archive, and count on it.
    const mine = await this.check().then(yes, no);
    if (!mine) return;
    // In the reverse order, so that nothing ever counts that is not whole.
    for (const key of this.#written.toReversed()) await this.store.remove(key).catch(() => undefined);
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

const yes = (): boolean => true;
const no = (): boolean => false;
