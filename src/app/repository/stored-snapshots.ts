// The use cases for the snapshots in a store: which there are, which of them count, and which stay whatever the policy says.
import type { EventListener } from '../../model/events.js';
import { type OptionNames, refuseUnknownOptions } from '../../model/option-names.js';
import type { StoredSnapshot } from '../../model/stored-snapshot.js';
import { refuse } from '../common-options.js';
import { type Listing, Repository, type RepositoryOptions, repositoryOptionNames } from './repository.js';
import { type LockedSeries, underLock } from './under-lock.js';

export type { Listing, RepositoryOptions };

export interface NamedSnapshot extends RepositoryOptions {
  /** As `listSnapshots` gives it, or the name of the archive. */
  readonly id: string;
}

const namedSnapshotNames: OptionNames<NamedSnapshot> = { id: true, ...repositoryOptionNames };

export interface PinOptions extends NamedSnapshot {
  /** Why it stays. */
  readonly note?: string;
}

const pinOptionNames: OptionNames<PinOptions> = { note: true, ...namedSnapshotNames };

/** The snapshots of a store, newest first, and the archives there that do not count: not verified yet, or damaged.
 *  @throws TidemarkError USAGE for a prefix that cannot be, FILE_ERROR
 *  @example
 *  const { snapshots: [newest] } = await listSnapshots({ store: 'snapshots', prefix: 'indexer' }) */
export async function listSnapshots(options: RepositoryOptions): Promise<Listing> {
  refuseUnknownOptions(options, repositoryOptionNames, 'list the snapshots');
  await using repository = new Repository(options);
  return await repository.list();
}

/** Keeps a snapshot until it is unpinned. Pinning again replaces the note. @throws TidemarkError USAGE where there is none of that name, FILE_ERROR */
export async function pinSnapshot(given: PinOptions): Promise<StoredSnapshot> {
  refuseUnknownOptions(given, pinOptionNames, 'pin a snapshot');
  const { id, note = '', ...options } = given;
  refuse(/[\r\n]/.test(note) || note.length > 1000, `pin snapshot ${id}: the note must be one line of 1,000 characters at most`);
  await using repository = new Repository(options);
  const found = await repository.find(id);
  await repository.pin(found, note);
  return await repository.find(found.id);
}

/** Leaves a snapshot to the policy again, whether it was pinned or not. @throws TidemarkError USAGE, FILE_ERROR */
export async function unpinSnapshot(given: NamedSnapshot): Promise<StoredSnapshot> {
  refuseUnknownOptions(given, namedSnapshotNames, 'unpin a snapshot');
  const { id, ...options } = given;
  await using repository = new Repository(options);
  const found = await repository.find(id);
  await repository.unpin(found);
  return await repository.find(found.id);
}

export interface VerifyStoredOptions extends RepositoryOptions, LockedSeries {
  readonly onEvent?: EventListener;
}

/** Verifies every byte of the archives in a store that nothing is known of yet; those that are right count from then on.
 *  @returns what is there then
 *  @throws TidemarkError LOCKED while another process is at work, FILE_ERROR, ABORTED, CONNECTION_FAILED and its like */
export async function verifyStored(options: VerifyStoredOptions): Promise<Listing> {
  const { onEvent } = options;
  await using repository = new Repository(options);
  return await underLock(options, { prefix: repository.prefix, applicationName: 'tidemark list' }, async (signal) => {
    await repository.verifyUnknown({ ...(onEvent && { onEvent }), ...(signal && { signal }) });
    return await repository.list();
  });
}
