// Fetches ahead from several archives, of which those that are files are read by whoever needs their bytes.
import { FileBytes } from '../frame/file-bytes.js';
import type { StoredMember } from '../model/manifest.js';
import type { Archives } from './archives.js';
import { FetchAhead } from './fetch-ahead.js';

export interface PlacedMember {
  readonly chunk: StoredMember;
  /** Index among the archives. */
  readonly archive: number;
}

/** Into the order in which they lie, where their order is nobody's: unless all archives are files, whose bytes cost the same anywhere. */
export function sortForFetching(archives: Archives, members: PlacedMember[]): void {
  if (archives.every((bytes) => bytes === undefined || bytes instanceof FileBytes)) return;
  members.sort((a, b) => a.archive - b.archive || (a.chunk.offset < b.chunk.offset ? -1 : 1));
}

export class FetchFromSeveral {
  /** Of each archive that is no file. */
  readonly #ahead = new Map<number, FetchAhead>();
  /** By position among all: the archive, and the position among those of it. */
  readonly #places: readonly { readonly archive: number; readonly position: number }[];

  /** @param members in the order in which they are taken  @param takers how many take at the same time */
  constructor(archives: Archives, members: readonly PlacedMember[], takers: number) {
    const perArchive = archives.map((): StoredMember[] => []);
    this.#places = members.map(({ chunk, archive }) => ({ archive, position: (perArchive[archive] ?? []).push(chunk) - 1 }));
    for (const [archive, bytes] of archives.entries()) {
      const chunks = perArchive[archive] ?? [];
      if (bytes !== undefined && !(bytes instanceof FileBytes) && chunks.length > 0)
        this.#ahead.set(archive, new FetchAhead(bytes, chunks, takers));
    }
  }

  /** The bytes of a member, in a buffer of their own. Each is to be taken once.
   *  @returns undefined where its taker is to read it: of a file, and what is too large to be held
   *  @throws TidemarkError what reading throws */
  async take(position: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const place = this.#places[position];
    return place === undefined ? undefined : await this.#ahead.get(place.archive)?.take(place.position);
  }

  /** Nothing more is asked for. */
  stop(): void {
    for (const ahead of this.#ahead.values()) ahead.stop();
  }
}
