// The use case "prune": removes the snapshots that a retention policy does not keep, while no scheduler of the same series is at work.
import { type OptionNames, refuseUnknownOptions } from '../../model/option-names.js';
import { checkPolicy, type RetentionPolicy } from '../../rules/policy.js';
import { type PruneResult, pruneRepository } from './prune.js';
import { Repository, type RepositoryOptions, repositoryOptionNames } from './repository.js';
import { type LockedSeries, lockedSeriesNames, underLock } from './under-lock.js';

export type { PruneResult, RetentionPolicy };

export interface PruneOptions extends RepositoryOptions, LockedSeries {
  readonly retention: RetentionPolicy;
  /** Says what would be removed, and removes nothing. Needs no lock. */
  readonly dryRun?: boolean;
}

const optionNames: OptionNames<PruneOptions> = { retention: true, dryRun: true, ...repositoryOptionNames, ...lockedSeriesNames };

/** Removes what the policy does not keep. Never removed: the newest good snapshot, pinned ones, and archives that are not verified, which
 *  do not count either. With the database whose snapshots these are, its lock is held meanwhile.
 *  @throws TidemarkError USAGE for a policy that cannot be followed, LOCKED while another process is at work, LOCK_LOST, CONNECTION_FAILED
 *  and its like, FILE_ERROR, ABORTED
 *  @example
 *  await pruneSnapshots({ store: 'snapshots', prefix: 'indexer', retention: { last: 2, daily: 7 }, dryRun: true }) */
export async function pruneSnapshots(options: PruneOptions): Promise<PruneResult> {
  refuseUnknownOptions(options, optionNames, 'prune');
  const { retention, dryRun = false } = options;
  await using repository = new Repository(options);
  checkPolicy(retention);
  if (dryRun) return await pruneRepository(repository, retention, { dryRun });
  return await underLock(options, { prefix: repository.prefix, applicationName: 'tidemark prune' }, (signal) =>
    pruneRepository(repository, retention, signal ? { signal } : {}),
  );
}
