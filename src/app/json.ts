// How results and events become JSON for programs: bigint as decimal strings, as they can pass 2^53; dates as ISO strings; LSNs as pg_lsn
// prints them.
import { formatLsn } from '../pg/lsn.js';

/** One line of JSON. */
export function toJson(value: unknown): string {
  const text = JSON.stringify(value, function (this: unknown, name, item: unknown) {
    if (typeof item !== 'bigint') return item;
    return name === 'lsn' && isPosition(this) ? formatLsn(item) : item.toString();
  });
  // JSON lets these stand; a terminal takes some of them for commands, and shows text in another order for others.
  return text.replace(
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A stream, too, may have the name `lsn`. */
function isPosition(holder: unknown): boolean {
  return typeof holder === 'object' && holder !== null && 'at' in holder && holder.at instanceof Date;
}
