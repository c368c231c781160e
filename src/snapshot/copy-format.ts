// Decides text or binary for a table. Binary is faster for most types, but only those whose binary form is the same on every server and
// holds no OIDs of the source may travel so; and where values are short, text may be as fast and is smaller. Pure.
import type { CopyFormat } from '../model/catalog.js';

export interface ColumnType {
  /** pg_type.oid; of the base type where the column's type is a domain. */
  readonly typeOid: number;
  /** pg_type.typtype: b base, e enum, ... */
  readonly typtype: string;
  /** Element type of an array, else 0. */
  readonly elementOid: number;
}

/** Built-in types whose send/receive format is portable: OIDs below 10000 never change.
 *  Left out on purpose: reg* and oid types (meaning changes), money (depends on lc_monetary), xml, name, pg_lsn, text search, geometric. */
const portable = new Set([
  16, // bool
  17, // bytea
  20, // int8
  21, // int2
  23, // int4
  25, // text
  114, // json
  700, // float4
  701, // float8
  869, // inet
  650, // cidr
  829, // macaddr
  1042, // bpchar
  1043, // varchar
  1082, // date
  1083, // time
  1114, // timestamp
  1184, // timestamptz
  1186, // interval
  1266, // timetz
  1560, // bit
  1562, // varbit
  1700, // numeric
  2950, // uuid
  3802, // jsonb
]);

/** True where the column may travel in binary. An enum's label travels as text; an array holds its element's OID, so only built-in ones. */
function isPortable({ typeOid, typtype, elementOid }: ColumnType): boolean {
  return portable.has(typeOid) || typtype === 'e' || (elementOid !== 0 && portable.has(elementOid));
}

/** Written as text at once, and in few letters, whereas in binary each has four bytes of length before it: docs/decisions/0014. */
const short = new Set([
  16, // bool
  20, // int8
  21, // int2
  23, // int4
]);

/** True where text is made faster than binary, and gets smaller. Of text itself that is so for short words only, which no type tells. */
function isShort({ typeOid, typtype }: ColumnType): boolean {
  return short.has(typeOid) || typtype === 'e';
}

/** What was found out of the rows of one table. */
export interface FormSample {
  /** The time of text, of that of binary. */
  readonly timeOfText: number;
  /** Compressed bytes of the same rows. */
  readonly text: number;
  readonly binary: number;
}

/** No time is given for bytes. */
export const slowest = 1;

/** The format of a table whose columns are all portable, by a sample: text where it is as fast, and smaller. */
export function decideFormat({ timeOfText, text, binary }: FormSample): CopyFormat {
  return timeOfText <= slowest && text < binary ? 'text' : 'binary';
}

/** The format for one table: as asked for, and with 'auto' binary where all columns are portable and one at least gains by it. */
export function chooseFormat(wanted: CopyFormat | 'auto', columns: readonly ColumnType[]): CopyFormat {
  if (wanted !== 'auto') return wanted;
  return columns.every(isPortable) && !columns.every(isShort) ? 'binary' : 'text';
}
