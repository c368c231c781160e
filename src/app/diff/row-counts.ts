// A multiset of rows by their hashes, of which one side adds and the other takes away: what is left is what the two do not have in common.
// Open addressing in typed arrays: 24 bytes a place, where a Map of strings would need four times as much and keep the garbage collector busy.
// Where more rows are left than there is memory for, it goes on with the lower half of the hashes only, and says so: the rest is for another time.

/** 32-bit words of a row's hash that tell it from other rows: 128 bits. */
export const keyWords = 4;

/** Rows whose hashes begin with a word from the first to before the second. */
export type Share = readonly [from: number, end: number];

export const allRows: Share = [0, 2 ** 32];

const firstPlaces = 1 << 12;
/** Of all places at most so many are taken. */
const full = 0.6;

export class RowCounts {
  readonly #most: number;
  readonly #from: number;
  #end: number;
  #keys = new Uint32Array(firstPlaces * keyWords);
  /** Beyond 2^31 where a table has one row again and again. */
  #counts = new Float64Array(firstPlaces);
  /** Apart from the counts: one that is back at zero keeps its place until there is need for it. */
  #taken = new Uint8Array(firstPlaces);
  #places = firstPlaces;
  #used = 0;

  /** @param most rows that are remembered at once */
  constructor([from, end]: Share, most: number) {
    this.#from = from;
    this.#end = end;
    this.#most = most;
  }

  /** The end of the share that is counted: lower than the one that was asked for, where there were too many rows. */
  get end(): number {
    return this.#end;
  }

  /** Counts a row up or down, if it is of the share. @param key of `keyWords` words */
  add(key: Uint32Array, delta: number): void {
    if (!this.#isMine(key[0] as number)) return;
    let place = this.#find(key, 0);
    if (this.#taken[place] === 0) {
      if (this.#used >= Math.min(this.#places * full, this.#most)) {
        this.#makeRoom();
        if (!this.#isMine(key[0] as number)) return;
        place = this.#find(key, 0);
      }
      this.#taken[place] = 1;
      this.#used += 1;
      this.#keys.set(key, place * keyWords);
    }
    this.#counts[place] = (this.#counts[place] as number) + delta;
  }

  /** Whether a row is left over on the side that counts by `delta`, which is 1 or -1; if so, once less from now on. */
  take(key: Uint32Array, delta: number): boolean {
    if (!this.#isMine(key[0] as number)) return false;
    const place = this.#find(key, 0);
    const count = this.#counts[place] as number;
    if (count * delta <= 0) return false;
    this.#counts[place] = count - delta;
    return true;
  }

  /** Rows that are left over on either side. */
  sums(): { readonly above: bigint; readonly below: bigint } {
    let above = 0n;
    let below = 0n;
    for (const count of this.#counts) {
      if (count > 0) above += BigInt(count);
      else if (count < 0) below += BigInt(-count);
    }
    return { above, below };
  }

  #isMine(word: number): boolean {
    return word >= this.#from && word < this.#end;
  }

  /** The place of a key, or the one that it would get. @param at where the key begins in `keys` */
  #find(keys: Uint32Array, at: number): number {
    const mask = this.#places - 1;
    // Not by the first word, which all rows of a small share have nearly in common.
    for (let place = (keys[at + 1] as number) & mask; ; place = (place + 1) & mask) {
      if (this.#taken[place] === 0 || this.#holds(place, keys, at)) return place;
    }
  }

  #holds(place: number, keys: Uint32Array, at: number): boolean {
    const own = place * keyWords;
    for (let word = 0; word < keyWords; word += 1) if (this.#keys[own + word] !== keys[at + word]) return false;
    return true;
  }

  /** Forgets what is even by now. If that is less than half, there will be more places, or else less of the share. */
  #makeRoom(): void {
    let live = this.#live();
    const isMost = this.#places * full >= this.#most;
    while (isMost && live * 2 > this.#most && this.#end - this.#from > 1) {
      this.#end = this.#from + Math.floor((this.#end - this.#from) / 2);
      live = this.#live();
    }
    this.#rebuild(live * 2 > this.#places * full ? this.#places * 2 : this.#places);
  }

  /** Places of rows of the share that are not even. */
  #live(): number {
    let live = 0;
    for (let place = 0; place < this.#places; place += 1) if (this.#isLive(place)) live += 1;
    return live;
  }

  #isLive(place: number): boolean {
    return this.#counts[place] !== 0 && this.#isMine(this.#keys[place * keyWords] as number);
  }

  #rebuild(places: number): void {
    const [keys, counts] = [this.#keys, this.#counts];
    this.#places = places;
    this.#keys = new Uint32Array(places * keyWords);
    this.#counts = new Float64Array(places);
    this.#taken = new Uint8Array(places);
    this.#used = 0;
    for (let old = 0; old < counts.length; old += 1) {
      const count = counts[old] as number;
      const from = old * keyWords;
      if (count === 0 || !this.#isMine(keys[from] as number)) continue;
      const place = this.#find(keys, from);
      this.#taken[place] = 1;
      this.#counts[place] = count;
      for (let word = 0; word < keyWords; word += 1) this.#keys[place * keyWords + word] = keys[from + word] as number;
      this.#used += 1;
    }
  }
}
