// What is known of an archive that a listing of the store has: its record, its pin, its drill, and whether those that hold a part of it are there.
import type { StoredSnapshot, UnknownSnapshot, Verification } from '../../model/stored-snapshot.js';
import { readSmall } from '../../store/small-object.js';
import type { Store, StoredObject } from '../../store/store.js';
import type { Layout } from './layout.js';
import { isThere, keyOfOther } from './others.js';
import { readDrill, readVerification } from './records.js';

export interface Listed {
  readonly store: Store;
  /** Of the series, by their keys. */
  readonly objects: ReadonlyMap<string, StoredObject>;
  /** What was found wrong with an archive, in this process. */
  problemOf(archive: StoredObject): string | undefined;
}

export class FactReader {
  readonly #layout: Layout;
  /** Records by archive: among thousands of snapshots only what is new is read at each look. */
  readonly #records = new Map<string, { readonly version: string; readonly verification: Verification }>();

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  /** Undefined for what is no archive of the series. @throws TidemarkError FILE_ERROR, STORE_ERROR */
  async look(key: string, { store, objects, problemOf }: Listed): Promise<StoredSnapshot | UnknownSnapshot | undefined> {
    const id = this.#layout.parse(key);
    const archive = objects.get(key);
    if (archive === undefined || id === undefined) return undefined;
    const { bytes } = archive;
    const beside = this.#layout.beside(key);
    const text = async (name: string): Promise<string | undefined> => (objects.has(name) ? await textOf(store, name) : undefined);
    const verification = await this.#recordOf(store, archive, objects.get(beside.verified));
    if (verification === undefined) return { id, key, bytes, problem: problemOf(archive) ?? 'it has not been verified yet' };
    if (verification.bytes !== bytes) {
      return { id, key, bytes, problem: `it has ${bytes} bytes, and had ${verification.bytes} when it was verified` };
    }
    for (const other of othersOf(key, verification)) {
      if (objects.has(other) || (await isThere(store, other))) continue;
      return { id, key, bytes, problem: `a part of its rows is in ${other}, which is not there` };
    }
    const pinned = (await text(beside.pin))?.trim();
    const drill = readDrill(await text(beside.drill));
    return {
      ...snapshotOf(this.#layout, { id, key }, verification),
      ...(pinned === undefined ? {} : { pinned }),
      ...(drill === undefined ? {} : { drill }),
    };
  }

  async #recordOf(store: Store, archive: StoredObject, record: StoredObject | undefined): Promise<Verification | undefined> {
    if (record === undefined) return undefined;
    const { key } = archive;
    const version = `${archive.version}, ${record.version}`;
    const known = this.#records.get(key);
    if (known?.version === version) return known.verification;
    const verification = readVerification(await textOf(store, record.key));
    if (verification === undefined) this.#records.delete(key);
    else this.#records.set(key, { version, verification });
    return verification;
  }
}

/** A snapshot as its record describes it. */
export function snapshotOf(
  layout: Layout,
  { id, key }: { readonly id: string; readonly key: string },
  verification: Verification,
): StoredSnapshot {
  const { position, system, bytes } = verification;
  const others = othersOf(key, verification);
  const refersTo = others.flatMap((other) => layout.parse(other) ?? []);
  return {
    id,
    key,
    good: true,
    position,
    ...(system === null ? {} : { system }),
    bytes,
    verification,
    ...(others.length === 0 ? {} : { refersTo }),
  };
}

/** Keys of the archives that hold a part of it. */
function othersOf(key: string, { others = [] }: Verification): readonly string[] {
  return others.map((file) => keyOfOther(key, file));
}

async function textOf(store: Store, key: string): Promise<string | undefined> {
  return (await readSmall(store, key))?.content.toString('utf8');
}
