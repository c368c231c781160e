// What the control thread and the reading workers say to each other. Everything is plain data: a worker shares no memory with anybody.
import type { CompressionParameters } from '../frame/compression-parameters.js';
import type { EncodedMember } from '../frame/encode.js';
import type { CopyFormat } from '../model/catalog.js';
import type { PackedError } from '../model/thread-error.js';
import type { ConnectionSettings } from '../pg/settings.js';
import type { TableSample } from './read-sample.js';

/** Given at the thread's start. */
export interface WorkerSettings {
  readonly connection: ConnectionSettings;
  /** Of statements; rows are read in the database's own. */
  readonly encoding: 'own' | undefined;
  /** Raw bytes at which a chunk is closed. */
  readonly chunkBytes: number;
  /** Chunks of that size that may be on their way before the first is acknowledged: bounds memory. */
  readonly window: number;
  /** The memory of a frame is given back with 'written'. */
  readonly framesComeBack: boolean;
  /** Frames of rows alone, to be put one after the other into one file: no tar around them, and in binary neither COPY's header nor its
   *  trailer. Their text is that of statements (UTF-8, unless the database has no way to it) instead of the database's own. */
  readonly bare?: boolean;
  /** Foreign tables may be read. */
  readonly foreignTables: boolean;
  /** Files of chunks that do not fit into memory begin with this path. */
  readonly spoolPrefix: string;
}

/** One range of one table to read. */
export interface RangeTask {
  readonly id: number;
  /** COPY ... TO STDOUT */
  readonly statement: string;
  /** How a row ends; CSV is 'text'. */
  readonly format: CopyFormat;
  /** The quoted name of the table, for errors. */
  readonly table: string;
  /** About how much it is on the server's disk, where that is known: small ones are given several at a time. */
  readonly bytes?: bigint;
  /** Where its members go, and the number of the range in its table. */
  readonly directory: string;
  readonly range: number | string;
  readonly sampled?: SampledRows;
}

/** What a sample of a table says about its rows. */
export interface SampledRows {
  /** How they are compressed best. */
  readonly parameters: CompressionParameters;
  /** The part of them that is left then. */
  readonly compressedTo: number;
}

/** A statement about one table, which is answered at once. */
export interface QuestionTask {
  readonly id: number;
  /** 'query': a query that gives one row of texts. 'sample': a COPY of some rows, to measure. */
  readonly about: 'query' | 'sample';
  readonly statement: string;
  /** The quoted name of the table, for errors. */
  readonly table: string;
  /** Of a sample: how long its values are is wanted, too. */
  readonly widths?: boolean;
}

export type Row = Readonly<Record<string, string>>;

export type ToWorker =
  /** `tables`: quoted names to lock at once. */
  | { readonly type: 'attach'; readonly snapshotId: string; readonly tables: readonly string[] }
  /** `level`: of zstd. */
  | { readonly type: 'read'; readonly tasks: readonly RangeTask[]; readonly level: number }
  | { readonly type: 'ask'; readonly task: QuestionTask }
  /** A chunk of so many bytes of rows was written: others may be sent. */
  | { readonly type: 'written'; readonly rawBytes: number; readonly memory?: ArrayBuffer }
  | { readonly type: 'close' };

export type FromWorker =
  | { readonly type: 'connected' }
  | { readonly type: 'attached' }
  | { readonly type: 'chunk'; readonly id: number; readonly rows: bigint; readonly member: EncodedMember }
  | { readonly type: 'done'; readonly id: number; readonly rows: bigint }
  | { readonly type: 'answer'; readonly id: number; readonly answer: Row | TableSample }
  | { readonly type: 'closed' }
  | { readonly type: 'failed'; readonly error: PackedError };
