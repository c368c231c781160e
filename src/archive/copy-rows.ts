// Counts the rows of COPY data and finds out whether it ends where a row does, as it comes by in pieces; tells where each row ends to who
// wants to know. What the rows say is not looked at; PostgreSQL does that.
// https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9 (file formats)
import type { CopyFormat } from '../model/catalog.js';
import { countNewlines } from './count-newlines.js';

/** Counts rows. `feed` throws RangeError as soon as the data cannot be of its format. */
export interface RowCounter {
  feed(bytes: Buffer): void;
  /** The number of rows. Throws RangeError where the data does not end with a row. */
  end(): bigint;
}

/** Takes rows apart. A row may be larger than memory, so it comes in pieces, which are good only until the call returns. */
export interface RowSink {
  /** More of the current row: of text without the newline that ends it, of binary with the count of its fields. `last`: it ends here. */
  piece(bytes: Buffer, last: boolean): void;
}

/** `columns`: how many each row has; checked in binary only, where it costs nothing. `sink`: who is given the rows, as they come by. */
export function rowCounter(format: CopyFormat, columns: number, sink?: RowSink): RowCounter {
  return format === 'binary' ? new BinaryRows(columns, sink) : new TextRows(sink);
}

const newline = 0x0a;

/** Each row ends at a newline; one within a value is written as backslash and n. */
class TextRows implements RowCounter {
  readonly #sink: RowSink | undefined;
  #rows = 0;
  #last = newline;

  constructor(sink: RowSink | undefined) {
    this.#sink = sink;
  }

  feed(bytes: Buffer): void {
    this.#rows += this.#sink === undefined ? countNewlines(bytes) : tellLines(bytes, this.#sink);
    this.#last = bytes[bytes.length - 1] ?? this.#last;
  }

  end(): bigint {
    if (this.#last !== newline) throw new RangeError('its last row has no end');
    return BigInt(this.#rows);
  }
}

/** @returns how many of them end here */
function tellLines(bytes: Buffer, sink: RowSink): number {
  let rows = 0;
  let from = 0;
  for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, from)) {
    sink.piece(bytes.subarray(from, at), true);
    rows += 1;
    from = at + 1;
  }
  if (from < bytes.length) sink.piece(bytes.subarray(from), false);
  return rows;
}

const signature = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
/** Signature, flags, length of the header extension. */
const headerBytes = signature.length + 8;

/** Bytes that must be there to go on. */
const neededBytes = { header: headerBytes, tuple: 2, ended: 1 } as const;

/** A header, tuples (field count, then each field as length and bytes), and a trailer that is a field count of -1. */
class BinaryRows implements RowCounter {
  readonly #columns: number;
  readonly #sink: RowSink | undefined;
  #rows = 0;
  /** Where what the sink does not have yet of the current row begins; undefined where there is none, or nobody wants it. */
  #untold: number | undefined;
  /** What the next bytes are. */
  #state: 'header' | 'tuple' | 'field' | 'ended' = 'header';
  /** Fields to come in the current tuple. */
  #fields = 0;
  /** Bytes of a value, or of the header extension, to pass over. */
  #skip = 0;
  /** The beginning of a number or of the header that lies across two pieces. */
  #carry: Buffer = Buffer.alloc(0);

  constructor(columns: number, sink: RowSink | undefined) {
    this.#columns = columns;
    this.#sink = sink;
  }

  feed(piece: Buffer): void {
    const bytes = this.#carry.length === 0 ? piece : Buffer.concat([this.#carry, piece]);
    let at = 0;
    if (this.#untold !== undefined) this.#untold = 0;
    for (;;) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, bytes.length - at);
        this.#skip -= skipped;
        at += skipped;
      }
      this.#tell(bytes, at);
      if (this.#state === 'tuple') at = this.#wholeRows(bytes, at);
      if (this.#state === 'field') at = this.#values(bytes, at);
      this.#tell(bytes, at);
      if (this.#skip > 0 || this.#state === 'field') break;
      if (bytes.length - at < neededBytes[this.#state]) break;
      if (this.#state === 'tuple') at = this.#tuple(bytes, at);
      else if (this.#state === 'header') at = this.#header(bytes, at);
      else throw new RangeError('bytes follow its trailer');
    }
    this.#carry = bytes.subarray(at);
  }

  /** Gives the sink what was passed over of the current row. */
  #tell(bytes: Buffer, at: number): void {
    if (this.#untold === undefined) return;
    const last = this.#skip === 0 && this.#state === 'tuple';
    if (last || at > this.#untold) this.#sink?.piece(bytes.subarray(this.#untold, at), last);
    this.#untold = last ? undefined : at;
  }

  end(): bigint {
    if (this.#state !== 'ended') throw new RangeError('its trailer is missing');
    return BigInt(this.#rows);
  }

  #header(bytes: Buffer, at: number): number {
    if (!bytes.subarray(at, at + signature.length).equals(signature)) throw new RangeError('it does not begin as binary COPY data');
    this.#skip = bytes.readUInt32BE(at + signature.length + 4);
    this.#state = 'tuple';
    return at + headerBytes;
  }

  #tuple(bytes: Buffer, at: number): number {
    const fields = bytes.readInt16BE(at);
    if (fields === -1) this.#state = 'ended';
    else if (fields !== this.#columns) throw new RangeError(`row ${this.#rows + 1} has ${fields} columns, not ${this.#columns}`);
    else {
      this.#rows += 1;
      this.#fields = fields;
      if (this.#sink) this.#untold = at;
      if (fields > 0) this.#state = 'field';
    }
    return at + 2;
  }

  /** Passes over as many rows as lie whole in `bytes` and are right: the loop in which all the time is spent. What is left is for the others,
   *  which know what is wrong with it. */
  #wholeRows(bytes: Buffer, from: number): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = from;
    for (let end = rowEnd(view, at, this.#columns); end !== -1; end = rowEnd(view, at, this.#columns)) {
      this.#rows += 1;
      this.#sink?.piece(bytes.subarray(at, end), true);
      at = end;
    }
    return at;
  }

  /** Passes over as many values of a row as lie whole in `bytes`. */
  #values(bytes: Buffer, from: number): number {
    let at = from;
    let fields = this.#fields;
    while (fields > 0 && this.#skip === 0 && bytes.length - at >= 4) {
      const length = bytes.readInt32BE(at);
      if (length < -1) throw new RangeError(`row ${this.#rows} has a value of ${length} bytes`);
      at += 4;
      fields -= 1;
      const end = at + Math.max(length, 0);
      this.#skip = Math.max(end - bytes.length, 0);
      at = end - this.#skip;
    }
    this.#fields = fields;
    if (fields === 0) this.#state = 'tuple';
    return at;
  }
}

/** Where the row that begins at `from` ends; -1 where it is not whole, or not right. */
function rowEnd(view: DataView, from: number, columns: number): number {
  const { byteLength } = view;
  if (from + 2 > byteLength || view.getInt16(from) !== columns) return -1;
  let at = from + 2;
  for (let fields = columns; fields > 0; fields -= 1) {
    if (at + 4 > byteLength) return -1;
    const length = view.getInt32(at);
    if (length < -1) return -1;
    at += 4 + Math.max(length, 0);
  }
  return at > byteLength ? -1 : at;
}
