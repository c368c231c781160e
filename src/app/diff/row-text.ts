// The text of a row, for people: as COPY has it, cut where it is long. Pure.
import { decodeText } from '../../model/byte-text.js';
import type { TableEntry } from '../../model/manifest.js';
import { binaryRowText } from './binary-row-text.js';

/** UTF-16 units of a row's text at most. */
const longest = 300;

/** Bytes from a row's beginning that its text is made of. A character has up to 4; binary rows have lengths between. */
export const rowStartBytes = longest * 4;

/** @param start of the row, `rowStartBytes` long where the row has as many */
export function rowText(start: Buffer, { format, columns }: Pick<TableEntry, 'format' | 'columns'>): string {
  const text = format === 'binary' ? binaryRowText(start, columns) : decodeText(start);
  if (text.length <= longest && start.length < rowStartBytes) return text;
  return `${text.slice(0, longest).replace(/[\ud800-\udbff]$/, '')}…`;
}
