// Decodes what a server answers to one COPY ... TO STDOUT, its CopyData into a caller's buffer. Pure: bytes in, payload and message ends out.
// Each socket read is copied once into the buffer and the five header bytes of each message are squeezed out in place: copyWithin
// costs about 25 ns a row where a view and a copy per row cost 90 and more. What is called for every row is no method of the buffer: V8
// looks those up in its prototypes each time, which is 5 ns each.
// https://www.postgresql.org/docs/current/protocol-message-formats.html
import { TidemarkError } from '../model/errors.js';

/** Where payload goes. The decoder writes at `buffer[offset]` and moves `offset`. */
export interface CopyTarget {
  buffer: Buffer;
  offset: number;
  /** Makes room for `bytes` more at `offset` (may write out what is there, and change `buffer` and `offset`). */
  room(bytes: number): void;
  /** A CopyData message, which is one row (protocol: "always one per row"), ended at `offset` and is `bytes` long; may change `buffer` and `offset`. */
  message(bytes: number): void;
  /** True while no more should be read from the socket; `onRoom` is to be called when that ends. */
  readonly full: boolean;
  onRoom: (() => void) | undefined;
}

/** Copying has ended, well only with CopyDone and then the command tag. `rest` begins with the bytes that belong to somebody else: the
 *  error's own message, or what follows the tag. */
export type CopyEnd =
  | { readonly reason: 'done'; readonly rows: bigint; readonly rest: Buffer }
  | { readonly reason: 'error'; readonly rest: Buffer };

const copyData = 0x64; // d
const copyDone = 0x63; // c
const copyOutResponse = 0x48; // H
const commandComplete = 0x43; // C
const errorResponse = 0x45; // E
const asides = new Set([0x4e, 0x53, 0x41]); // N notice, S parameter status, A notification: may come at any time

const headerBytes = 5;
/** A tag is `COPY 123` and a zero byte. */
const mostTagBytes = 64;

const { copyWithin } = Uint8Array.prototype;

function uint32At(bytes: Buffer, at: number): number {
  const [a, b, c, d] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]] as [number, number, number, number];
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

export class CopyDataDecoder {
  readonly #target: CopyTarget;
  readonly #header = Buffer.alloc(headerBytes);
  #headerFilled = 0;
  #type = 0;
  #length = 0;
  #left = 0;
  #started = false;
  #done = false;
  #tag = '';

  constructor(target: CopyTarget) {
    this.#target = target;
  }

  /** Takes what came from the socket. @throws TidemarkError COPY_INCOMPLETE on a message that cannot come here */
  feed(chunk: Buffer): CopyEnd | undefined {
    let at = 0;
    while (at < chunk.length || (this.#left === 0 && this.#type !== 0)) {
      if (this.#type !== 0) {
        const tag = this.#type === commandComplete;
        at = this.#payload(chunk, at);
        if (tag && this.#left === 0) return { reason: 'done', rows: rowsOf(this.#tag), rest: chunk.subarray(at) };
        continue;
      }
      if (this.#headerFilled === 0 && this.#rowsMayCome && chunk[at] === copyData) {
        const next = this.#wholeMessages(chunk, at);
        if (next > at) {
          at = next;
          continue;
        }
      }
      const taken = chunk.copy(this.#header, this.#headerFilled, at);
      this.#headerFilled += taken;
      at += taken;
      if (this.#headerFilled < headerBytes) break;
      this.#headerFilled = 0;
      const end = this.#begin(chunk, at);
      if (end) return end;
    }
    return undefined;
  }

  /** A header is complete: decides what the message is to us. */
  #begin(chunk: Buffer, at: number): CopyEnd | undefined {
    const type = this.#header[0] as number;
    if (type === errorResponse) return { reason: 'error', rest: Buffer.concat([this.#header, chunk.subarray(at)]) };
    const length = this.#header.readUInt32BE(1) - 4;
    if (!this.#expects(type, length)) throw incomplete(`message '${String.fromCharCode(type)}' came where none can come`);
    if (type === copyOutResponse) this.#started = true;
    if (type === copyDone) this.#done = true;
    else this.#type = type;
    this.#length = length;
    this.#left = length;
    return undefined;
  }

  get #rowsMayCome(): boolean {
    return this.#started && !this.#done;
  }

  #expects(type: number, length: number): boolean {
    switch (type) {
      case copyOutResponse:
        return !this.#started && length >= 0;
      case copyData:
        return this.#rowsMayCome && length >= 0;
      case copyDone:
        return this.#rowsMayCome && length === 0;
      case commandComplete:
        return this.#done && length > 0 && length <= mostTagBytes;
      default:
        return asides.has(type) && length >= 0;
    }
  }

  /** Part of one message: the way for headers and rows that are cut by the edge of a socket read. */
  #payload(chunk: Buffer, at: number): number {
    const take = Math.min(this.#left, chunk.length - at);
    if (this.#type === copyData) {
      const target = this.#target;
      target.room(take);
      target.offset += chunk.copy(target.buffer, target.offset, at, at + take);
    } else if (this.#type === commandComplete) this.#tag += chunk.toString('latin1', at, at + take);
    this.#left -= take;
    if (this.#left === 0) {
      const type = this.#type;
      this.#type = 0;
      if (type === copyData) this.#target.message(this.#length);
    }
    return at + take;
  }

  /** All the CopyData messages that lie whole in `chunk` from `at`; returns where the first other byte is. */
  #wholeMessages(chunk: Buffer, at: number): number {
    const target = this.#target;
    target.room(chunk.length - at);
    const { buffer } = target;
    const shift = target.offset - at;
    const { length: end } = chunk;
    chunk.copy(buffer, target.offset, at);
    while (end - at >= headerBytes && chunk[at] === copyData) {
      const length = uint32At(chunk, at + 1) - 4;
      const start = at + headerBytes;
      if (length < 0 || length > end - start) break;
      copyWithin.call(buffer, target.offset, start + shift, start + shift + length);
      target.offset += length;
      at = start + length;
      const { offset } = target;
      target.message(length);
      // The message filled the chunk, and the target begins another: the rest is copied there.
      if (target.buffer !== buffer || target.offset !== offset) break;
    }
    return at;
  }
}

function rowsOf(tag: string): bigint {
  const match = /^COPY (\d+)\0$/.exec(tag);
  if (!match) throw incomplete('the server ended it without a row count');
  return BigInt(match[1] as string);
}

/** The connection is not to be used any more. */
export function incomplete(what: string): TidemarkError {
  return new TidemarkError('COPY_INCOMPLETE', `copy a table out: ${what}`, {
    hint: 'the rows that came cannot be trusted; look for a proxy or pooler between here and the server, and run again',
  });
}
