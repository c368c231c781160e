// Reads the values of options. Each function refuses what it cannot read with one sentence; commander puts the option's name before it.
import { InvalidArgumentError } from 'commander';
import { parseBytes, parseDuration } from '../app/quantities.js';

export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

export function height(text: string): bigint {
  if (!/^\d{1,19}$/.test(text)) throw new InvalidArgumentError('It must be a whole number, with 19 digits at most.');
  return BigInt(text);
}

/** A level, or `auto`. */
export function compression(text: string): number | 'auto' {
  return text === 'auto' ? text : compressLevel(text);
}

/** `3`, or `zstd:3` as pg_dump has it. */
export function compressLevel(text: string): number {
  const match = /^(?:zstd:)?(-?\d{1,2})$/.exec(text);
  if (!match) throw new InvalidArgumentError('It must be a zstd level from 1 to 22, as in 3 or zstd:3.');
  return Number(match[1]);
}

/** `1500` and `1500ms`, `10s`, `5min`, `2h`, `1d`, as PostgreSQL's settings have it, and `1h30m`. @returns milliseconds */
export function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('It must be a duration, as in 500ms, 10s, 5min or 2h.');
  return ms;
}

/** `4MB`, `1MiB`, or a number of bytes. */
export function byteSize(text: string): number {
  const bytes = parseBytes(text);
  if (bytes === undefined || bytes > BigInt(Number.MAX_SAFE_INTEGER))
    throw new InvalidArgumentError('It must be a size, as in 4MB or 1MiB.');
  return Number(bytes);
}

/** `blocks=120`, several times: stream name to sequence. A name may hold `=`. */
export function streamSequence(text: string, previous: Readonly<Record<string, bigint>> = {}): Readonly<Record<string, bigint>> {
  const match = /^(.+)=(\d{1,19})$/s.exec(text);
  if (!match?.[1]) throw new InvalidArgumentError('It must be a stream and a whole number, as in blocks=120.');
  return Object.fromEntries([...Object.entries(previous), [match[1], BigInt(match[2] ?? 0)]]);
}

/** For options that may be given several times. */
export function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}

/** `functions,views`, and several times. */
export function commaList(text: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, ...text.split(',').map((word) => word.trim())];
}

type Texts = Readonly<Record<string, string>>;

/** What stands before the first `=` outside of double quotes, and what behind it. */
function rule(text: string, example: string): readonly [name: string, value: string] {
  const match = /^((?:"(?:[^"]|"")*"|[^"=])+)=(.*)$/s.exec(text);
  if (!match?.[1]) throw new InvalidArgumentError(`It must be a name and what is said of it, as in ${example}.`);
  return [match[1].trim(), match[2] ?? ''];
}

/** Entries with one more. @throws where there is one of that name: one of two conditions would be lost */
function withRule<Value>(previous: Readonly<Record<string, Value>>, name: string, value: Value): Readonly<Record<string, Value>> {
  if (Object.hasOwn(previous, name)) throw new InvalidArgumentError(`It is given twice for ${name}.`);
  return Object.fromEntries([...Object.entries(previous), [name, value]]);
}

/** `public.users=id < 100`, several times: table to condition. */
export function tableCondition(text: string, previous: Texts = {}): Texts {
  return withRule(previous, ...rule(text, "'public.users=id < 100'"));
}

/** `100`, for all tables, and `public.users=100`, several times. */
export function tableLimit(text: string, previous: Readonly<Record<string, number>> = {}): Readonly<Record<string, number>> {
  const [name, rows] = text.includes('=') ? rule(text, 'public.users=100') : ['*', text];
  return withRule(previous, name, wholeNumber(rows));
}

/** `public.users.email=md5(email)`, several times: table to column to expression. */
export function columnMask(text: string, previous: Readonly<Record<string, Texts>> = {}): Readonly<Record<string, Texts>> {
  const example = "'public.users.email=md5(email)'";
  const [name, expression] = rule(text, example);
  const [, table, column] = /^(.+)\.("(?:[^"]|"")*"|[^".]+)$/s.exec(name) ?? [];
  if (table === undefined || column === undefined) throw new InvalidArgumentError(`It must name table and column, as in ${example}.`);
  const { [table]: known = {}, ...others } = previous;
  return withRule(others, table, withRule(known, column, expression));
}
