// What an export says of itself, as TypeScript sees it once it has been read: a folder of one compressed file a table. Its form on disk
// is in archive/export-manifest.ts; docs/export.md explains it to strangers.
import type { Column } from './catalog.js';
import type { LeftOut, SourceInfo } from './manifest.js';
import type { Position } from './position.js';

export const exportFormatVersion = 1;

/** How rows are written: CSV with a header line, or COPY's own text or binary form. */
export type ExportFormat = 'csv' | 'text' | 'binary';

/** A file of an export, as it lies on disk. */
export interface ExportedFile {
  /** Its name in the folder: letters, digits, `_`, `-` and `.` alone. */
  readonly file: string;
  readonly bytes: bigint;
  /** In hex. */
  readonly sha256: string;
}

/** A sequence that a column of a table owns (serial, identity), as it stood. The table is in the export, or its partitions are. */
export interface ExportedSequence {
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  readonly lastValue: bigint;
  /** False: the next value is `lastValue` itself. */
  readonly isCalled: boolean;
}

export interface ExportedTable extends ExportedFile {
  readonly schema: string;
  readonly name: string;
  /** The topmost partitioned table in the export that it is a partition of. */
  readonly partitionOf?: { readonly schema: string; readonly name: string };
  /** In the order of the file. Generated columns are not in it. */
  readonly columns: readonly Column[];
  readonly rows: bigint;
  /** Bytes before compression: with the header line, or COPY's header and trailer. */
  readonly rawBytes: bigint;
}

export interface ExportManifest {
  readonly format: 'tidemark-export';
  readonly formatVersion: number;
  readonly toolVersion: string;
  readonly source: SourceInfo;
  readonly position: Position;
  /** Of the text in the files: UTF8, unless the source's text has no form in it. */
  readonly encoding: string;
  readonly copyFormat: ExportFormat;
  /** The selection as it was asked for: option name to patterns. Empty: everything. */
  readonly selection: Readonly<Record<string, readonly string[]>>;
  readonly tables: readonly ExportedTable[];
  readonly sequences: readonly ExportedSequence[];
  /** schema.sql and schema-after.sql. */
  readonly schema: readonly ExportedFile[];
  /** Tables that were chosen, and whose rows are not in. */
  readonly withoutRows: readonly { readonly schema: string; readonly name: string; readonly reason: string }[];
  readonly leftOut: readonly LeftOut[];
  readonly totals: { readonly tables: number; readonly rows: bigint; readonly rawBytes: bigint; readonly bytes: bigint };
}
