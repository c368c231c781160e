// Gives binary rows on as the text that COPY would have written, so that rows of both forms can be compared. Pure.
import type { RowSink } from '../../archive/copy-rows.js';
import { encodeText } from '../../model/byte-text.js';
import type { Column } from '../../model/catalog.js';
import { escaped, exactPrinterOf, type Print } from './binary-row-text.js';

/** A value that is not known to be written as the server would write it. */
export class NotAsText extends Error {}

/** True where all columns have types whose text is known. */
export function haveText(columns: readonly Column[]): boolean {
  return columns.every(({ type }) => exactPrinterOf(type) !== undefined);
}

/** Holds one row at most. `piece` throws NotAsText. */
export class TextOfRows implements RowSink {
  readonly #printers: readonly Print[];
  readonly #sink: RowSink;
  #pieces: Buffer[] = [];

  /** @param columns for which `haveText` */
  constructor(columns: readonly Column[], sink: RowSink) {
    this.#printers = columns.map(({ type }) => exactPrinterOf(type) ?? unknown);
    this.#sink = sink;
  }

  piece(bytes: Buffer, last: boolean): void {
    if (last && this.#pieces.length === 0) {
      this.#tell(bytes);
      return;
    }
    this.#pieces.push(Buffer.from(bytes));
    if (!last) return;
    const row = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#tell(row);
  }

  #tell(row: Buffer): void {
    const fields: string[] = [];
    // The count of fields was looked at by whoever took the rows apart, and so were the lengths.
    let at = 2;
    for (const print of this.#printers) {
      const length = row.readInt32BE(at);
      at += 4;
      fields.push(length === -1 ? '\\N' : fieldOf(print, row.subarray(at, at + length)));
      at += Math.max(length, 0);
    }
    this.#sink.piece(encodeText(fields.join('\t')), true);
  }
}

function fieldOf(print: Print, value: Buffer): string {
  try {
    return escaped(print(value));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new NotAsText('its rows are written as text and in binary, and one has a value that cannot be compared so', { cause: error });
  }
}

const unknown: Print = () => {
  throw new RangeError('a type without a text');
};
