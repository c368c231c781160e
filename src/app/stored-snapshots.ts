// The use cases for the snapshots in a store that need no database: which there are, and which of them stay whatever the policy says.
import type { StoredSnapshot } from '../model/stored-snapshot.js';
import { refuse } from './common-options.js';
import { type Listing, Repository, type RepositoryOptions } from './repository/repository.js';

export type { Listing, RepositoryOptions };

export interface NamedSnapshot extends RepositoryOptions {
  /** As `listSnapshots` gives it, or the name of the archive. */
  readonly id: string;
}

export interface PinOptions extends NamedSnapshot {
  /** Why it stays. */
  readonly note?: string;
}

/** The snapshots of a store, newest first, and the archives there that do not count: not verified yet, or damaged.
 *  @throws TidemarkError USAGE for a prefix that cannot be, FILE_ERROR
 *  @example
 *  const { snapshots: [newest] } = await listSnapshots({ store: 'snapshots', prefix: 'indexer' }) */
export async function listSnapshots(options: RepositoryOptions): Promise<Listing> {
  return await new Repository(options).list();
}

/** Keeps a snapshot until it is unpinned. Pinning again replaces the note. @throws TidemarkError USAGE where there is none of that name, FILE_ERROR */
export async function pinSnapshot({ id, note = '', ...options }: PinOptions): Promise<StoredSnapshot> {
  refuse(/[\r\n]/.test(note) || note.length > 1000, `pin snapshot ${id}: the note must be one line of 1,000 characters at most`);
  const repository = new Repository(options);
  const found = await repository.find(id);
  await repository.pin(found, note);
  return await repository.find(found.id);
}

/** Leaves a snapshot to the policy again, whether it was pinned or not. @throws TidemarkError USAGE, FILE_ERROR */
export async function unpinSnapshot({ id, ...options }: NamedSnapshot): Promise<StoredSnapshot> {
  const repository = new Repository(options);
  const found = await repository.find(id);
  await repository.unpin(found);
  return await repository.find(found.id);
}
