// A row of binary COPY data as COPY would write it as text, for people: common types as PostgreSQL prints them, others as text where they look
// like text, else in hex. By most of the common ones rows are compared, too (text-of-rows.ts): these are written as the server does, or not at all. Pure.
// https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.4 (binary format), and the types' send functions
import { isUtf8 } from 'node:buffer';
import { decodeText } from '../../model/byte-text.js';
import type { Column } from '../../model/catalog.js';

/** @param row from its count of fields on; of a long row only its beginning */
export function binaryRowText(row: Buffer, columns: readonly Column[]): string {
  const fields: string[] = [];
  let at = 2;
  for (const { type } of columns) {
    if (at + 4 > row.length) break;
    const length = row.readInt32BE(at);
    at += 4;
    const value = row.subarray(at, at + Math.max(length, 0));
    fields.push(length === -1 ? '\\N' : fieldText(type, value, value.length === length));
    at += Math.max(length, 0);
  }
  return fields.join('\t');
}

function fieldText(type: string, value: Buffer, whole: boolean): string {
  const print = printerOf(type);
  try {
    // Of a number that is cut nothing can be said.
    if (print !== undefined && (whole || cuttable.has(print))) return escaped(print(value));
  } catch (error) {
    // Not as long as its type says.
    if (!(error instanceof RangeError)) throw error;
  }
  return looksLikeText(value) ? escaped(text(value)) : escaped(bytea(value));
}

/** How values of a common type are written; it throws RangeError for those that it cannot write. Undefined for other types.
 *  @param type as format_type names it */
function printerOf(type: string): Print | undefined {
  // `numeric(10,2)`, `timestamp(3) with time zone`, `"text"`: all that is not qualified is PostgreSQL's own.
  return printers.get(type.replace(/\(.*?\)/, '').replace(/^"([^"]*)"$/, '$1'));
}

/** The same for types whose values are written as the server writes them, letter by letter. Of floating point the last digit may be another that stands for the
 *  same number; XML has its encoding in binary alone. */
export function exactPrinterOf(type: string): Print | undefined {
  const print = printerOf(type);
  return print !== undefined && inexact.has(print) ? undefined : print;
}

function looksLikeText(value: Buffer): boolean {
  return isUtf8(value) && !value.some((byte) => byte < 0x20);
}

/** Backslashes, and what would end a field or a row, as COPY escapes them. */
export function escaped(value: string): string {
  return value.replace(/[\\\b\f\n\r\t\v]/g, (character) => escapes[character] ?? character);
}

const escapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

export type Print = (value: Buffer) => string;

const text: Print = decodeText;
const bytea: Print = (value) => `\\x${value.toString('hex')}`;
const xml: Print = (value) => text(value);
const json: Print = (value) => text(value.subarray(1));
const uuid: Print = (value) => value.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

function real(value: Buffer): string {
  const number = value.readFloatBE();
  const lengths = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  const shortest = lengths.map((digits) => number.toExponential(digits)).find((text) => Math.fround(Number(text)) === number);
  return floating(number, shortest ?? number.toExponential(), 6);
}

function double(value: Buffer): string {
  const number = value.readDoubleBE();
  return floating(number, number.toExponential(), 15);
}

/** @param shortest digits that stand for this number only, as in `9.007e+15`
 *  @param from the exponent from which on it is written so */
