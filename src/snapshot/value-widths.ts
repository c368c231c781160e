// How long the values of some rows are, column by column: by the beginning of a binary COPY, where each is preceded by its length. Pure.
// https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.4

/** Of one column. */
export interface ValueWidth {
  /** The part of the rows, from 0 to 1, where it is NULL. */
  readonly nulls: number;
  /** Mean bytes in binary of the others; 0 where there are none. */
  readonly bytes: number;
}

const signature = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
const [flagBytes, lengthBytes, countBytes] = [4, 4, 2];
/** More say nothing more. */
const mostRows = 1000;

/** @param copy a binary COPY from its beginning; a row that is cut off at its end does not count
 *  @returns undefined where it is none, or has no row */
export function valueWidths(copy: Buffer): readonly ValueWidth[] | undefined {
  const header = signature.length + flagBytes + lengthBytes;
  if (copy.length < header || !copy.subarray(0, signature.length).equals(signature)) return undefined;
  let at = header + copy.readUInt32BE(header - lengthBytes);
  let rows = 0;
  let nulls: number[] = [];
  let bytes: number[] = [];
  while (rows < mostRows) {
    const row = rowAt(copy, at);
    if (row === undefined) break;
    if (rows === 0) [nulls, bytes] = [row.lengths.map(() => 0), row.lengths.map(() => 0)];
    for (const [column, length] of row.lengths.entries()) {
      if (length < 0) nulls[column] = (nulls[column] ?? 0) + 1;
      else bytes[column] = (bytes[column] ?? 0) + length;
    }
    rows += 1;
    at = row.end;
  }
  if (rows === 0) return undefined;
  return nulls.map((count, column) => ({ nulls: count / rows, bytes: (bytes[column] ?? 0) / Math.max(1, rows - count) }));
}

/** The lengths of its values, -1 for NULL; undefined where it is cut off, and at the trailer. */
function rowAt(copy: Buffer, start: number): { readonly lengths: readonly number[]; readonly end: number } | undefined {
  if (start + countBytes > copy.length) return undefined;
  const columns = copy.readInt16BE(start);
  if (columns < 0) return undefined;
  const lengths: number[] = [];
  let at = start + countBytes;
  for (let column = 0; column < columns; column += 1) {
    if (at + lengthBytes > copy.length) return undefined;
    const length = copy.readInt32BE(at);
    at += lengthBytes + Math.max(0, length);
    if (at > copy.length) return undefined;
    lengths.push(length);
  }
  return { lengths, end: at };
}
