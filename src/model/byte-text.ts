// Text whose bytes may be no UTF-8, as a string that loses none of them. PostgreSQL's SQL_ASCII databases hold any bytes in names and
// definitions; a byte that belongs to no UTF-8 character becomes a lone surrogate, U+DC80 to U+DCFF for 0x80 to 0xFF (Python's
// "surrogateescape", PEP 383). Text that is UTF-8 is itself, and JSON writes a lone surrogate as an escape: "\udce9".
import { isUtf8 } from 'node:buffer';

/** The string for bytes that should be UTF-8. `encodeText` gives the same bytes back. */
export function decodeText(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const start = at;
    for (let length = 1; length > 0; at += length) length = characterAt(bytes, at);
    text += bytes.toString('utf8', start, at);
    const stray = bytes[at];
    if (stray === undefined) break;
    text += String.fromCharCode(0xdc00 + stray);
    at += 1;
  }
  return text;
}

/** True for a string with bytes in it that are no UTF-8. */
export function hasStrayBytes(text: string): boolean {
  return !text.isWellFormed();
}

/** The bytes that a string stands for.
 *  @param before bytes of room in front of them, and `after` behind: what is in it is anything */
export function encodeText(text: string, before = 0, after = 0): Buffer {
  if (hasStrayBytes(text)) {
    const pieces = text.split(/([\udc80-\udcff])/u);
    const bytes = pieces.map((piece, i) => (i % 2 === 0 ? Buffer.from(piece, 'utf8') : Buffer.of(piece.charCodeAt(0) - 0xdc00)));
    return Buffer.concat([Buffer.alloc(before), ...bytes, Buffer.alloc(after)]);
  }
  const bytes = Buffer.allocUnsafe(before + Buffer.byteLength(text, 'utf8') + after);
  bytes.write(text, before, 'utf8');
  return bytes;
}

/** Length of the UTF-8 character at a place; 0 where there is none. https://www.rfc-editor.org/rfc/rfc3629#section-4 */
function characterAt(bytes: Buffer, at: number): number {
  const first = bytes[at];
  if (first === undefined) return 0;
  if (first < 0x80) return 1;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  const end = at + length;
  return end <= bytes.length && isUtf8(bytes.subarray(at, end)) ? length : 0;
}
