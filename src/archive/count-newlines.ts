// Counts newlines as fast as the rows allow: of long ones by looking for the next newline, which costs about 50 ns a row; of short ones by
// looking at four bytes at a time, which costs about 0.3 ns a byte whatever is in them. Pure.

const newline = 0x0a;
/** The way is chosen anew after so many bytes. */
const blockBytes = 64 * 1024;
/** Mean bytes of a row from which on looking for newlines is faster. */
const longRow = 100;

/** How many newlines there are. */
export function countNewlines(bytes: Buffer): number {
  let rows = 0;
  let long = false;
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const block = bytes.subarray(at, at + blockBytes);
    const found: number = long ? countByLooking(block) : countInWords(block);
    long = found * longRow < block.length;
    rows += found;
  }
  return rows;
}

function countByLooking(bytes: Buffer): number {
  let rows = 0;
  for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, at + 1)) rows += 1;
  return rows;
}

function countOneByOne(bytes: Uint8Array): number {
  let rows = 0;
  for (const byte of bytes) if (byte === newline) rows += 1;
  return rows;
}

const wordBytes = 4;
/** So often a byte can be counted up by one. */
const mostSteps = 255;
const newlines = 0x0a0a0a0a;
const lowBits = 0x7f7f7f7f;

function countInWords(bytes: Buffer): number {
  if (bytes.length < 2 * wordBytes) return countOneByOne(bytes);
  // Words lie at multiples of their size.
  const before = (wordBytes - (bytes.byteOffset % wordBytes)) % wordBytes;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + before, (bytes.length - before) >> 2);
  const after = before + words.byteLength;
  let rows = countOneByOne(bytes.subarray(0, before)) + countOneByOne(bytes.subarray(after));
  for (let at = 0; at < words.length; at += mostSteps) {
    const sums = sumUp(words, at, Math.min(at + mostSteps, words.length));
    rows += (sums & 0xff) + ((sums >>> 8) & 0xff) + ((sums >>> 16) & 0xff) + (sums >>> 24);
  }
  return rows;
}

/** In each byte, how many of the words have a newline in it. */
function sumUp(words: Int32Array, from: number, to: number): number {
  let sums = 0;
  for (let at = from; at < to; at += 1) {
    // A byte that is a newline is zero now. Adding to the low bits of a byte sets its high bit unless they are all zero, and never reaches
    // into the next byte: the high bit is then clear only of what was zero.
    const word = (words[at] as number) ^ newlines;
    sums = (sums + (~(((word & lowBits) + lowBits) | word | lowBits) >>> 7)) | 0;
  }
  return sums;
}
