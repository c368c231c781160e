// The earlier snapshot that a new one may refer to: opened as any archive is, with the keys that it must be signed with.
import { openArchive } from '../../archive/reader.js';
import { TidemarkError } from '../../model/errors.js';
import type { Manifest, OtherArchive } from '../../model/manifest.js';
import { printable } from '../../model/printable.js';
import { openOther } from '../archive/other-archives.js';
import { type Place, pathBetween, placeFrom } from '../archive/place.js';
import { openSealed } from '../seal/open-sealed.js';
import type { CompletedOptions } from './options.js';

/** An archive that holds chunks, and where it is. */
export interface Holder extends Omit<OtherArchive, 'file'> {
  readonly place: Place;
}

export interface SnapshotBase extends AsyncDisposable {
  /** For messages. */
  readonly name: string;
  readonly manifest: Manifest;
  /** The archive that has the chunks of an entry: the base itself, or one that it refers to. Undefined where that is not there any more. */
  holderOf(entry: { readonly in?: number }): Promise<Holder | undefined>;
  /** How a new archive calls a holder. */
  pathTo(holder: Holder): string;
  /** Those that the base refers to, in its order, and the base behind them. */
  rank(holder: Holder): number;
}

/** Opens it when it is first asked for, however often that is. */
export class BaseOnce implements AsyncDisposable {
  readonly #completed: CompletedOptions | undefined;
  readonly #signal: AbortSignal | undefined;
  #opened: Promise<SnapshotBase | undefined> | undefined;

  constructor(completed: CompletedOptions | undefined, signal: AbortSignal | undefined) {
    this.#completed = completed;
    this.#signal = signal;
  }

  /** @throws TidemarkError as `openBase` */
  open(target: Place | undefined): Promise<SnapshotBase | undefined> {
    this.#opened ??= openBase(this.#completed, { target, signal: this.#signal });
    return this.#opened;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const given = this.#completed?.base;
    if (this.#opened !== undefined) await (await this.#opened.catch(() => undefined))?.[Symbol.asyncDispose]();
    else if (typeof given === 'object') await given.bytes[Symbol.asyncDispose]();
  }
}

/** @param target where the new archive is going to be; undefined for a stream
 *  @returns undefined where none is asked for
 *  @throws TidemarkError what opening an archive throws, USAGE where the new one could not refer to it */
export async function openBase(
  completed: CompletedOptions | undefined,
  { target, signal }: { readonly target: Place | undefined; readonly signal: AbortSignal | undefined },
): Promise<SnapshotBase | undefined> {
  if (completed?.base === undefined) return undefined;
  const { base, verifyKeys, identities, store } = completed;
  const options = { ...(verifyKeys && { verifyKeys }), ...(identities && { identities }), ...(store && { store }) };
  const opened = await openSealed(base, { ...options, ...(signal && { signal }) });
  const reader = await openArchive(opened.bytes, opened);
  const name = reader.path;
  const { manifest } = reader;
  const self: Holder = { place: opened.place, sha256: reader.tail.checksum.sha256, bytes: reader.size };
  const others = (manifest.archives ?? []).map(({ file, ...archive }): Holder => ({ ...archive, place: placeFrom(opened.place, file) }));
  const present = new Map<number, Promise<boolean>>();
  const isThere = async (archive: OtherArchive): Promise<boolean> => {
    try {
      await (await openOther(opened, archive))[Symbol.asyncDispose]();
      return true;
    } catch (error) {
      if (error instanceof TidemarkError && error.code === 'ARCHIVE_MISSING_PART') return false;
      throw error;
    }
  };
  const pathTo = ({ place }: Holder): string => {
    const path = target && pathBetween(target, place);
    if (path === undefined) throw elsewhere(name, target);
    if (place.path === target?.path) throw itself(name);
    return path;
  };
  try {
    for (const holder of [self, ...others]) pathTo(holder);
  } catch (error) {
    await reader.close();
    throw error;
  }
  return {
    name,
    manifest,
    async holderOf(entry) {
      if (entry.in === undefined) return self;
      const archive = manifest.archives?.[entry.in];
      if (archive === undefined) return undefined;
      const there = present.get(entry.in) ?? isThere(archive);
      present.set(entry.in, there);
      return (await there) ? others[entry.in] : undefined;
    },
    pathTo,
    rank: (holder) => (holder === self ? others.length : others.indexOf(holder)),
    [Symbol.asyncDispose]: () => reader.close(),
  };
}

function elsewhere(name: string, target: Place | undefined): TidemarkError {
  const what = target === undefined ? 'a stream has no place from which it can be found again' : 'the new snapshot is to lie elsewhere';
  return new TidemarkError('USAGE', `take a snapshot that refers to ${printable(name)}: ${what}`, {
    hint: 'a snapshot and its base lie in the same file system, bucket or server: copy one of them, or go without --base',
  });
}

function itself(name: string): TidemarkError {
  return new TidemarkError('USAGE', `take a snapshot that refers to ${printable(name)}: it would take its place`, {
    hint: 'give the new snapshot a name of its own',
  });
}
