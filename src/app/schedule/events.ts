// What a scheduler has to say, as one union. Log lines, metrics, webhooks and the status are all views of it.
import type { TidemarkError } from '../../model/errors.js';
import type { TidemarkEvent } from '../../model/events.js';
import type { DrillRecord, StoredSnapshot, UnknownSnapshot } from '../../model/stored-snapshot.js';
import type { Mark } from '../../rules/judge.js';

export type SchedulerEvent =
  /** At the start: the newest good snapshot, if there is one. */
  | { readonly type: 'found'; readonly newest?: StoredSnapshot }
  /** An archive of our naming that does not count. */
  | { readonly type: 'unknown'; readonly archive: UnknownSnapshot }
  /** A snapshot is begun; `reason` as the rules give it. */
  | { readonly type: 'creating'; readonly reason: string; readonly height?: bigint }
  /** It is published and verified. */
  | { readonly type: 'created'; readonly snapshot: StoredSnapshot; readonly reason: string; readonly durationMs: number }
  /** It could not be taken; the host goes on. `next`: where the next attempt may come. */
  | { readonly type: 'failed'; readonly error: TidemarkError; readonly next: readonly Mark[]; readonly durationMs: number }
  /** Another process takes a snapshot of this database into this store, or has taken over. */
  | { readonly type: 'stood-back'; readonly reason: string }
  /** Retention let it go. */
  | { readonly type: 'removed'; readonly snapshot: StoredSnapshot }
  | { readonly type: 'drilled'; readonly snapshot: StoredSnapshot; readonly drill: DrillRecord }
  /** Something did not work that the next look will try again: observing the database, pruning, a webhook. */
  | { readonly type: 'trouble'; readonly error: TidemarkError }
  /** What a snapshot under way says of itself. */
  | { readonly type: 'snapshot'; readonly event: TidemarkEvent };

export type SchedulerListener = (event: SchedulerEvent) => void;
