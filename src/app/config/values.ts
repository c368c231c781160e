// The kinds of values that configurations have: how each is written, what it becomes, and how the JSON schema describes it. Which key has
// which kind is schema.ts's business.
import * as z from 'zod';
import { parseBytes, parseDuration } from '../quantities.js';
import { checkPrefix } from '../repository/layout.js';
import { refusalOf } from './refusal.js';

interface Kind<Out> {
  /** undefined: it is none. */
  readonly read: (input: unknown) => Out | undefined;
  /** What it must be: `a duration with its unit, as in "10s"`. */
  readonly must: string;
  readonly json: Readonly<Record<string, unknown>>;
  /** May hold a password: no error repeats it. */
  readonly secret?: boolean;
}

function value<In, Out>({ read, must, json, secret = false }: Kind<Out>) {
  return z
    .custom<In>()
    .transform((input: unknown, context): Out => {
      const output = input === undefined ? undefined : read(input);
      if (output !== undefined) return output;
      const message = input === undefined ? `is missing: it must be ${must}` : `must be ${must}${secret ? '' : `, and is ${shown(input)}`}`;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    })
    .meta(json);
}

/** A wrong value in a message: short ones as they are. */
export function shown(input: unknown): string {
  if (input === null) return 'null';
  if (Array.isArray(input)) return 'a list';
  // A connection string that landed in the wrong place.
  if (typeof input === 'string' && /[@=]|:\/\//.test(input)) return 'other text';
  if (typeof input === 'string') return JSON.stringify(input.length > 40 ? `${input.slice(0, 40)}...` : input);
  if (typeof input === 'object') return 'an object';
  return typeof input === 'function' ? 'a function' : String(input);
}

const durationPattern = '^(\\s*[0-9]+(\\.[0-9]+)?\\s*(ms|s|min|m|h|d)\\s*)+$';

/** `"10s"`, `"1h30m"`; a number without a unit could be anything. @returns milliseconds */
export const duration = () =>
  value<string, number>({
    read: (input) => (typeof input === 'string' && /[a-z]/.test(input) ? parseDuration(input) : undefined),
    must: 'a duration with its unit, as in "500ms", "10s", "15m", "1h30m" or "7d"',
    json: { type: 'string', pattern: durationPattern },
  });

/** One that a timer of Node.js can wait for: more than 0, and less than 2^31 ms. */
export const timer = () =>
  value<string, number>({
    read: (input) => {
      const ms = typeof input === 'string' && /[a-z]/.test(input) ? parseDuration(input) : undefined;
      return ms !== undefined && ms > 0 && ms < 2 ** 31 ? ms : undefined;
    },
    must: 'a duration of more than 0 and up to 24 days, with its unit, as in "500ms", "10s" or "5m"',
    json: { type: 'string', pattern: durationPattern },
  });

/** A duration of which 0 means: for ever. */
export const durationOrZero = () =>
  value<string | 0, number>({
    read: (input) => {
      if (input === 0 || input === '0') return 0;
      return typeof input === 'string' && /[a-z]/.test(input) ? parseDuration(input) : undefined;
    },
    must: 'a duration with its unit, as in "500ms" or "10s", or 0',
    json: { anyOf: [{ type: 'string', pattern: durationPattern }, { const: 0 }] },
  });

/** `"64MB"`, `"1GiB"`, or a number of bytes. */
export const size = () =>
  value<string | number, bigint>({
    read: (input) => (typeof input === 'string' ? parseBytes(input) : typeof input === 'number' ? wholeOf(input) : undefined),
    must: 'a size, as in "64MB" or "1GiB"',
    json: {
      anyOf: [
        { type: 'string', pattern: '^[0-9]+(\\.[0-9]+)?\\s*([kKmMgGtTpP]i?)?[bB]?$' },
        { type: 'integer', minimum: 0 },
      ],
    },
  });

/** What may pass 2^53: JSON numbers up to there, beyond it decimal strings; in JavaScript a bigint. Whether 0 makes sense is for the rules
 *  to say, in their own words. */
export const big = () =>
  value<number | string | bigint, bigint>({
    read: (input) => {
      if (typeof input === 'bigint') return input;
      if (typeof input === 'string') return /^-?\d{1,19}$/.test(input) ? BigInt(input) : undefined;
      return typeof input === 'number' ? wholeOf(input) : undefined;
    },
    must: 'a whole number, from 2^53 on in quotes',
    json: {
      anyOf: [
        { type: 'integer', minimum: 1 },
        { type: 'string', pattern: '^[0-9]{1,19}$' },
      ],
    },
  });

function wholeOf(input: number): bigint | undefined {
  return Number.isSafeInteger(input) ? BigInt(input) : undefined;
}

/** How many to keep: a number, or all. Whether 0 makes sense is for the policy to say. */
export const count = () =>
  value<number | 'all', number | 'all'>({
    read: (input) => (input === 'all' || Number.isSafeInteger(input) ? (input as number | 'all') : undefined),
    must: 'a whole number or "all"',
    json: { anyOf: [{ type: 'integer', minimum: 1 }, { const: 'all' }] },
  });

export const wholeNumber = ({ from, to }: { readonly from: number; readonly to: number }) =>
  value<number, number>({
    read: (input) => (typeof input === 'number' && Number.isInteger(input) && input >= from && input <= to ? input : undefined),
    must: `a whole number from ${from} to ${to}`,
    json: { type: 'integer', minimum: from, maximum: to },
  });

export const flag = () =>
  value<boolean, boolean>({
    read: (input) => (typeof input === 'boolean' ? input : undefined),
    must: 'true or false',
    json: { type: 'boolean' },
  });

export const text = ({ secret = false }: { readonly secret?: boolean } = {}) =>
  value<string, string>({
    read: (input) => (typeof input === 'string' && input !== '' && !input.includes('\0') ? input : undefined),
    must: 'text that is not empty',
    json: { type: 'string', minLength: 1 },
    secret,
  });

/** What may be the beginning of a file's name. */
export const namePart = () =>
  value<string, string>({
    read: (input) => (typeof input === 'string' && refusalOf(() => checkPrefix(input)) === undefined ? input : undefined),
    must: 'the beginning of a file name: letters, digits, _, - and ., a letter or digit or _ first',
    json: { type: 'string', pattern: '^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$' },
  });

/** Where a web hook is; whoever knows the address may call it, so it is as good as a password. */
export const webAddress = () =>
  value<string, string>({
    read: (input) => (typeof input === 'string' && /^https?:\/\//i.test(input) && URL.canParse(input) ? input : undefined),
    must: 'a URL that begins with http:// or https://',
    json: { type: 'string', format: 'uri', pattern: '^https?://' },
    secret: true,
  });

export const texts = () => z.array(text());

/** An object without other keys. What is unknown is told with the keys that there are, which problems.ts makes a sentence of. */
export function section<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? Object.keys(shape).join(' ') : undefined),
  });
}
