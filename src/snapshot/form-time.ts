// How long rows take as text, of the time that they take in binary: server and reader together, by what was measured of each type. Measuring it anew
// for each table would take longer, and on a busy machine say less. docs/decisions/0014 has the figures. Pure.
import type { ColumnType } from './copy-format.js';
import type { ValueWidth } from './value-widths.js';

/** Nanoseconds for each value, and for each byte that it has in binary. */
type Line = readonly [each: number, perByte: number];
interface FormTimes {
  readonly text: Line;
  readonly binary: Line;
}

const float: FormTimes = { text: [190, 0], binary: [110, 0] };
const characters: FormTimes = { text: [55, 3.5], binary: [100, 2] };
const time: FormTimes = { text: [310, 0], binary: [112, 0] };

/** By pg_type.oid. Others are as fast in binary or faster, or may not travel so at all. */
const times: ReadonlyMap<number, FormTimes> = new Map([
  [16, { text: [50, 0], binary: [80, 0] }], // bool
  [21, { text: [55, 0], binary: [95, 0] }], // int2
  [23, { text: [85, 0], binary: [102, 0] }], // int4
  [20, { text: [95, 0], binary: [102, 0] }], // int8
  [700, float], // float4
  [701, float], // float8
  [1700, { text: [80, 10], binary: [150, 3.4] }], // numeric
  [1082, { text: [140, 0], binary: [100, 0] }], // date
  [1083, time], // time
  [1114, time], // timestamp
  [1184, time], // timestamptz
  [2950, { text: [195, 0], binary: [140, 0] }], // uuid
  [17, { text: [73, 10.2], binary: [82, 2.3] }], // bytea
  [25, characters], // text
  [1042, characters], // bpchar
  [1043, characters], // varchar
]);

const ofNull = 15;
/** Where nothing is known: short, so that text gets its chance. */
const unknown: ValueWidth = { nulls: 0, bytes: 10 };

/** @param widths of the columns; without them as if all values were short
 *  @returns undefined where there is no column, or where that is not known of one */
export function timeOfText(columns: readonly ColumnType[], widths?: readonly ValueWidth[]): number | undefined {
  let [text, binary] = [0, 0];
  for (const [i, { typeOid, typtype }] of columns.entries()) {
    const known = typtype === 'e' ? characters : times.get(typeOid);
    if (known === undefined) return undefined;
    const width = widths === undefined ? unknown : widths[i];
    if (width === undefined) return undefined;
    text += timeOf(known.text, width);
    binary += timeOf(known.binary, width);
  }
  return binary === 0 ? undefined : text / binary;
}

function timeOf([each, perByte]: Line, { nulls, bytes }: ValueWidth): number {
  return nulls * ofNull + (1 - nulls) * (each + perByte * bytes);
}
