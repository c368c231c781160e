// The form on disk of an export's `manifest.json` and `SHA256SUMS`. Strict in its own version, and it knows a newer one before it looks
// at anything else.
import * as z from 'zod';
import { TidemarkError } from '../model/errors.js';
import { type ExportedFile, type ExportManifest, exportFormatVersion } from '../model/export.js';
import { exportManifestFile, exportSumsFile, isExportFileName } from './export-names.js';
import { decimal, decodeJson, hex64, index, parseJson } from './json-types.js';
import { positionRecord, sourceRecord } from './manifest-schema.js';
import { checksumText, parseChecksumText } from './sidecars.js';

const signed = z.codec(z.string().regex(/^(0|-?[1-9][0-9]{0,18})$/), z.bigint(), {
  decode: (text) => BigInt(text),
  encode: (value) => value.toString(),
});

const fileFields = { file: z.string().max(200).refine(isExportFileName, 'it is no safe name'), bytes: decimal, sha256: hex64 };
const tableName = { schema: z.string(), name: z.string() };
const column = z.strictObject({ name: z.string(), type: z.string() }).readonly();
const sequence = z
  .strictObject({ schema: z.string(), table: z.string(), column: z.string(), lastValue: signed, isCalled: z.boolean() })
  .readonly();

const table = z
  .strictObject({
    ...tableName,
    partitionOf: z.strictObject(tableName).readonly().exactOptional(),
    ...fileFields,
    columns: z.array(column).readonly(),
    rows: decimal,
    rawBytes: decimal,
  })
  .readonly();

const manifest = z
  .strictObject({
    format: z.literal('tidemark-export'),
    formatVersion: z.int().min(exportFormatVersion).max(exportFormatVersion),
    toolVersion: z.string(),
    source: sourceRecord,
    position: positionRecord,
    encoding: z.string(),
    copyFormat: z.enum(['csv', 'text', 'binary']),
    selection: z.record(z.string(), z.array(z.string()).readonly()).readonly(),
    tables: z.array(table).readonly(),
    sequences: z.array(sequence).readonly(),
    schema: z.array(z.strictObject(fileFields).readonly()).readonly(),
    withoutRows: z.array(z.strictObject({ ...tableName, reason: z.string() }).readonly()).readonly(),
    leftOut: z.array(z.strictObject({ kind: z.string(), name: z.string(), reason: z.string() }).readonly()).readonly(),
    totals: z.strictObject({ tables: index, rows: decimal, rawBytes: decimal, bytes: decimal }).readonly(),
  })
  .readonly();

/** The text of `manifest.json`, indented for people. */
export function serializeExport(value: ExportManifest): string {
  return `${JSON.stringify(z.encode(manifest, value), null, 2)}\n`;
}

/** @throws TidemarkError ARCHIVE_INVALID where it is no manifest of an export, ARCHIVE_TOO_NEW, ARCHIVE_CORRUPT */
export function parseExport(text: string): ExportManifest {
  const value = parseJson(exportManifestFile, text);
  const head = z.object({ format: z.literal('tidemark-export'), formatVersion: z.int().positive() }).safeParse(value);
  if (!head.success) {
    throw new TidemarkError('ARCHIVE_INVALID', `read ${exportManifestFile}: it is not the manifest of an export`, {
      hint: 'name the folder that `tidemark export` made; an archive is restored with `tidemark restore`',
    });
  }
  const { formatVersion: found } = head.data;
  if (found > exportFormatVersion) {
    throw new TidemarkError(
      'ARCHIVE_TOO_NEW',
      `read ${exportManifestFile}: its format has version ${found}, and this tidemark knows up to ${exportFormatVersion}`,
      { hint: 'use the release of tidemark that made it, or a later one', details: { found, known: exportFormatVersion } },
    );
  }
  const read = decodeJson(manifest, exportManifestFile, value);
  const files = [...read.tables, ...read.schema].map(({ file }) => file);
  const names = read.tables.map(({ schema, name }) => JSON.stringify([schema, name]));
  if (new Set(files).size < files.length || new Set(names).size < names.length)
    throw new TidemarkError('ARCHIVE_CORRUPT', `read ${exportManifestFile}: a table or file is in it twice`);
  return read;
}

/** The text of `SHA256SUMS`. */
export function serializeSums(files: readonly Pick<ExportedFile, 'file' | 'sha256'>[]): string {
  return files.map(({ file, sha256 }) => checksumText(sha256, file)).join('');
}

/** SHA-256 by file name. @throws TidemarkError ARCHIVE_CORRUPT */
export function parseSums(text: string): ReadonlyMap<string, string> {
  const sums = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const parsed = parseChecksumText(line);
    if (parsed === undefined) throw new TidemarkError('ARCHIVE_CORRUPT', `read ${exportSumsFile}: a line of it is no checksum`);
    sums.set(parsed.basename, parsed.sha256);
  }
  return sums;
}
