// The manifest's form on disk, member `manifest.json`: model/manifest.ts with bigints as decimal strings, instants in ISO 8601 and the
// LSN as PostgreSQL prints it. Strict in its own version, and it knows a newer one before it looks at anything else.
import * as z from 'zod';
import { manifestMember } from '../frame/member-names.js';
import { TidemarkError } from '../model/errors.js';
import {
  type CompletedPartition,
  type FrameSize,
  formatVersion,
  type LeftOut,
  type Manifest,
  type OtherArchive,
  type StoredChunk,
  type StoredMember,
  type TableEntry,
} from '../model/manifest.js';
import {
  decimal as bigint,
  fields,
  hash,
  index as indexForm,
  listOf,
  nullable,
  optional,
  pair,
  pattern,
  text,
  textUpTo,
  uint32,
} from './forms.js';
import { decimal, decodeJson, index, instant, list, lsn, ofForm, parseJson, record, tableForms, texts } from './json-types.js';

/** `../2026-01-31/snapshot.tar.zst`: relative, `..` only at its beginning; and it names an archive, for nothing else is to be opened. */
const otherFile =
  /^(\.\.\/)*((?!\.{1,2}\/)(?:[^/\\\p{Control}]|[\u007f-\u009f])+\/)*(?:[^/\\\p{Control}]|[\u007f-\u009f])+\.tar\.zst(\.age)?$/u;

const memberForms = {
  member: textUpTo(100),
  offset: bigint,
  length: bigint,
  frames: listOf(fields<FrameSize>({ compressed: uint32, raw: uint32 }), 1),
  rawBytes: bigint,
  sha256: hash,
};

const chunk = fields<StoredChunk>({ ...memberForms, rows: bigint, range: nullable(pair(bigint, nullable(bigint))) });

const tableEntry = fields<TableEntry>({
  ...tableForms,
  rows: bigint,
  rawBytes: bigint,
  chunks: listOf(chunk),
  in: optional(indexForm),
  completed: optional(fields<CompletedPartition>({ fingerprint: hash, xid: bigint })),
});

const leftOut = fields<LeftOut>({ kind: text, name: text, reason: text });

const otherArchive = fields<OtherArchive>({ file: pattern(otherFile, 1000), sha256: hash, bytes: bigint });

export const sourceRecord = z
  .strictObject({
    serverVersion: index,
    systemIdentifier: z.string().nullable(),
    database: z.string(),
    encoding: z.string(),
    collate: z.string(),
    ctype: z.string(),
    localeProvider: z.string(),
    locale: z.string().nullable(),
    icuRules: z.string().nullable(),
    inRecovery: z.boolean(),
  })
  .readonly();

export const positionRecord = z
  .strictObject({
    at: instant,
    lsn,
    height: decimal.exactOptional(),
    hash: z.string().exactOptional(),
    changes: decimal.exactOptional(),
    commits: decimal.exactOptional(),
    streams: record(decimal).readonly().exactOptional(),
  })
  .readonly();

const speed = z.number().nonnegative();

const compression = z
  .strictObject({
    level: z.int(),
    reason: z.string(),
    sample: z
      .strictObject({
        bytes: index,
        readMegabytesPerSecond: speed,
        tried: z.array(z.strictObject({ level: z.int(), megabytesPerSecond: speed, ratio: speed }).readonly()).readonly(),
      })
      .readonly()
      .exactOptional(),
  })
  .readonly();

const settings = z
  .strictObject({
    jobs: index,
    compressLevel: z.int(),
    compression: compression.exactOptional(),
    chunkBytes: index,
    sections: list(z.enum(['schema', 'pre-data', 'data', 'post-data'])),
    selection: z.record(z.string(), texts).readonly(),
  })
  .readonly();

const manifest = z
  .strictObject({
    format: z.literal('tidemark'),
    formatVersion: z.int().min(formatVersion).max(formatVersion),
    toolVersion: z.string(),
    source: sourceRecord,
    position: positionRecord,
    settings,
    schema: ofForm(listOf(fields<StoredMember>(memberForms))),
    tables: ofForm(listOf(tableEntry)),
    archives: ofForm(listOf(otherArchive, 1)).exactOptional(),
    leftOut: ofForm(listOf(leftOut)),
    totals: z.strictObject({ tables: index, rows: decimal, rawBytes: decimal, compressedBytes: decimal }).readonly(),
  })
  .readonly();

/** The text of `manifest.json`: one line of JSON. Throws ZodError where the manifest breaks its own schema. */
export function serializeManifest(value: Manifest): string {
  return `${JSON.stringify(z.encode(manifest, value))}\n`;
}

/**
 * Reads a manifest. Throws ARCHIVE_INVALID where it is not of this program, ARCHIVE_TOO_NEW where the format has a higher version
 * than this program knows, ARCHIVE_CORRUPT where anything is missing, unknown or of the wrong form. Whether it agrees with the
 * archive around it is for layout.ts.
 */
export function parseManifest(text: string): Manifest {
  const value = parseJson(manifestMember, text);
  const head = z.object({ format: z.literal('tidemark'), formatVersion: z.int().positive() }).safeParse(value);
  if (!head.success) throw new TidemarkError('ARCHIVE_INVALID', `read ${manifestMember}: it is not a manifest of tidemark`);
  checkVersion(head.data.formatVersion);
  return decodeJson(manifest, manifestMember, value);
}

/** Throws ARCHIVE_TOO_NEW for a format of the future, ARCHIVE_CORRUPT for one that never was. */
export function checkVersion(found: number): void {
  if (found < 1) throw new TidemarkError('ARCHIVE_CORRUPT', `read the archive: there is no version ${found} of its format`);
  if (found <= formatVersion) return;
  throw new TidemarkError(
    'ARCHIVE_TOO_NEW',
    `read the archive: its format has version ${found}, and this tidemark knows up to ${formatVersion}`,
    {
      hint: 'use the release of tidemark that made it, or a later one',
      details: { found, known: formatVersion },
    },
  );
}