function floating(number: number, shortest: string, from: number): string {
  const [digits, power] = shortest.split('e');
  if (power === undefined) return String(number);
  const exponent = Number(power);
  if (Object.is(number, -0)) return '-0';
  if (exponent >= -4 && exponent < from) return String(Number(shortest));
  return `${digits}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

const millisecondsAt2000 = Date.UTC(2000, 0, 1);

function date(value: Buffer): string {
  const days = value.readInt32BE();
  if (days === 2 ** 31 - 1 || days === -(2 ** 31)) return days > 0 ? 'infinity' : '-infinity';
  const { day, era } = calendar(millisecondsAt2000 + days * 86_400_000);
  return `${day}${era}`;
}

function timestamp(value: Buffer): string {
  const micros = value.readBigInt64BE();
  return moment(micros, '');
}

function timestamptz(value: Buffer): string {
  return moment(value.readBigInt64BE(), '+00');
}

function moment(micros: bigint, zone: string): string {
  if (micros === 2n ** 63n - 1n || micros === -(2n ** 63n)) return micros > 0 ? 'infinity' : '-infinity';
  const within = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const { day, time, era } = calendar(millisecondsAt2000 + Number((micros - within) / 1000n));
  return `${day} ${time}${fraction(within)}${zone}${era}`;
}

function time(value: Buffer): string {
  const micros = value.readBigInt64BE();
  const seconds = micros / 1_000_000n;
  const parts = [seconds / 3600n, (seconds / 60n) % 60n, seconds % 60n].map((part) => part.toString().padStart(2, '0'));
  return `${parts.join(':')}${fraction(micros % 1_000_000n)}`;
}

function fraction(micros: bigint): string {
  return micros === 0n ? '' : `.${micros.toString().padStart(6, '0').replace(/0+$/, '')}`;
}

/** Before the year 1 is the year 1 BC. @throws RangeError for a time that JavaScript has not */
function calendar(ms: number): { readonly day: string; readonly time: string; readonly era: string } {
  const date = new Date(ms);
  const iso = date.toISOString();
  const [rest = '', time = ''] = iso.slice(iso.indexOf('-', 1)).split('T');
  const year = date.getUTCFullYear();
  const shown = String(year > 0 ? year : 1 - year).padStart(4, '0');
  return { day: `${shown}${rest}`, time: time.slice(0, -'.000Z'.length), era: year > 0 ? '' : ' BC' };
}

/** Digits of base 10000 with a weight, and how many decimals are shown. */
function numeric(value: Buffer): string {
  const [count, weight, sign, scale] = [value.readInt16BE(0), value.readInt16BE(2), value.readUInt16BE(4), value.readUInt16BE(6)];
  const special = { 49152: 'NaN', 53248: 'Infinity', 61440: '-Infinity' }[sign];
  if (special !== undefined) return special;
  if (weight > 1000 || scale > 1000) throw new RangeError('too many digits to be shown');
  const group = (place: number): string => {
    const index = weight - place;
    const digits = index >= 0 && index < count ? value.readUInt16BE(8 + index * 2) : 0;
    return String(digits).padStart(4, '0');
  };
  let whole = '';
  for (let place = Math.max(weight, 0); place >= 0; place -= 1) whole += group(place);
  let decimals = '';
  for (let place = -1; decimals.length < scale; place -= 1) decimals += group(place);
  return `${sign === 0x4000 ? '-' : ''}${whole.replace(/^0+(?=\d)/, '')}${scale === 0 ? '' : `.${decimals.slice(0, scale)}`}`;
}

/** The beginning of these says something, too. */
const cuttable: ReadonlySet<Print> = new Set([text, xml, json, bytea]);

const inexact: ReadonlySet<Print> = new Set([real, double, xml]);

/** By the names of format_type, without modifiers. */
const printers: ReadonlyMap<string, Print> = new Map([
  ['boolean', (value) => (value.readUInt8() === 0 ? 'f' : 't')],
  ['smallint', (value) => String(value.readInt16BE())],
  ['integer', (value) => String(value.readInt32BE())],
  ['bigint', (value) => String(value.readBigInt64BE())],
  ['oid', (value) => String(value.readUInt32BE())],
  ['real', real],
  ['double precision', double],
  ['numeric', numeric],
  ['text', text],
  ['character varying', text],
  ['character', text],
  ['name', text],
  ['json', text],
  ['xml', xml],
  ['jsonb', json],
  ['uuid', uuid],
  ['bytea', bytea],
  ['date', date],
  ['time without time zone', time],
  ['timestamp without time zone', timestamp],
  ['timestamp with time zone', timestamptz],
]);
