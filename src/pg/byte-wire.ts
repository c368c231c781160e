// Makes a client of pg carry text as the bytes it is: pg reads and writes UTF-8 and nothing else, so that a byte that is none would come
// as U+FFFD and could not be sent at all. Strings with such bytes are those of model/byte-text.ts; all others take pg's own way.
// Which encoding the server is asked for is session.ts's matter.
import type pg from 'pg';
import { type MessageCallback, Parser } from 'pg-protocol/dist/parser.js';
import { decodeText, encodeText, hasStrayBytes } from '../model/byte-text.js';

interface ParseMessage {
  readonly name?: string;
  readonly text: string;
  readonly types?: readonly number[];
}

interface BindMessage {
  readonly values?: readonly unknown[];
  readonly valueMapper?: (value: unknown, index: number) => unknown;
}

/** pg's Connection with its inner parts, which its types leave out. */
interface Wire {
  _emitMessage: boolean;
  _send(message: Buffer): void;
  emit(event: string | undefined, message: unknown): void;
  attachListeners(stream: NodeJS.ReadableStream): void;
  startup(words: Readonly<Record<string, string>>): void;
  query(text: string): void;
  parse(message: ParseMessage): void;
  bind(message: BindMessage): void;
}

/** Before the client connects. */
export function carryBytes(client: pg.Client): void {
  const { connection: wire } = client as pg.Client & { readonly connection: Wire };
  const usual = { query: wire.query, parse: wire.parse, bind: wire.bind };
  Object.assign(wire, {
    attachListeners(stream) {
      const parser = new Parser();
      keepBytes(Reflect.get(parser, 'reader') as Reader);
      const take: MessageCallback = (message) => {
        if (this._emitMessage) this.emit('message', message);
        this.emit(message.name === 'error' ? 'errorMessage' : message.name, message);
      };
      stream.on('data', (bytes: Buffer) => parser.parse(bytes, take));
    },
    startup(words) {
      this._send(startupMessage(words));
    },
    query(text) {
      if (hasStrayBytes(text)) this._send(message('Q', zeroEnded(text)));
      else usual.query.call(this, text);
    },
    parse(parsed) {
      const { name = '', text } = parsed;
      if (hasStrayBytes(text)) this._send(message('P', zeroEnded(name), zeroEnded(text), int16(0)));
      else usual.parse.call(this, parsed);
    },
    bind(bound) {
      const { values = [], valueMapper } = bound ?? {};
      const mapped = valueMapper === undefined ? values : values.map((value, i) => valueMapper(value, i));
      if (mapped.some((value) => typeof value === 'string' && hasStrayBytes(value))) this._send(bindMessage(mapped));
      else usual.bind.call(this, bound);
    },
  } satisfies Partial<Wire> & ThisType<Wire>);
}

/** pg-protocol's reader of messages. */
interface Reader {
  offset: number;
  buffer: Buffer;
  string(length: number): string;
  cstring(): string;
}

/** The replacement character is rarely a character of the text: nothing else has to be looked at twice. */
function keepBytes(reader: Reader): void {
  const { string, cstring } = reader;
  reader.string = (length) => {
    const start = reader.offset;
    const text = string.call(reader, length);
    return text.includes('\ufffd') ? decodeText(reader.buffer.subarray(start, reader.offset)) : text;
  };
  reader.cstring = () => {
    const start = reader.offset;
    const text = cstring.call(reader);
    return text.includes('\ufffd') ? decodeText(reader.buffer.subarray(start, reader.offset - 1)) : text;
  };
}

/** pg always asks for UTF8, with which no session to a MULE_INTERNAL database can begin. SQL_ASCII means "as it is" and is never refused.
 *  https://www.postgresql.org/docs/current/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-STARTUPMESSAGE */
function startupMessage(words: Readonly<Record<string, string>>): Buffer {
  const pairs = Object.entries({ ...words, client_encoding: 'SQL_ASCII' }).flat();
  const body = Buffer.concat([int32(3 << 16), ...pairs.map(zeroEnded), Buffer.of(0)]);
  return Buffer.concat([int32(body.length + 4), body]);
}

/** All values in the text format. */
function bindMessage(values: readonly unknown[]): Buffer {
  const parts = values.flatMap((value) => {
    if (value == null) return [int32(-1)];
    const bytes = Buffer.isBuffer(value) ? value : encodeText(String(value));
    return [int32(bytes.length), bytes];
  });
  const formats = values.map((value) => int16(Buffer.isBuffer(value) ? 1 : 0));
  return message('B', Buffer.of(0, 0), int16(values.length), ...formats, int16(values.length), ...parts, int16(1), int16(0));
}

function message(code: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(code, 'latin1'), int32(body.length + 4), body]);
}

function zeroEnded(text: string): Buffer {
  return Buffer.concat([encodeText(text), Buffer.of(0)]);
}

function int16(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32BE(value);
  return bytes;
}
