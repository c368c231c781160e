// How values are written in the JSON of an archive where JSON has no form of its own for them, and the pieces that manifest and catalog
// share. Each is one zod codec, so that reading and writing cannot drift apart.
import { z } from 'zod';
import { TidemarkError } from '../model/errors.js';
import { formatLsn, parseLsn } from '../pg/lsn.js';

/** Integers that can pass 2^53, as decimal strings; never negative. */
export const decimal = z.codec(z.string().regex(/^(0|[1-9][0-9]{0,18})$/), z.bigint().nonnegative(), {
  decode: (text) => BigInt(text),
  encode: (value) => value.toString(),
});

/** A write-ahead log position, as pg_lsn prints it. */
export const lsn = z.codec(z.string().regex(/^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/), z.bigint().nonnegative(), {
  decode: parseLsn,
  encode: formatLsn,
});

/** An instant in UTC, to the millisecond: 2026-01-31T23:59:59.999Z. */
export const instant = z.codec(z.iso.datetime({ precision: 3 }), z.date(), {
  decode: (text) => new Date(text),
  encode: (value) => value.toISOString(),
});

/** Numbers that index something. */
export const index = z.int().nonnegative();

function isIndex(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Lists of these can have millions: each is looked at, but not through a schema of its own. */
export const indexes = z.custom<readonly number[]>(
  (value) => Array.isArray(value) && value.every(isIndex),
  'it must be a list of numbers that are not negative',
);
export const texts = z.custom<readonly string[]>(
  (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
  'it must be a list of texts',
);

export const hex64 = z.string().regex(/^[0-9a-f]{64}$/);

/** An array that is read up to its first flaw: zod's own goes on, and makes an issue of each of a million. */
export function list<Value>(item: z.ZodType<Value>, least = 0) {
  const isList = (value: unknown): boolean => Array.isArray(value) && value.length >= least;
  const message = least === 0 ? 'it must be a list' : `it must be a list of ${least} at least`;
  return z
    .codec(z.custom<readonly unknown[]>(isList, message), z.custom<readonly Value[]>(isList, message), {
      decode: (values, context) => {
        const read: Value[] = [];
        for (const [at, value] of values.entries()) {
          const one = item.safeDecode(value as never);
          if (!one.success) {
            const [first] = one.error.issues;
            context.issues.push({ code: 'custom', path: [at, ...(first?.path ?? [])], message: first?.message, input: undefined });
            return z.NEVER;
          }
          read.push(one.data);
        }
        return read;
      },
      encode: (values) => values.map((value) => z.encode(item, value)),
    })
    .readonly();
}

const column = z.strictObject({ name: z.string(), type: z.string() }).readonly();

/** What both say of a table. */
export const tableFields = {
  object: index,
  directory: z.string().max(80),
  schema: z.string(),
  name: z.string(),
  columns: list(column),
  format: z.enum(['text', 'binary']),
  withoutData: z.enum(['excluded', 'schema-only', 'unlogged-on-standby']).exactOptional(),
  largeObjects: index.exactOptional(),
  statistics: z.literal(true).exactOptional(),
};

/** An object with any keys: zod's own record passes over `__proto__` without a word. */
export function record<Value>(item: z.ZodType<Value>) {
  const pairs = z.array(z.tuple([z.string(), item]));
  const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);
  const stored = z.custom<Readonly<Record<string, unknown>>>(isObject);
  return z.codec(stored, z.custom<Readonly<Record<string, Value>>>(isObject), {
    decode: (value, context) => {
      const read = pairs.safeDecode(Object.entries(value) as never);
      if (read.success) return Object.fromEntries(read.data);
      context.issues.push({ code: 'custom', message: 'its values are not what they must be', input: value });
      return z.NEVER;
    },
    encode: (value) => Object.fromEntries(pairs.encode(Object.entries(value) as never)),
  });
}

/** `JSON.parse` for a member of an archive: json-bounds.ts has looked at it before. Throws ARCHIVE_CORRUPT. */
export function parseJson(member: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new TidemarkError('ARCHIVE_CORRUPT', `read ${member}: it is no JSON`, { cause: error });
  }
}

/** Of a message that repeats what the archive has, which can be megabytes. */
const placeLength = 200;

/** Decodes by a schema. Throws ARCHIVE_CORRUPT that names the first few places where the value breaks it. */
export function decodeJson<T>(schema: z.ZodType<T>, member: string, value: unknown): T {
  const result = schema.safeDecode(value as never);
  if (result.success) return result.data;
  const places = result.error.issues
    .slice(0, 3)
    .map((issue) => `${issue.path.map(String).join('.') || 'top level'}: ${issue.message}`)
    .map((place) => (place.length <= placeLength ? place : `${place.slice(0, placeLength)}...`));
  throw new TidemarkError('ARCHIVE_CORRUPT', `read ${member}: ${places.join('; ')}`, { details: { places }, cause: result.error });
}
