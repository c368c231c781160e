// The bytes of an object in a store. Which version it is, is settled when it is opened: an object that is replaced meanwhile is an error,
// never a mixture of two. Connections that break are the store's business.
import { cutShort, type Seekable } from '../../frame/seekable.js';
import { TidemarkError } from '../../model/errors.js';
import type { Store } from '../../store/store.js';

export interface StoreBytesOptions {
  /** What messages call it. Default: where the store is, and the key. */
  readonly name?: string;
  /** Closes the store with the bytes. */
  readonly ownsStore?: boolean;
}

export class StoreBytes implements Seekable {
  readonly name: string;
  readonly size: bigint;
  /** As the store has it. */
  readonly version: string;
  readonly #store: Store;
  readonly #key: string;
  readonly #ownsStore: boolean;

  private constructor(
    store: Store,
    key: string,
    found: { readonly name: string; readonly size: bigint; readonly version: string; readonly ownsStore: boolean },
  ) {
    this.name = found.name;
    this.size = found.size;
    this.version = found.version;
    this.#ownsStore = found.ownsStore;
    this.#store = store;
    this.#key = key;
  }

  /** @throws TidemarkError OBJECT_MISSING, STORE_ERROR; the store is left open then */
  static async open(
    store: Store,
    key: string,
    { name = shownKey(store, key), ownsStore = false }: StoreBytesOptions = {},
  ): Promise<StoreBytes> {
    const found = await store.stat(key);
    if (found === undefined) {
      throw new TidemarkError('OBJECT_MISSING', `open ${name}: there is no such object`, {
        hint: 'look whether the name is right; it may have been removed meanwhile',
        details: { key },
      });
    }
    return new StoreBytes(store, key, { name, size: found.bytes, version: found.version, ownsStore });
  }

  async read(offset: bigint, length: number): Promise<Buffer> {
    // Of its own, never a slice of the pool: it may be handed to another thread.
    const buffer = Buffer.allocUnsafeSlow(length);
    let filled = 0;
    for await (const piece of this.stream(offset, BigInt(length))) {
      buffer.set(piece, filled);
      filled += piece.length;
    }
    if (filled !== length) throw cutShort(this.name, { offset, got: filled, of: length });
    return buffer;
  }

  async *stream(offset: bigint, length: bigint): AsyncGenerator<Buffer> {
    if (offset + length > this.size) throw cutShort(this.name, { offset, got: Number(this.size - offset), of: Number(length) });
    for await (const piece of this.#store.get(this.#key, { range: { from: offset, bytes: length }, version: this.version })) {
      yield Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ownsStore) await this.#store[Symbol.asyncDispose]();
  }
}

/** The settings of a store in S3 stand at the end of its URL. */
function shownKey({ location }: Store, key: string): string {
  const [place = '', settings] = location.startsWith('s3:') ? location.split('?') : [location];
  return `${place}/${key}${settings === undefined ? '' : `?${settings}`}`;
}
