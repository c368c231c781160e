// Rows as they come by in pieces become hashes, by which they are compared. Of those whose text is wanted the beginning is kept, too.
import { createHash, type Hash, hash } from 'node:crypto';
import type { RowSink } from '../../archive/copy-rows.js';
import { keyWords } from './row-counts.js';

const hashBytes = 32;

export interface HashedRow {
  /** Good until the next row. */
  readonly key: Uint32Array;
  /** The first bytes of the row, at most `keep`. Good until the call returns. */
  readonly start: Buffer;
}

export interface RowHasherOptions {
  /** Bytes of each row that are kept. */
  readonly keep: number;
  readonly row: (row: HashedRow) => void;
}

export class RowHasher implements RowSink {
  readonly #keep: number;
  readonly #row: (row: HashedRow) => void;
  readonly #words = new Uint32Array(hashBytes / 4);
  readonly #bytes = Buffer.from(this.#words.buffer);
  readonly #key = this.#words.subarray(0, keyWords);
  /** Of a row that comes in more than one piece. */
  #hash: Hash | undefined;
  #start: Buffer = Buffer.alloc(0);

  constructor({ keep, row }: RowHasherOptions) {
    this.#keep = keep;
    this.#row = row;
  }

  piece(bytes: Buffer, last: boolean): void {
    if (last && this.#hash === undefined) {
      // Its hex is made, and read again, in half of the time that a Buffer would take.
      this.#bytes.write(hash('sha256', bytes), 'hex');
      this.#tell(bytes.subarray(0, this.#keep));
      return;
    }
    this.#hash ??= createHash('sha256');
    this.#hash.update(bytes);
    const wanted = this.#keep - this.#start.length;
    if (wanted > 0) this.#start = Buffer.concat([this.#start, bytes.subarray(0, wanted)]);
    if (!last) return;
    this.#hash.digest().copy(this.#bytes);
    this.#hash = undefined;
    const start = this.#start;
    this.#start = Buffer.alloc(0);
    this.#tell(start);
  }

  #tell(start: Buffer): void {
    this.#row({ key: this.#key, start });
  }
}
