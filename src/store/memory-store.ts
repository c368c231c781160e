// A store in memory: for tests, and for trying things out. It keeps what is written as long as the process lives.
import { checkedSource } from './checked-source.js';
import { checkKey, checkPrefix } from './key.js';
import type { GetOptions, PutOptions, Store, StoredObject } from './store.js';
import { changed, checkConditions, missing, outOfRange, writeConflict } from './store-errors.js';

interface Kept {
  readonly content: Uint8Array;
  readonly version: string;
  readonly modifiedAt: Date;
}

export class MemoryStore implements Store {
  readonly location = 'memory';
  readonly writable = true;
  readonly #objects = new Map<string, Kept>();
  #writes = 0;

  async *list(prefix = ''): AsyncGenerator<StoredObject, void> {
    checkPrefix(prefix);
    for (const [key, kept] of [...this.#objects]) if (key.startsWith(prefix)) yield described(key, kept);
  }

  async stat(key: string): Promise<StoredObject | undefined> {
    checkKey(key);
    const kept = this.#objects.get(key);
    return kept && described(key, kept);
  }

  async *get(key: string, { range, version }: GetOptions = {}): AsyncGenerator<Uint8Array, void> {
    checkKey(key);
    const kept = this.#objects.get(key);
    if (kept === undefined) throw missing(this.location, key);
    if (version !== undefined && kept.version !== version) throw changed(this.location, key);
    const { from, bytes } = range ?? { from: 0n, bytes: BigInt(kept.content.length) };
    if (from + bytes > BigInt(kept.content.length)) throw outOfRange(this.location, key, BigInt(kept.content.length));
    if (bytes > 0n) yield kept.content.slice(Number(from), Number(from + bytes));
  }

  async put(key: string, source: AsyncIterable<Uint8Array>, options: PutOptions = {}): Promise<StoredObject> {
    checkKey(key);
    checkConditions(options);
    this.#check(key, options);
    const chunks: Buffer[] = [];
    for await (const chunk of checkedSource(source, `${key} of ${this.location}`, options)) chunks.push(Buffer.from(chunk));
    this.#check(key, options);
    this.#writes += 1;
    const kept = { content: Buffer.concat(chunks), version: String(this.#writes), modifiedAt: new Date() };
    this.#objects.set(key, kept);
    return described(key, kept);
  }

  async remove(key: string): Promise<void> {
    checkKey(key);
    this.#objects.delete(key);
  }

  async cleanUp(): Promise<number> {
    return 0;
  }

  async free(): Promise<undefined> {}

  async [Symbol.asyncDispose](): Promise<void> {}

  #check(key: string, options: PutOptions): void {
    const found = this.#objects.get(key);
    const wrong = options.ifAbsent ? found !== undefined : options.ifVersion !== undefined && found?.version !== options.ifVersion;
    if (wrong) throw writeConflict(this.location, key, options);
  }
}

function described(key: string, { content, version, modifiedAt }: Kept): StoredObject {
  return { key, bytes: BigInt(content.length), version, modifiedAt };
}
