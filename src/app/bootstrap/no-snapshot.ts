// Where a bootstrap has nothing to restore: whether it may begin from nothing. All snapshots may be damaged, a listing is empty, too, where it
// looks for other names than they were published by, and what was published may have been lost.
import { TidemarkError } from '../../model/errors.js';
import type { StoredSnapshot } from '../../model/stored-snapshot.js';
import type { Start } from '../../rules/start.js';
import { latestKey, own, readLatest } from '../repository/latest.js';
import { layoutNames } from '../repository/layout.js';
import { Repository } from '../repository/repository.js';

/** A snapshot that would not do. */
export interface TriedSnapshot {
  readonly id: string;
  readonly problem: string;
}

export interface NothingToRestore {
  readonly database: string;
  readonly start: Exclude<Start<StoredSnapshot>, { action: 'restore' | 'warm' }>;
  /** Snapshots that would not do, also those that were not verified. */
  readonly tried: readonly TriedSnapshot[];
  /** There are good snapshots, of which none reaches far enough. */
  readonly found: boolean;
  readonly dryRun: boolean;
}

/** @returns what was looked for, and in vain, for the user @throws TidemarkError SNAPSHOT_MISSING where it may not begin; STORE_ERROR, FILE_ERROR */
export async function checkMayBegin({ database, start, tried, found, dryRun }: NothingToRestore, repository: Repository): Promise<string> {
  const refusal = (why: string, hint: string, details = {}): TidemarkError =>
    new TidemarkError('SNAPSHOT_MISSING', `bootstrap database ${database}: ${start.reason}${why}`, { hint, details });
  const { location, prefix, layout } = repository;
  if (tried.length > 0) {
    const list = tried.map(({ id, problem }) => `${id} (${problem})`).join('; ');
    throw refusal(`; these would not do: ${list}`, dryRun ? unverified : damaged, { tried });
  }
  if (!found) {
    const stray = await findInOtherLayout(repository);
    if (stray !== undefined) {
      const why = `; but ${location} has ${stray.key}, which is of the layout ${stray.layout} and not ${layout.name}`;
      throw refusal(why, `say by which layout they were published: --layout ${stray.layout}`);
    }
  }
  const pointed = await readLatest(await repository.store());
  const lost = found ? undefined : own(pointed, prefix);
  if (lost !== undefined) {
    throw refusal(
      `; but ${location} had ${lost.archive}, by its ${latestKey}, and has it no more`,
      `copy it back; to start from the beginning all the same, give another --prefix, or take ${prefix} out of ${latestKey}`,
    );
  }
  if (start.action === 'impossible') throw refusal('', start.hint);
  const others = Object.keys(pointed);
  return `${location} has nothing that begins with ${layout.start}${others.length === 0 ? '' : `, but snapshots of ${others.join(', ')}`}`;
}

const damaged = 'copy a good snapshot into the store; to start from the beginning, move these away and see that the database is empty';
const unverified = 'a dry run does not read them: run it without, which verifies them first, or verify them by tidemark list --verify';

async function findInOtherLayout(repository: Repository): Promise<{ readonly key: string; readonly layout: string } | undefined> {
  const { prefix, trust } = repository;
  const store = await repository.store();
  for (const layout of layoutNames) {
    if (layout === repository.layout.name) continue;
    const { snapshots, unknown } = await new Repository({ ...trust, store, prefix, layout }).list();
    const [first] = [...snapshots, ...unknown];
    if (first !== undefined) return { key: first.key, layout };
  }
  return undefined;
}
