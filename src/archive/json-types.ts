// How values are written in the JSON of an archive where JSON has no form of its own for them, and the pieces that manifest and catalog
// share. Each is one zod codec, so that reading and writing cannot drift apart.
import * as z from 'zod';
import type { Column } from '../model/catalog.js';
import { TidemarkError } from '../model/errors.js';
import { formatLsn, parseLsn } from '../pg/lsn.js';
import * as forms from './forms.js';
import { Flaw, type Form, fields, listOf, oneOf, optional, textUpTo } from './forms.js';

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

export const hex64 = z.string().regex(/^[0-9a-f]{64}$/);

export const texts = ofForm(forms.texts);

/** What has a form of its own, as a part of a schema: read and written up to its first flaw, where zod would go on and make an issue of
 *  each of a million. */
export function ofForm<Value>(form: Form<Value>) {
  return z
    .codec(z.unknown(), z.custom<Value>(), {
      decode: (json, context) => orFlaw(() => form.read(json), context),
      encode: (value, context) => orFlaw(() => form.write(value), context),
    })
    .readonly();
}

function orFlaw<Result>(step: () => Result, { issues }: z.core.ParsePayload): Result {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof Flaw)) throw error;
    issues.push({ code: 'custom', path: [...error.path], message: error.message, input: undefined });
    return z.NEVER;
  }
}

/** A list of what has no form of its own. */
export function list<Value>(item: z.ZodType<Value>) {
  return ofForm(
    listOf<Value>({
      read: (json) => orThrow(item.safeParse(json)),
      write: (value) => orThrow(z.safeEncode(item, value)),
    }),
  );
}

function orThrow<Result>(result: z.ZodSafeParseResult<Result>): Result {
  if (result.success) return result.data;
  const [first] = result.error.issues;
  throw Object.assign(new Flaw(first?.message), { path: first?.path ?? [] });
}

/** What both say of a table. */
export const tableForms = {
  object: forms.index,
  directory: textUpTo(80),
  schema: forms.text,
  name: forms.text,
  columns: listOf(fields<Column>({ name: forms.text, type: forms.text })),
  format: oneOf('text', 'binary'),
  withoutData: optional(oneOf('excluded', 'schema-only', 'unlogged-on-standby')),
  largeObjects: optional(forms.index),
  statistics: optional(oneOf(true)),
};

/** An object with any keys: zod's own record passes over `__proto__` without a word. */
export function record<Value>(item: z.ZodType<Value>) {
  const pairs = z.array(z.tuple([z.string(), item]));
  const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);
  const stored = z.custom<Readonly<Record<string, unknown>>>(isObject);
  return z.codec(stored, z.custom<Readonly<Record<string, Value>>>(isObject), {
    decode: (value, context) => {
      const read = pairs.safeParse(Object.entries(value));
      if (read.success) return Object.fromEntries(read.data);
      context.issues.push({ code: 'custom', message: 'its values are not what they must be', input: value });
      return z.NEVER;
    },
    encode: (value) => Object.fromEntries(pairs.encode(Object.entries(value))),
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
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const places = result.error.issues
    .slice(0, 3)
    .map((issue) => `${issue.path.map(String).join('.') || 'top level'}: ${issue.message}`)
    .map((place) => (place.length <= placeLength ? place : `${place.slice(0, placeLength)}...`));
  throw new TidemarkError('ARCHIVE_CORRUPT', `read ${member}: ${places.join('; ')}`, { details: { places }, cause: result.error });
}
