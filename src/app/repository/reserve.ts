// A name for a snapshot that is about to be sent to a store: an upload cannot be given another one at its end. The marker beside it tells
// others to take the next name; it goes when the snapshot is there, or given up.
import { hostname } from 'node:os';
import { z } from 'zod';
import { decimal, instant } from '../../archive/json-types.js';
import { TidemarkError } from '../../model/errors.js';
import type { Position } from '../../model/position.js';
import { putSmall, readSmall } from '../../store/small-object.js';
import { aDayMs, type Store } from '../../store/store.js';
import { keysOf, type Layout } from './layout.js';

interface Marker {
  readonly host: string;
  readonly process: number;
  readonly at: Date;
  /** Of the series' writer (latest.ts); absent for who adds a snapshot beside it. */
  readonly token?: bigint;
}

const schema: z.ZodType<Marker> = z.object({ host: z.string(), process: z.int(), at: instant, token: decimal.exactOptional() });

/** Takes the first name for a snapshot of this position that nobody has. @returns its id */
export async function reserve(
  { store, layout }: { readonly store: Store; readonly layout: Layout },
  position: Position,
  token?: bigint,
): Promise<string> {
  for (let turn = 1; ; turn += 1) {
    const id = layout.idFor(position, turn);
    const key = layout.keyOf(id);
    const keys = layout.beside(key);
    const taken = await Promise.all(keysOf(layout, id).map((name) => store.stat(name)));
    if (taken.some((found) => found !== undefined)) continue;
    const marker = { host: hostname(), process: process.pid, at: new Date(), ...(token === undefined ? {} : { token }) };
    try {
      await putSmall(store, keys.writing, `${JSON.stringify(z.encode(schema, marker))}\n`, { ifAbsent: true });
    } catch (error) {
      if (error instanceof TidemarkError && error.code === 'STORE_CONFLICT') continue;
      throw error;
    }
    // Somebody may have come to an end, and removed the marker, since the name was looked at.
    const there = await Promise.all([store.stat(key), store.stat(layout.keyOf(id, true))]);
    if (there.every((found) => found === undefined)) return id;
    await store.remove(keys.writing);
  }
}

/** Removes what writers of the series left that are no more: those with a smaller token, and those of more than a day ago.
 *  @param token of who has taken the series over */
export async function clearReservations(
  { store, layout }: { readonly store: Store; readonly layout: Layout },
  token: bigint,
): Promise<void> {
  const found = [];
  for await (const { key, modifiedAt } of store.list(layout.start)) {
    const archive = layout.archiveOf(key);
    if (archive !== undefined) found.push({ key, archive, modifiedAt });
  }
  for (const { key, archive, modifiedAt } of found) {
    const marker = read((await readSmall(store, key))?.content.toString('utf8'));
    const overtaken = marker?.token !== undefined && marker.token < token;
    const at = marker?.at ?? modifiedAt ?? new Date();
    if (!overtaken && Date.now() - at.getTime() < aDayMs) continue;
    await store.cleanUp({ prefix: archive, olderThanMs: 0 });
    await store.remove(key);
  }
}

function read(text: string | undefined): Marker | undefined {
  if (text === undefined) return undefined;
  try {
    return schema.safeDecode(JSON.parse(text) as never).data;
  } catch {
    return undefined;
  }
}
