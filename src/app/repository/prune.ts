// Lets go of what a policy does not keep: first the plan, then the removals, oldest first. Who calls it sees to it that nobody else does the
// same at the same time.
import { TidemarkError } from '../../model/errors.js';
import type { StoredSnapshot, UnknownSnapshot } from '../../model/stored-snapshot.js';
import type { RetentionPolicy } from '../../rules/policy.js';
import { type Kept, referrersOf, retain } from '../../rules/retain.js';
import type { Repository } from './repository.js';

export interface PruneResult {
  /** Newest first, each with the reasons. */
  readonly keep: readonly Kept<StoredSnapshot>[];
  /** Newest first; of a dry run: what would be removed. */
  readonly removed: readonly StoredSnapshot[];
  /** Archives that do not count: neither counted nor removed. */
  readonly unknown: readonly UnknownSnapshot[];
}

export interface PruneWork {
  /** Says what would be done, and does nothing. */
  readonly dryRun?: boolean;
  readonly onRemoved?: (snapshot: StoredSnapshot) => void;
  /** Ids of those that are being read, or were just made: they stay until the next time. */
  readonly inUse?: ReadonlySet<string>;
  /** Ends between two removals. */
  readonly signal?: AbortSignal;
}

/** Prunes a repository by a policy. A snapshot that is pinned meanwhile stays.
 *  @throws TidemarkError USAGE for a policy that cannot be followed, FILE_ERROR */
export async function pruneRepository(
  repository: Repository,
  retention: RetentionPolicy,
  { dryRun = false, onRemoved, inUse = new Set(), signal }: PruneWork = {},
): Promise<PruneResult> {
  const { snapshots, unknown } = await repository.list();
  const { keep, remove } = retain(retention, snapshots);
  const used = snapshots.filter(({ id }) => inUse.has(id));
  const needed = referrersOf(used, snapshots);
  if (dryRun) return { keep, removed: remove, unknown };
  const kept = new Map(keep.map((one) => [one.snapshot, one]));
  for (const snapshot of referrersFirst(remove.toReversed())) {
    signal?.throwIfAborted();
    // One that was to go before it, and stays after all, may hold a part of it.
    const by = needed.get(snapshot.id) ?? [...kept.keys()].find(({ refersTo }) => refersTo?.includes(snapshot.id))?.id;
    const reason = inUse.has(snapshot.id) ? 'in use' : by === undefined ? undefined : `referred to by ${by}`;
    if (reason !== undefined) {
      kept.set(snapshot, { snapshot, reasons: [reason] });
      continue;
    }
    await refuseIfLast(repository, keep, snapshot);
    if (await removed(repository, snapshot)) onRemoved?.(snapshot);
    else kept.set(snapshot, { snapshot, reasons: ['pinned'] });
  }
  return { keep: snapshots.flatMap((snapshot) => kept.get(snapshot) ?? []), removed: remove.filter((one) => !kept.has(one)), unknown };
}

/** The same order, but for those that others among them refer to: these come after the others. */
function referrersFirst(snapshots: readonly StoredSnapshot[]): readonly StoredSnapshot[] {
  const referrers = new Map<string, StoredSnapshot[]>();
  for (const snapshot of snapshots) for (const id of snapshot.refersTo ?? []) referrers.set(id, [...(referrers.get(id) ?? []), snapshot]);
  const ordered = new Set<StoredSnapshot>();
  const seen = new Set<StoredSnapshot>();
  const add = (snapshot: StoredSnapshot): void => {
    if (seen.has(snapshot)) return;
    seen.add(snapshot);
    for (const referrer of referrers.get(snapshot.id) ?? []) add(referrer);
    ordered.add(snapshot);
  };
  for (const snapshot of snapshots) add(snapshot);
  return [...ordered];
}

/** @returns false where it was pinned after the decision */
async function removed(repository: Repository, snapshot: StoredSnapshot): Promise<boolean> {
  try {
    await repository.remove(snapshot);
    return true;
  } catch (error) {
    if (error instanceof TidemarkError && error.code === 'USAGE') return false;
    throw error;
  }
}

/** The decision is worth nothing where the folder is being emptied meanwhile: what was to go may be the last good one by now. */
async function refuseIfLast(repository: Repository, keep: PruneResult['keep'], { id }: StoredSnapshot): Promise<void> {
  const store = await repository.store();
  for (const { snapshot } of keep) if ((await store.stat(snapshot.key))?.bytes === snapshot.bytes) return;
  throw new TidemarkError('FILE_ERROR', `remove snapshot ${id} from ${repository.location}: those that were to stay have gone meanwhile`, {
    hint: 'look who else removes files there; nothing more was removed',
  });
}
