// What a host gives a scheduler, and what it gets: the types, for create-scheduler.ts and all who use one.
import { type OptionNames, withoutNames } from '../../model/option-names.js';
import type { StoredSnapshot } from '../../model/stored-snapshot.js';
import type { RetentionPolicy } from '../../rules/policy.js';
import type { Rule, Schedule } from '../../rules/rule.js';
import type { PositionQueries } from '../../snapshot/position-queries.js';
import type { Database } from '../connection.js';
import type { RepositoryOptions } from '../repository/repository.js';
import { repositoryOptionNames } from '../repository/repository.js';
import { snapshotOptionNames } from '../snapshot/options.js';
import type { SnapshotResult } from '../snapshot/take-snapshot.js';
import type { Series } from './attempt.js';
import type { DrillSettings } from './drills.js';
import type { SchedulerListener } from './events.js';
import type { Status } from './status.js';

export interface SchedulerOptions extends RepositoryOptions {
  /** Default: DATABASE_URL, then the PG* variables. */
  readonly db?: Database;
  /** When: rules, any of which makes a snapshot due; or a whole schedule. */
  readonly rules: readonly Rule[] | Schedule;
  /** Which to keep. */
  readonly retention: RetentionPolicy;
  /** Queries for height, hash and streams, run in each snapshot. Rules by height or stream need theirs. */
  readonly position?: Omit<PositionQueries, 'height'>;
  /** How snapshots are taken: contents, jobs, compression. */
  readonly snapshot?: Omit<Series['snapshot'], keyof PositionQueries>;
  readonly onEvent?: SchedulerListener;
  /** How often it looks by itself, in milliseconds. Default 10 s. */
  readonly lookEveryMs?: number;
  /** A process that gives no sign of life for so many milliseconds loses the right to take snapshots. Default 30 s. */
  readonly leaseMs?: number;
  /** Bytes that a snapshot leaves free in the store. Default 0. */
  readonly reserve?: bigint;
  /** When to restore the newest snapshot for a trial. Default: never. */
  readonly drill?: DrillSettings;
}

export const schedulerOptionNames: OptionNames<SchedulerOptions> = {
  db: true,
  rules: true,
  retention: true,
  position: true,
  snapshot: true,
  onEvent: true,
  lookEveryMs: true,
  leaseMs: true,
  reserve: true,
  drill: true,
  ...repositoryOptionNames,
};

export const schedulerSnapshotNames: OptionNames<Exclude<SchedulerOptions['snapshot'], undefined>> = withoutNames(snapshotOptionNames, [
  'file',
  'database',
  'onEvent',
  'signal',
  'height',
  'heightQuery',
  'hashQuery',
  'streamsQuery',
]);

/** What a host knows better than anybody. */
export interface Advance {
  readonly height?: bigint;
}

export interface Scheduler extends AsyncDisposable {
  /** Says where the host stands; call it after each block. Returns at once. */
  advance(to: Advance): void;
  /** Takes a snapshot of now, after the one that may be under way. @throws TidemarkError LOCKED where another process takes one, and those
   *  of takeSnapshot */
  snapshotNow(): Promise<StoredSnapshot>;
  /** Takes one in the background, unless one is under way. */
  requestSnapshot(): { readonly started: true } | { readonly started: false; readonly reason: string };
  /** Takes one into a file outside of the store. @throws TidemarkError those of takeSnapshot */
  backup(path: string): Promise<SnapshotResult>;
  /** Looks now, and not only at the next turn. Resolves when what that led to is done. */
  look(): Promise<void>;
  status(): Promise<Status>;
  /** When it last looked whether a snapshot is due, whatever came of it; and whether one is being taken. */
  readonly pulse: { readonly lookedAt: Date | undefined; readonly busy: boolean };
  /** Ends. Waits for a snapshot under way, or with `abort` gives it up; with `final` takes one if the database has moved since the last.
   *  Default of `final`: what the schedule's `atShutdown` says; then it is enough that another process is taking one.
   *  @throws TidemarkError when that one fails, LOCKED where another process is at it; the scheduler has ended all the same */
  close(options?: { readonly final?: boolean; readonly abort?: boolean }): Promise<void>;
}
