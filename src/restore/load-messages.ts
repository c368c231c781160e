// What the main thread and a loading worker say to each other: plain data only, so that the worker could as well be elsewhere.
import type { StoredChunk } from '../model/manifest.js';
import type { PackedError } from '../model/thread-error.js';
import type { ConnectionSettings } from '../pg/settings.js';
import type { Staging } from './large-objects.js';
import type { Encodings } from './sessions.js';

/** A file, which the worker opens; what lies elsewhere comes by messages. */
export type ReachedArchive = { readonly path: string } | { readonly name: string; readonly size: bigint };

/** Given to a worker at its start. */
export interface LoadWorkerData {
  /** The archive, and behind it those that it refers to; null for one that is not needed. */
  readonly archives: readonly (ReachedArchive | null)[];
  readonly connection: ConnectionSettings;
  readonly applicationName: string;
  readonly encodings: Encodings;
}

/** One chunk into one table. */
export interface LoadRequest {
  readonly sql: string;
  /** For messages. */
  readonly what: string;
  readonly staging?: Staging;
  readonly triggersAside?: true;
  readonly chunk: StoredChunk;
  /** Which of the archives it is in: 0 is the one that is restored. */
  readonly archive: number;
  /** Its bytes, where the thread does not read them itself. */
  readonly frames?: Uint8Array;
}

/** Of the worker, while it has a chunk that is too large to have come with its request. */
export interface ReadRequest {
  readonly type: 'read';
  readonly id: number;
  readonly archive: number;
  readonly offset: bigint;
  readonly length: number;
}

export type BytesReply =
  | { readonly type: 'bytes'; readonly id: number; readonly bytes: Uint8Array }
  | { readonly type: 'bytes'; readonly id: number; readonly bytes?: undefined; readonly error: PackedError };

export type ToLoadWorker =
  | { readonly type: 'connect' }
  | { readonly type: 'load'; readonly requests: readonly LoadRequest[] }
  | BytesReply
  | { readonly type: 'end' };

export type LoadReply = { readonly type: 'ready' } | { readonly type: 'loaded' } | { readonly type: 'failed'; readonly error: PackedError };
