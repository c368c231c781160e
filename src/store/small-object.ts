// Small objects, read and written whole: what a pointer or a record says, together with the version by which it can be replaced.
import { TidemarkError } from '../model/errors.js';
import type { PutOptions, Store, StoredObject } from './store.js';

export interface SmallObject extends StoredObject {
  readonly content: Buffer;
}

/** Undefined where there is no such object. What is replaced while it is read is read again.
 *  @param most bytes that it may have: it may be anybody's
 *  @throws TidemarkError STORE_ERROR for a larger one */
export async function readSmall(store: Store, key: string, most = 1 << 20): Promise<SmallObject | undefined> {
  for (let turn = 1; ; turn += 1) {
    const found = await store.stat(key);
    if (found === undefined) return undefined;
    if (found.bytes > BigInt(most)) {
      throw new TidemarkError(
        'STORE_ERROR',
        `read ${key} of ${store.location}: it has ${found.bytes} bytes, ${most} at most were expected`,
        {
          hint: 'it is not what it was taken for',
        },
      );
    }
    try {
      const chunks: Uint8Array[] = [];
      for await (const chunk of store.get(key, { version: found.version })) chunks.push(chunk);
      return { ...found, content: Buffer.concat(chunks) };
    } catch (error) {
      const isReplaced = error instanceof TidemarkError && ['STORE_CONFLICT', 'OBJECT_MISSING'].includes(error.code);
      if (!isReplaced || turn === 10) throw error;
    }
  }
}

/** Writes or replaces an object. @throws TidemarkError as `put` of the store */
export async function putSmall(
  store: Store,
  key: string,
  text: string,
  options: Pick<PutOptions, 'ifAbsent' | 'ifVersion'> = {},
): Promise<StoredObject> {
  const content = Buffer.from(text);
  return await store.put(key, once(content), { size: BigInt(content.length), ...options });
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Writes an object that may be there already, if it is the same. @throws TidemarkError STORE_CONFLICT for another one, and as `put` of the store */
export async function putOnce(
  store: Store,
  key: string,
  text: string,
  isSame: (found: string) => boolean = (found) => found === text,
): Promise<void> {
  try {
    await putSmall(store, key, text, { ifAbsent: true });
  } catch (error) {
    if (!(error instanceof TidemarkError) || error.code !== 'STORE_CONFLICT') throw error;
    const found = await readSmall(store, key);
    if (found === undefined || !isSame(found.content.toString('utf8'))) throw error;
  }
}
