// How things stand with a store's snapshots: what `tidemark status`, the daemon's page and its metrics show.
import type { ErrorCode } from '../../model/errors.js';
import type { Position } from '../../model/position.js';
import type { StoredSnapshot, UnknownSnapshot } from '../../model/stored-snapshot.js';
import type { Decision } from '../../rules/due.js';

/** A snapshot, and what the retention policy makes of it. */
export interface JudgedSnapshot {
  readonly snapshot: StoredSnapshot;
  /** Why it stays; empty where the next prune removes it. */
  readonly reasons: readonly string[];
}

export interface Status {
  /** When this was found out. */
  readonly at: Date;
  /** The name that the snapshots' names begin with, and where they are. */
  readonly prefix: string;
  readonly store: string;
  /** False where the newest good snapshot is older than the rules allow, or there is none. */
  readonly healthy: boolean;
  /** One sentence: why it is, or is not. */
  readonly reason: string;
  /** The newest good snapshot, and its age in milliseconds. */
  readonly newest?: StoredSnapshot;
  readonly ageMs?: number;
  /** Newest first. */
  readonly snapshots: readonly JudgedSnapshot[];
  readonly unknown: readonly UnknownSnapshot[];
  /** Where the database stood when it was last looked at. */
  readonly position?: Position;
  /** Why it was not. */
  readonly unobserved?: string;
  /** What the rules say of that. */
  readonly decision?: Decision;
  /** The rules that nothing can be said of, as what they measure is not known. */
  readonly notJudged?: readonly string[];
  /** The snapshot that is being taken. */
  readonly running?: { readonly since: Date; readonly reason: string; readonly rows: bigint; readonly rawBytes: bigint };
  /** Since this process began. */
  readonly failures?: {
    readonly total: number;
    /** Without a success in between. */
    readonly inARow: number;
    readonly last?: { readonly at: Date; readonly code: ErrorCode; readonly message: string };
  };
}
