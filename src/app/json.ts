// How results and events become JSON for programs: bigint as decimal strings, as they can pass 2^53; dates as ISO strings; LSNs as pg_lsn
// prints them.
import { formatLsn } from '../pg/lsn.js';

/** One line of JSON. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (name, item: unknown) => {
    if (typeof item === 'bigint') return name === 'lsn' ? formatLsn(item) : item.toString();
    return item;
  });
}
