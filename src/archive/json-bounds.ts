// How much a JSON text of an archive may make a reader hold, found out before it is parsed: a few kilobytes of zstd can be a hundred megabytes of
// brackets, and those gigabytes of objects. Pure; what the values must be is for the schemas.
import { TidemarkError } from '../model/errors.js';

/** What manifest and catalog may be, each. */
export interface JsonLimits {
  /** Raw, for both are held in memory as a whole. */
  readonly bytes: number;
  /** Brackets, commas and colons outside of texts. What tidemark writes has one for every five bytes or more. */
  readonly marks: number;
  /** What to do about an archive that is larger. Undefined: no tidemark wrote it. */
  readonly hint?: string;
  /** Of a catalog, before each of them is looked at: more than any that people have. */
  readonly items?: Readonly<Record<'objects' | 'steps' | 'tables', number>>;
}

const mebi = 1024 * 1024;

/** Of any archive: some 400,000 chunks. */
export const jsonLimits: JsonLimits = { bytes: 128 * mebi, marks: 32 * mebi };

/** Of one from somebody who is not trusted: some 100,000 chunks, 400 GB of rows. */
export const untrustedJsonLimits: JsonLimits = {
  bytes: 32 * mebi,
  marks: 8 * mebi,
  items: { objects: 200_000, steps: 1_000_000, tables: 100_000 },
  hint: 'an archive of this size is restored only from somebody who is trusted: without --untrusted',
};

/** Levels of arrays and objects; what tidemark writes has eight. */
const depthLimit = 32;

/** Different keys, by their hashes. Only the names of streams and of settings are free. */
const keyLimit = 16_384;

const quote = 0x22;
const backslash = 0x5c;

/** The error of a member that passes a bound. */
export function tooLarge(member: string, what: string, { hint }: JsonLimits): TidemarkError {
  if (hint === undefined) {
    return new TidemarkError('ARCHIVE_CORRUPT', `read ${member}: ${what}`, {
      hint: 'no tidemark wrote this archive as it is: use another copy of it',
    });
  }
  return new TidemarkError('ARCHIVE_INVALID', `read ${member} of an untrusted archive: ${what}`, { hint });
}

/** Of the lists of a catalog that was parsed, and may be anything. @throws TidemarkError ARCHIVE_INVALID */
export function checkItems(member: string, value: unknown, limits: JsonLimits = jsonLimits): void {
  const lists = value as Partial<Record<string, unknown>> | null;
  for (const [what, most] of Object.entries(limits.items ?? {})) {
    const list = lists?.[what];
    if (Array.isArray(list) && list.length > most) throw tooLarge(member, `it has more than ${most} ${what}`, limits);
  }
}

/** Of a size in bytes. @throws TidemarkError ARCHIVE_CORRUPT, ARCHIVE_INVALID */
export function checkJsonSize(member: string, bytes: number | bigint, limits: JsonLimits): void {
  if (bytes > limits.bytes) throw tooLarge(member, `it has ${bytes} bytes, and ${limits.bytes} are the most`, limits);
}

/** Looks at bytes that should be JSON, as far as its texts, brackets, commas and colons go: a parser finds out the rest.
 *  @throws TidemarkError ARCHIVE_CORRUPT, ARCHIVE_INVALID that say which bound it passes */
export function checkJsonBounds(member: string, json: Uint8Array, limits: JsonLimits = jsonLimits): void {
  const refused = (what: string): TidemarkError => tooLarge(member, what, limits);
  const keys = new Set<number>();
  let hash = 0;
  let depth = 0;
  let marks = 0;
  for (let at = 0; at < json.length; at += 1) {
    const code = json[at] ?? 0;
    if (code === quote) {
      hash = 0;
      for (at += 1; at < json.length; at += 1) {
        const inner = json[at] ?? 0;
        if (inner === quote) break;
        hash = (Math.imul(hash, 31) + inner) | 0;
        if (inner === backslash) at += 1;
      }
      continue;
    }
    if (code === 0x3a) {
      keys.add(hash);
      if (keys.size > keyLimit) throw refused(`its objects have more than ${keyLimit} different keys`);
    } else if (code === 0x5b || code === 0x7b) {
      depth += 1;
      if (depth > depthLimit) throw refused(`its values are nested deeper than ${depthLimit} levels`);
    } else if (code === 0x5d || code === 0x7d) {
      depth -= 1;
    } else if (code !== 0x2c) {
      continue;
    }
    marks += 1;
    if (marks > limits.marks) throw refused(`it has more than ${limits.marks} brackets, commas and colons`);
  }
}
