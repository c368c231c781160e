// Snapshots as a store holds them: what was proven of each, and what people and drills have said of it since. One small file beside the
// archive for each of these facts; app/repository reads and writes them.
import type { Position } from './position.js';

/** What is known of an archive since every byte of it was verified, or since the store vouched for the bytes that were sent: `<archive>.verified.json`.
 *  Without it a snapshot does not count. */
export interface Verification {
  readonly verifiedAt: Date;
  /** Of the archive. */
  readonly sha256: string;
  readonly bytes: bigint;
  readonly position: Position;
  /** The source's system identifier, where its role may read it. */
  readonly system: string | null;
  readonly database: string;
  /** As `server_version_num`: 180004. */
  readonly serverVersion: number;
  readonly toolVersion: string;
  readonly tables: number;
  readonly rows: bigint;
  /** Bytes of COPY data before compression. */
  readonly rawBytes: bigint;
  /** How long it took to take, where that is known. */
  readonly durationMs?: number;
  /** Other archives that hold chunks of it, as its manifest has them: paths from its own directory. */
  readonly others?: readonly string[];
}

/** What the newest restore drill of a snapshot found: `<archive>.drill.json`. */
export interface DrillRecord {
  readonly at: Date;
  readonly durationMs: number;
  readonly ok: boolean;
  readonly rows?: bigint;
  /** Where it failed: the error's message. */
  readonly problem?: string;
}

/** A snapshot in a store. */
export interface StoredSnapshot {
  /** Name without its ending: `indexer-151200`. */
  readonly id: string;
  /** Name of the archive in the store: `indexer-151200.tar.zst`. */
  readonly key: string;
  /** It was verified, and has the size that it had then. */
  readonly good: boolean;
  readonly position: Position;
  /** The source's system identifier. */
  readonly system?: string;
  /** Bytes of the archive. */
  readonly bytes: bigint;
  readonly verification: Verification;
  /** Stays for good; the text, which may be empty, says why: `<archive>.pin`. */
  readonly pinned?: string;
  readonly drill?: DrillRecord;
  /** Ids of snapshots that hold chunks of it. */
  readonly refersTo?: readonly string[];
}

/** An archive of our naming of which nothing is known yet, or something bad: it neither counts nor goes. */
export interface UnknownSnapshot {
  readonly id: string;
  readonly key: string;
  readonly bytes: bigint;
  /** Why it does not count. */
  readonly problem: string;
}
