// The manifest as TypeScript sees it once it has been read: what an archive holds and proves about itself. Its form on disk
// (decimal strings for integers that can pass 2^53) is in archive/manifest-schema.ts; docs/format.md explains it to strangers.
import type { Column, CopyFormat, Section } from './catalog.js';
import type { Position } from './position.js';

export const formatVersion = 1;

/** Sizes of one zstd frame, in bytes. */
export interface FrameSize {
  readonly compressed: number;
  readonly raw: number;
}

/** A tar member and where its frames lie in the archive. */
export interface StoredMember {
  readonly member: string;
  /** Offset of its first frame and the length of all its frames together, in bytes of the archive. */
  readonly offset: bigint;
  readonly length: bigint;
  readonly frames: readonly FrameSize[];
  /** Bytes of the member's body: without tar header and padding. */
  readonly rawBytes: bigint;
  /** SHA-256 of the member's compressed frames, in hex. */
  readonly sha256: string;
}

/** Rows of one table: a whole number of rows of one ctid range, valid alone as COPY input. */
export interface StoredChunk extends StoredMember {
  readonly rows: bigint;
  /** Heap blocks [first, end); end null = to the end of the table; null altogether = the table was not split. */
  readonly range: readonly [first: bigint, end: bigint | null] | null;
}

export interface TableEntry {
  /** `CatalogObject.id` in schema/catalog.json. */
  readonly object: number;
  /** As in `CatalogTable`: where its data members are. */
  readonly directory: string;
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly Column[];
  readonly format: CopyFormat;
  readonly withoutData?: 'excluded' | 'schema-only' | 'unlogged-on-standby';
  /** As in `CatalogTable`: the rows are pieces of this many large objects. */
  readonly largeObjects?: number;
  /** As in `CatalogTable`: the rows are the planner's statistics. */
  readonly statistics?: true;
  readonly rows: bigint;
  readonly rawBytes: bigint;
  /** Members of this archive or, where there is `in`, of another one: names, offsets and hashes are as there. */
  readonly chunks: readonly StoredChunk[];
  /** The other archive that has the chunks, as an index into `Manifest.archives`. */
  readonly in?: number;
  /** It is a completed partition: what a later snapshot has to find again to refer to these chunks. */
  readonly completed?: CompletedPartition;
}

/** What proves that the rows of a partition are still the same. */
export interface CompletedPartition {
  /** Equal ones say: COPY gives the same. SHA-256 in hex over all that COPY's output depends on. */
  readonly fingerprint: string;
  /** The oldest transaction that may still have been running when the rows were looked at, as its id with the epoch: rows have only the last
   *  32 bits of theirs, which are used again and again. */
  readonly xid: bigint;
}

/** Another archive, which holds chunks of tables of this one. */
export interface OtherArchive {
  /** Where it lies, from the directory of this archive: `/` between names, `..` only at the beginning. */
  readonly file: string;
  /** As its checksum frame has it: SHA-256 of all its bytes before that frame, in hex. */
  readonly sha256: string;
  /** Bytes of it; of one that is encrypted, of the archive in it. */
  readonly bytes: bigint;
}

/** An object that was left out, and why. */
export interface LeftOut {
  readonly kind: string;
  readonly name: string;
  readonly reason: string;
}

export interface SourceInfo {
  /** As `server_version_num`: 180004. */
  readonly serverVersion: number;
  readonly systemIdentifier: string | null;
  readonly database: string;
  readonly encoding: string;
  readonly collate: string;
  readonly ctype: string;
  /** 'libc', 'icu' or 'builtin'. */
  readonly localeProvider: string;
  /** Locale of an ICU or builtin provider. */
  readonly locale: string | null;
  readonly icuRules: string | null;
  readonly inRecovery: boolean;
}

/** A level that a sample was tried with, as means over the tables. */
export interface TriedLevel {
  readonly level: number;
  /** Of one thread, in 10^6 bytes of rows. */
  readonly megabytesPerSecond: number;
  /** Bytes of rows to bytes of frames. */
  readonly ratio: number;
}

/** Which zstd level was chosen for the rows, and why. */
export interface CompressionChoice {
  readonly level: number;
  readonly reason: string;
  /** What was measured at the beginning, where it was; rows came to one connection so fast. */
  readonly sample?: {
    readonly bytes: number;
    readonly readMegabytesPerSecond: number;
    readonly tried: readonly TriedLevel[];
  };
}

export interface Manifest {
  readonly format: 'tidemark';
  readonly formatVersion: number;
  readonly toolVersion: string;
  readonly source: SourceInfo;
  readonly position: Position;
  readonly settings: {
    readonly jobs: number;
    readonly compressLevel: number;
    /** Why it is this level, where it was for tidemark to choose. */
    readonly compression?: CompressionChoice;
    readonly chunkBytes: number;
    /** What of schema and rows is inside; pre-data or post-data where it is one half of the schema only. */
    readonly sections: readonly ('schema' | Section)[];
    /** The selection as it was asked for: option name to patterns. Empty: everything. */
    readonly selection: Readonly<Record<string, readonly string[]>>;
  };
  /** schema/catalog.json, schema/pre-data.sql, schema/post-data.sql. */
  readonly schema: readonly StoredMember[];
  readonly tables: readonly TableEntry[];
  /** Other archives that are needed to restore all tables of this one, oldest first; absent where there are none. */
  readonly archives?: readonly OtherArchive[];
  readonly leftOut: readonly LeftOut[];
  readonly totals: { readonly tables: number; readonly rows: bigint; readonly rawBytes: bigint; readonly compressedBytes: bigint };
}
