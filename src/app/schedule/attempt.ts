// One attempt at a snapshot into a repository: the lock, the take-over of the series, a second look whether it is still wanted, room, the
// snapshot, and what the retention policy lets go then. Whatever happens in between, nothing half is left, and nothing good is lost.
import { TidemarkError } from '../../model/errors.js';
import type { EventListener } from '../../model/events.js';
import type { StoredSnapshot } from '../../model/stored-snapshot.js';
import { tryLock } from '../../pg/advisory-lock.js';
import type { ConnectionSettings } from '../../pg/settings.js';
import type { RetentionPolicy } from '../../rules/policy.js';
import { abortReason } from '../abort.js';
import { withBase } from '../repository/base.js';
import type { RepositoryOutput } from '../repository/output.js';
import { pruneRepository } from '../repository/prune.js';
import type { Listing, Repository } from '../repository/repository.js';
import { takeOverRepository, type Writer } from '../repository/take-over.js';
import type { SnapshotOptions } from '../snapshot/options.js';
import { snapshotInto } from '../snapshot/take-snapshot.js';
import type { SchedulerListener } from './events.js';
import { checkRoom } from './room.js';

/** A series of snapshots of one database in one repository. */
export interface Series {
  readonly connection: ConnectionSettings;
  readonly repository: Repository;
  readonly retention: RetentionPolicy;
  /** How each is taken: contents, position queries, compression. */
  readonly snapshot: Omit<SnapshotOptions, 'file' | 'database' | 'onEvent' | 'signal'>;
  /** After so many milliseconds without a sign of life its holder loses the lock. */
  readonly leaseMs: number;
  /** Bytes that a snapshot leaves free. */
  readonly reserve: bigint;
  /** Ids of snapshots that this process reads at the moment: they stay until the next time. */
  readonly inUse: Set<string>;
}

export interface Held {
  readonly writer: Writer;
  /** Aborts with the caller's, and when the lock is lost. */
  readonly signal: AbortSignal;
}

/** Does something as the only process of the series.
 *  @returns who holds the lock, where another does
 *  @throws TidemarkError LOCK_LOST, CONNECTION_*, FILE_ERROR, and what the work throws */
export async function alone<T>(
  { connection, repository, leaseMs }: Series,
  signal: AbortSignal,
  work: (held: Held) => Promise<T>,
): Promise<{ readonly done: T } | { readonly heldBy: string }> {
  const lock = await tryLock(connection, { name: repository.prefix, leaseMs, signal });
  if ('heldBy' in lock) return { heldBy: lock.heldBy };
  await using held = lock;
  try {
    const writer = await takeOverRepository(repository);
    return { done: await work({ writer, signal: AbortSignal.any([signal, held.signal]) }) };
  } catch (error) {
    throw abortReason(held.signal) ?? error;
  }
}

export interface Attempt {
  readonly reason: string;
  /** Asked again once no other process can take one: still wanted? */
  readonly wanted: (listing: Listing) => Promise<boolean>;
  readonly emit: SchedulerListener;
  readonly signal: AbortSignal;
  readonly height?: bigint;
}

export type Outcome =
  | { readonly kind: 'created'; readonly snapshot: StoredSnapshot }
  | { readonly kind: 'stood-back'; readonly reason: string }
  | { readonly kind: 'not-wanted' };

/** @throws TidemarkError those of takeSnapshot, DISK_FULL, LOCK_LOST */
export async function attemptSnapshot(series: Series, attempt: Attempt): Promise<Outcome> {
  const result = await alone(series, attempt.signal, (held) => takeInto(series, { ...attempt, ...held }));
  return 'heldBy' in result ? { kind: 'stood-back', reason: result.heldBy } : result.done;
}

async function takeInto(series: Series, { reason, wanted, emit, writer, signal, height }: Attempt & Held): Promise<Outcome> {
  const { repository, connection, reserve } = series;
  const onEvent: EventListener = (event) => emit({ type: 'snapshot', event });
  for (const archive of await repository.verifyUnknown({ onEvent, signal })) emit({ type: 'unknown', archive });
  await writer.catchUp();
  const before = await repository.list();
  if (!(await wanted(before))) return { kind: 'not-wanted' };
  const free = await (await repository.store()).free();
  if (free !== undefined) checkRoom(before.snapshots, { free, reserve, folder: repository.location });
  emit({ type: 'creating', reason, ...(height === undefined ? {} : { height }) });
  const started = performance.now();
  const completed = await completedOf(series, before, emit);
  let output: RepositoryOutput | undefined;
  const { durationMs } = await snapshotInto(
    async ({ recipients }) => {
      output = await writer.open({ started, encrypted: recipients !== undefined, onEvent, signal });
      return output;
    },
    { ...series.snapshot, ...completed, database: connection, onEvent, signal },
  );
  const snapshot = output?.published;
  if (snapshot === undefined) throw new TidemarkError('INTERNAL', 'take a snapshot: it was not published');
  emit({ type: 'created', snapshot, reason, durationMs });
  await letGo(series, { made: snapshot.id, emit, signal });
  return { kind: 'created', snapshot };
}

/** Completed partitions are looked for in the newest good snapshot. */
async function completedOf(
  { snapshot: { completed }, repository }: Series,
  listing: Listing,
  emit: SchedulerListener,
): Promise<Pick<SnapshotOptions, 'completed'>> {
  if (completed === undefined) return {};
  return { completed: await withBase(completed, { repository, listing, onTrouble: (error) => emit({ type: 'trouble', error }) }) };
}

/** Removes what the policy does not keep, and not the one that was just made: where the database was put back to a lower height, that is the
 *  oldest for the policy. A snapshot was taken all the same where this fails. */
async function letGo(
  { repository, retention, inUse }: Series,
  { made, emit, signal }: { readonly made: string } & Pick<Attempt, 'emit' | 'signal'>,
): Promise<void> {
  try {
    const onRemoved = (snapshot: StoredSnapshot): void => emit({ type: 'removed', snapshot });
    await pruneRepository(repository, retention, { inUse: new Set([...inUse, made]), signal, onRemoved });
  } catch (error) {
    if (!(error instanceof TidemarkError)) throw error;
    // Who gives up here has its snapshot: the next one lets go of what this one did not.
    if (error.code !== 'ABORTED') emit({ type: 'trouble', error });
  }
}
