// What the main thread and a loading worker say to each other: plain data only, so that the worker could as well be elsewhere.
import type { StoredChunk } from '../model/manifest.js';
import type { PackedError } from '../model/thread-error.js';
import type { ConnectionSettings } from '../pg/settings.js';
import type { Staging } from './large-objects.js';
import type { Encodings } from './sessions.js';

/** Given to a worker at its start. */
export interface LoadWorkerData {
  readonly file: string;
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
  /** Its bytes, where the thread does not read them itself. */
  readonly frames?: Uint8Array;
}

export type LoadReply =
  | { readonly type: 'ready' }
  | { readonly type: 'loaded'; readonly rows: bigint }
  | { readonly type: 'failed'; readonly error: PackedError };
