// A name for a snapshot that is about to be sent to a store: an upload cannot be given another one at its end. The marker beside it tells
// others to take the next name; it goes when the snapshot is there, or given up.
import { TidemarkError } from '../../model/errors.js';
import type { Position } from '../../model/position.js';
import { putSmall } from '../../store/small-object.js';
import type { Store } from '../../store/store.js';
import { keysOf, type Layout } from './layout.js';
import { forget, isAbandoned, type Marker, markerText, newMarker, readMarker } from './marker.js';

export interface Reservation {
  readonly id: string;
  readonly marker: Marker;
}

interface Place {
  readonly store: Store;
  readonly layout: Layout;
}

/** Takes the first name for a snapshot of this position that nobody has. */
export async function reserve({ store, layout }: Place, position: Position, token?: bigint): Promise<Reservation> {
  const marker = newMarker(token);
  for (let turn = 1; ; turn += 1) {
    const id = layout.idFor(position, turn);
    const archives = [layout.keyOf(id), layout.keyOf(id, true)];
    const { writing } = layout.beside(layout.keyOf(id));
    try {
      if (await isAny(store, keysOf(layout, id))) continue;
      await putSmall(store, writing, markerText(marker), { ifAbsent: true });
      // Somebody may have come to an end, and removed the marker, since the name was looked at.
      if (!(await isAny(store, archives))) return { id, marker };
      await store.remove(writing);
    } catch (error) {
      if (error instanceof TidemarkError && error.code === 'STORE_CONFLICT') continue;
      // It may have been written all the same.
      await release(store, writing, marker).catch(() => undefined);
      forget(marker);
      throw error;
    }
  }
}

async function isAny(store: Store, keys: readonly string[]): Promise<boolean> {
  const found = await Promise.all(keys.map((key) => store.stat(key)));
  return found.some((one) => one !== undefined);
}

/** Whether a name is still reserved by this marker. @throws TidemarkError STORE_ERROR, FILE_ERROR */
export async function isReserved(store: Store, writing: string, { write }: Marker): Promise<boolean> {
  return (await readMarker(store, writing))?.write === write;
}

/** Removes a marker, unless it is somebody else's. @throws TidemarkError STORE_ERROR, FILE_ERROR */
export async function release(store: Store, writing: string, marker: Marker): Promise<void> {
  if (await isReserved(store, writing, marker)) await store.remove(writing);
}

/** Removes what writers of the series left that are no more: those with a smaller token, those whose process has ended, and those of more
 *  than a day ago. An archive that is there stays: it may be whole.
 *  @param token of who has taken the series over, in a store where that is told by tokens */
export async function clearReservations({ store, layout }: Place, token?: bigint): Promise<void> {
  const found = [];
  for await (const { key, modifiedAt } of store.list(layout.start)) {
    const archive = layout.archiveOf(key);
    // The names of another series may begin with this one's.
    const id = archive && layout.parse(archive);
    if (archive !== undefined && id !== undefined) found.push({ key, archive, id, modifiedAt });
  }
  for (const { key, archive, id, modifiedAt } of found) {
    if (!isAbandoned(await readMarker(store, key), { modifiedAt, token })) continue;
    await store.cleanUp({ prefix: archive, olderThanMs: 0 });
    const archives = [layout.keyOf(id), layout.keyOf(id, true)];
    if (!(await isAny(store, archives))) for (const one of archives) await removeBeside({ store, layout }, one);
    await store.remove(key);
  }
}

/** Removes what was written beside an archive when it was published. First what makes it count. @throws TidemarkError STORE_ERROR, FILE_ERROR */
export async function removeBeside({ store, layout }: Place, archive: string): Promise<void> {
  const { verified, manifest, signature, checksum } = layout.beside(archive);
  for (const key of [verified, manifest, signature, checksum]) await store.remove(key);
}
