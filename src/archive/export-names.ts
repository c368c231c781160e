// Names of the files of an export, and the bytes that frame their rows: the header line of CSV, COPY's own header and trailer in binary.
// Names are made of safe characters alone and are different on every file system; the manifest maps them to tables. Pure.
import { encodeText } from '../model/byte-text.js';
import type { Column } from '../model/catalog.js';
import type { ExportFormat } from '../model/export.js';

export const exportManifestFile = 'manifest.json';
export const exportSumsFile = 'SHA256SUMS';
export const exportSchemaFile = 'schema.sql';
export const exportAfterFile = 'schema-after.sql';
/** In a store, while the others are written. */
export const exportMarkerFile = 'export.writing';

const endings: Readonly<Record<ExportFormat, string>> = { csv: 'csv', text: 'copy', binary: 'bin' };

/** `public.events.csv.zst` for each table, in their order. What is not safe becomes `-`; names that would be the same (or differ in
 *  upper and lower case alone, which some file systems do not tell apart) get a number. */
export function exportFileNames(
  tables: readonly { readonly schema: string; readonly name: string }[],
  format: ExportFormat,
): readonly string[] {
  const taken = new Set<string>();
  return tables.map(({ schema, name }) => {
    const stem = `${safe(schema) || 'schema'}.${safe(name) || 'table'}`;
    let unique = stem;
    for (let number = 2; taken.has(unique.toLowerCase()); number += 1) unique = `${stem}-${number}`;
    taken.add(unique.toLowerCase());
    return `${unique}.${endings[format]}.zst`;
  });
}

function safe(identifier: string): string {
  return identifier
    .replace(/[^A-Za-z0-9_]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60);
}

/** Whether a name from a manifest is one that `exportFileNames` could give: nothing that leads elsewhere. */
export function isExportFileName(name: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)+$/.test(name);
}

// https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS
const binaryHeader = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const binaryTrailer = Buffer.from([0xff, 0xff]);

/** What a file begins with, before the rows; nothing in text. */
export function exportHead(format: ExportFormat, columns: readonly Column[]): Buffer {
  if (format === 'csv') return encodeText(`${columns.map(({ name }) => csvField(name)).join(',')}\n`);
  return format === 'binary' ? binaryHeader : Buffer.alloc(0);
}

/** What a file ends with, after the rows. */
export function exportTail(format: ExportFormat): Buffer {
  return format === 'binary' ? binaryTrailer : Buffer.alloc(0);
}

/** Quoted where COPY would quote it. `\.` alone on a line is the end of the data to many readers. */
function csvField(name: string): string {
  return /[",\r\n]/.test(name) || name === '\\.' ? `"${name.replaceAll('"', '""')}"` : name;
}
