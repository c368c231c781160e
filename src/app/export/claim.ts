// Who writes an export into a store. A marker there says so, with the names of all files that are to come, before the first of them is written: what an
// export that was killed has left can be told from everything else, and goes when the place is exported to again. Of several that want a place
// one gets it; one that was taken for dead finds that its marker is another's, and publishes nothing.
import * as z from 'zod';
import { exportManifestFile, exportMarkerFile } from '../../archive/export-names.js';
import { TidemarkError } from '../../model/errors.js';
import { printable } from '../../model/printable.js';
import { putSmall, readSmall } from '../../store/small-object.js';
import type { Store } from '../../store/store.js';
import { forget, isAbandoned, type Marker, markerRecord, newMarker } from '../repository/marker.js';

interface Claim {
  readonly tidemark: 'export';
  readonly by: Marker;
  /** Of this export, and of those before it that were killed. */
  readonly files: readonly string[];
}

const schema: z.ZodType<Claim> = z.object({ tidemark: z.literal('export'), by: markerRecord, files: z.array(z.string()).readonly() });

/** A marker has the names of all files. */
const claimLimit = 64 << 20;

/** Requests that are sent at once. */
const atOnce = 16;

export class ExportClaim {
  readonly #store: Store;
  readonly #by: Marker;
  #version: string;

  private constructor(store: Store, by: Marker, version: string) {
    this.#store = store;
    this.#by = by;
    this.#version = version;
  }

  /** Takes an empty place, or one where an export was killed, whose files go.
   *  @throws TidemarkError STORE_CONFLICT where something else is there, or another export is at work */
  static async take(store: Store, notice: (message: string) => void): Promise<ExportClaim> {
    const left = await leftThere(store);
    const by = newMarker(undefined);
    let known = left?.files ?? [];
    try {
      const text = textOf({ tidemark: 'export', by, files: known });
      const put = putSmall(store, exportMarkerFile, text, left === undefined ? { ifAbsent: true } : { ifVersion: left.version });
      const { version } = await put.catch((error: unknown) => {
        throw isConflict(error) ? atWork(store) : error;
      });
      await clear(store, known, notice);
      known = [];
      // Somebody may have come to an end since the place was looked at.
      const names = await namesIn(store, new Set([exportMarkerFile]));
      if (names.length === 0) return new ExportClaim(store, by, version);
      throw (await store.stat(exportManifestFile)) === undefined ? notEmpty(store, names) : isExport(store);
    } catch (error) {
      // It may have been written all the same. Where something is left that could not be removed, it still says what.
      if (known.length === 0) await removeOwn(store, by).catch(() => undefined);
      forget(by);
      throw error;
    }
  }

  /** Says which files are to come. Before the first of them is written. @throws TidemarkError STORE_CONFLICT where another export has taken over */
  async announce(files: readonly string[]): Promise<void> {
    try {
      const text = textOf({ tidemark: 'export', by: this.#by, files });
      this.#version = (await putSmall(this.#store, exportMarkerFile, text, { ifVersion: this.#version })).version;
    } catch (error) {
      throw isConflict(error) ? overtaken(this.#store) : error;
    }
  }

  /** @throws TidemarkError STORE_CONFLICT where another export has taken over */
  async check(): Promise<void> {
    if (!(await this.isOurs(this.#store))) throw overtaken(this.#store);
  }

  /** @param store the same, as it was opened again */
  async isOurs(store: Store): Promise<boolean> {
    return (await read(store))?.claim?.by.write === this.#by.write;
  }

  /** Removes the marker, unless it is another's. */
  async release(store: Store): Promise<void> {
    await removeOwn(store, this.#by);
  }

  /** This process is not at it any more. */
  forget(): void {
    forget(this.#by);
  }
}

interface Left {
  readonly version: string;
  readonly files: readonly string[];
}

/** What a killed export has left; undefined where nothing is there. @throws TidemarkError STORE_CONFLICT where the place is not free */
async function leftThere(store: Store): Promise<Left | undefined> {
  if (!(await namesIn(store, new Set())).length) return undefined;
  if ((await store.stat(exportManifestFile)) !== undefined) throw isExport(store);
  const found = await read(store);
  if (found?.claim === undefined) throw notEmpty(store, await namesIn(store, new Set()));
  const { claim, version, modifiedAt } = found;
  if (!isAbandoned(claim.by, { modifiedAt, token: undefined })) throw atWork(store, claim.by);
  const others = await namesIn(store, new Set([exportMarkerFile, ...claim.files]));
  if (others.length > 0) throw notEmpty(store, others);
  return { version, files: claim.files };
}

function isConflict(error: unknown): boolean {
  return error instanceof TidemarkError && error.code === 'STORE_CONFLICT';
}

async function clear(store: Store, files: readonly string[], notice: (message: string) => void): Promise<void> {
  if (files.length === 0) return;
  const wanted = new Set(files);
  const there: string[] = [];
  for await (const { key } of store.list()) if (wanted.has(key)) there.push(key);
  for (let at = 0; at < there.length; at += atOnce) await Promise.all(there.slice(at, at + atOnce).map((key) => store.remove(key)));
  const uploads = await store.cleanUp({ olderThanMs: 0, only: (key) => wanted.has(key) });
  if (there.length + uploads === 0) return;
  notice(`what an export that was not completed had left in ${store.location} is removed: ${there.length} files, and ${uploads} uploads`);
}

/** Some of the names that are there and not among these. */
async function namesIn(store: Store, but: ReadonlySet<string>): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { key } of store.list()) {
    if (but.has(key)) continue;
    names.push(key);
    if (names.length > 4) break;
  }
  return names;
}

/** Undefined where there is none; without a claim where it is none of ours. */
async function read(
  store: Store,
): Promise<{ readonly claim: Claim | undefined; readonly version: string; readonly modifiedAt: Date | undefined } | undefined> {
  const found = await readSmall(store, exportMarkerFile, claimLimit);
  if (found === undefined) return undefined;
  const { version, modifiedAt, content } = found;
  return { claim: parse(content.toString('utf8')), version, modifiedAt };
}

function parse(text: string): Claim | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function textOf(claim: Claim): string {
  return `${JSON.stringify(z.encode(schema, claim))}\n`;
}

async function removeOwn(store: Store, { write }: Marker): Promise<void> {
  if ((await read(store))?.claim?.by.write === write) await store.remove(exportMarkerFile);
}

function isExport(store: Store): TidemarkError {
  return conflict(store, 'there is an export already', 'name another place');
}

function notEmpty(store: Store, names: readonly string[]): TidemarkError {
  const some = `${names.slice(0, 4).map(printable).join(', ')}${names.length > 4 ? ', ...' : ''}`;
  return conflict(store, `it is not empty (${some})`, 'name another place, or one below it');
}

function atWork(store: Store, by?: Marker): TidemarkError {
  const who = by === undefined ? '' : ` (process ${by.process} of ${printable(by.host)}, since ${by.at.toISOString()})`;
  return conflict(
    store,
    `another export is at work there${who}`,
    'wait for it, or name another place; what one that was killed has left is removed by the next export from the same machine, or after a day',
  );
}

function overtaken(store: Store): TidemarkError {
  return conflict(store, 'another export has taken over there', 'it was taken for dead; export to a place of its own');
}

function conflict(store: Store, what: string, hint: string): TidemarkError {
  return new TidemarkError('STORE_CONFLICT', `export to ${store.location}: ${what}`, { hint });
}
