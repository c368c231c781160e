// Compares the rows of two lists of chunks as multisets. Memory is bounded whatever the tables are: where more rows are left over than there is room
// for, a pass ends with a share of them, by their hashes, and another one reads the chunks again for the rest. Both sides are read by turns,
// so that rows that are in both, and not too far apart, are forgotten again.
import type { TableEntry } from '../../model/manifest.js';
import { type ChunkOf, rowsIn } from './pair-tables.js';
import { type RowSource, readRows } from './read-rows.js';
import { allRows, RowCounts, type Share } from './row-counts.js';
import { type HashedRow, RowHasher } from './row-hash.js';
import { rowStartBytes, rowText } from './row-text.js';
import { SmallestTexts } from './smallest-texts.js';

export interface RowComparison {
  readonly added: bigint;
  readonly removed: bigint;
  readonly samples?: RowSamples;
}

/** Of the rows that were added and removed those that come first in the order of their texts, so that versions of one row are on both lists. Long
 *  texts are cut. */
export interface RowSamples {
  readonly removed: readonly string[];
  readonly added: readonly string[];
}

/** The chunks to compare: of each side those that the other one does not have. */
export interface LeftChunks {
  readonly a: readonly ChunkOf[];
  readonly b: readonly ChunkOf[];
}

export interface RowLimits {
  /** Rows that are in memory at once, at most; 24 to 100 bytes each. */
  readonly mostRows: number;
  /** Rows of each list of samples; 0: none. */
  readonly samples: number;
}

/** How often each of the chunks is read, at least. */
export function readsOf({ a, b }: LeftChunks, { samples }: RowLimits): number {
  // Where one side has nothing left, all of the other side's rows are what differs.
  const differ = rowsIn(a) > 0n && rowsIn(b) > 0n ? 1 : 0;
  return differ + (samples > 0 && rowsIn(a) + rowsIn(b) > 0n ? 1 : 0);
}

/** @throws TidemarkError ARCHIVE_CORRUPT, ARCHIVE_TRUNCATED, STORE_ERROR */
export function compareRows(chunks: LeftChunks, source: RowSource, limits: RowLimits): Promise<RowComparison> {
  return new Comparison(chunks, source, limits).run();
}

interface RowVisitor {
  /** Bytes of each row's beginning that are wanted. */
  readonly keep: number;
  /** @param delta 1 of a row that b has, -1 of one that a has */
  readonly row: (row: HashedRow, delta: number, table: TableEntry) => void;
}

class Comparison {
  readonly #chunks: LeftChunks;
  readonly #source: RowSource;
  readonly #limits: RowLimits;
  readonly #removed: SmallestTexts;
  readonly #added: SmallestTexts;
  #sums = { added: 0n, removed: 0n };

  constructor(chunks: LeftChunks, source: RowSource, limits: RowLimits) {
    this.#chunks = chunks;
    this.#source = source;
    this.#limits = limits;
    this.#removed = new SmallestTexts(limits.samples);
    this.#added = new SmallestTexts(limits.samples);
  }

  async run(): Promise<RowComparison> {
    const { a, b } = this.#chunks;
    if (rowsIn(a) === 0n || rowsIn(b) === 0n) await this.#oneSided();
    else for (let from = 0; from < allRows[1]; ) from = await this.#pass([from, allRows[1]]);
    if (this.#limits.samples === 0) return this.#sums;
    return { ...this.#sums, samples: { removed: this.#removed.texts, added: this.#added.texts } };
  }

  /** All rows that one side has left are what differs, so that they need not be compared. */
  async #oneSided(): Promise<void> {
    const { a, b } = this.#chunks;
    this.#sums = { added: rowsIn(b), removed: rowsIn(a) };
    if (readsOf(this.#chunks, this.#limits) === 0) return;
    await this.#eachRow({ keep: rowStartBytes, row: (row, delta, table) => this.#sample(row, delta, table) });
  }

  /** @returns the end of the share that there was room for */
  async #pass(share: Share): Promise<number> {
    const counts = new RowCounts(share, this.#limits.mostRows);
    await this.#eachRow({ keep: 0, row: ({ key }, delta) => counts.add(key, delta) });
    const { above, below } = counts.sums();
    this.#sums = { added: this.#sums.added + above, removed: this.#sums.removed + below };
    if (this.#limits.samples > 0 && above + below > 0n) {
      // Which rows differ is known only now: they are read once more for their texts.
      await this.#eachRow({
        keep: rowStartBytes,
        row: (row, delta, table) => {
          if (counts.take(row.key, delta)) this.#sample(row, delta, table);
        },
      });
    }
    return counts.end;
  }

  #sample({ start }: HashedRow, delta: number, table: TableEntry): void {
    (delta > 0 ? this.#added : this.#removed).add(rowText(start, table));
  }

  async #eachRow({ keep, row }: RowVisitor): Promise<void> {
    const { a, b } = this.#chunks;
    const forms = new Set([...a, ...b].map(({ table }) => table.format));
    const one = (a[0] ?? b[0])?.table;
    if (one === undefined) return;
    // All chunks of a comparison have the same columns. Where they are in both forms, those in binary are made text.
    const table: TableEntry = forms.size > 1 ? { ...one, format: 'text' } : one;
    await readRows(
      this.#source,
      { chunks: byTurns(a, b), form: table.format },
      {
        a: new RowHasher({ keep, row: (hashed) => row(hashed, -1, table) }),
        b: new RowHasher({ keep, row: (hashed) => row(hashed, 1, table) }),
      },
    );
  }
}

/** Each next chunk is of the side of which the smaller part of the rows has come. */
function byTurns(a: readonly ChunkOf[], b: readonly ChunkOf[]): readonly ChunkOf[] {
  const placed = [...shares(a), ...shares(b)].sort((one, other) => one.share - other.share);
  return placed.map(({ chunk }) => chunk);
}

/** With the share of the rows that come before each. */
function shares(chunks: readonly ChunkOf[]): readonly { readonly chunk: ChunkOf; readonly share: number }[] {
  const all = Math.max(Number(rowsIn(chunks)), 1);
  let before = 0n;
  return chunks.map((chunk) => {
    const share = Number(before) / all;
    before += chunk.chunk.rows;
    return { chunk, share };
  });
}
