// Rows for the micro-benchmarks, as a server would send them: CopyData messages in text and in binary, the same at every run. Pure.
// https://www.postgresql.org/docs/current/protocol-message-formats.html, https://www.postgresql.org/docs/current/sql-copy.html
import { createHash } from 'node:crypto';
import type { CopyFormat } from '#dist/model/catalog.js';

export interface CopyStream {
  /** All that the server sends, CopyOutResponse to CopyDone, as the socket reads it. */
  readonly pieces: readonly Buffer[];
  /** Bytes of rows in it. */
  readonly rowBytes: number;
}

/** As much as CopySocket reads at once. */
const readBytes = 256 * 1024;

/** An indexer's events: numbers, hashes, a document; about 400 bytes a row. */
export function copyStream(format: CopyFormat, bytes: number): CopyStream {
  const messages: Buffer[] = [message('H', Buffer.from([0, 0, 0]))];
  let rowBytes = 0;
  for (let i = 0; rowBytes < bytes; i += 1) {
    const row = format === 'text' ? textRow(i) : binaryRow(i);
    // The file header comes together with the first row.
    messages.push(message('d', i === 0 && format === 'binary' ? Buffer.concat([binaryHeader, row]) : row));
    rowBytes += row.length;
  }
  if (format === 'binary') messages.push(message('d', Buffer.from([0xff, 0xff])));
  messages.push(message('c', Buffer.alloc(0)), message('C', Buffer.from('COPY 1\0')));
  const whole = Buffer.concat(messages);
  const pieces = Array.from({ length: Math.ceil(whole.length / readBytes) }, (_, n) => whole.subarray(n * readBytes, (n + 1) * readBytes));
  return { pieces, rowBytes };
}

const binaryHeader = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');

function message(type: string, body: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.write(type, 0, 'latin1');
  header.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([header, body]);
}

interface Event {
  readonly id: number;
  readonly height: number;
  readonly hash: Buffer;
  readonly address: string;
  readonly document: string;
}

function event(id: number): Event {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  const address = (text: string): string => `0x${digest(text).toString('hex').slice(0, 40)}`;
  const [from, to] = [address(`s${id % 5000}`), address(`r${id}`)];
  const document = JSON.stringify({
    to,
    from,
    index: id % 3,
    value: String(id * 7919),
    removed: false,
    log: digest(`l${id}`).toString('hex'),
  });
  return { id, height: 1 + Math.floor(id / 45), hash: digest(`t${id}`), address: address(`c${id % 300}`), document };
}

function textRow(number: number): Buffer {
  const { id, height, hash, address, document } = event(number);
  return Buffer.from(`${id}\t${height}\t\\\\x${hash.toString('hex')}\t${address}\t${document}\n`);
}

function binaryRow(number: number): Buffer {
  const { id, height, hash, address, document } = event(number);
  const int8 = (value: number): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(BigInt(value));
    return bytes;
  };
  // jsonb: its version, then the text.
  const values = [int8(id), int8(height), hash, Buffer.from(address), Buffer.from(`\x01${document}`)];
  const fields = values.flatMap((value) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(value.length);
    return [length, value];
  });
  return Buffer.concat([Buffer.from([0, values.length]), ...fields]);
}
