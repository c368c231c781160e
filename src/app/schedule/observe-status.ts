// The use case "how do things stand": looks once at the database, where one is known, and judges the store by that. For who asks from
// outside; a scheduler knows more.
import { TidemarkError } from '../../model/errors.js';
import type { Position } from '../../model/position.js';
import type { PositionQueries } from '../../snapshot/position-queries.js';
import { abortReason } from '../abort.js';
import { connectionOf, type Database } from '../connection.js';
import { Repository, type RepositoryOptions } from '../repository/repository.js';
import { buildStatus, type StatusCriteria } from './build-status.js';
import { Observer } from './observer.js';
import type { Status } from './status.js';

export type { Status };

export interface ObserveStatusOptions extends RepositoryOptions, Pick<StatusCriteria, 'schedule' | 'retention' | 'maxAgeMs'> {
  /** Default: none is looked at, and only time is judged. */
  readonly database?: Exclude<Database, undefined>;
  readonly queries?: Omit<PositionQueries, 'height'>;
  readonly signal?: AbortSignal;
}

/** Judges a store. A database that cannot be looked at is told in the status, and ends nothing.
 *  @throws TidemarkError USAGE, FILE_ERROR, ABORTED */
export async function observeStatus(options: ObserveStatusOptions): Promise<Status> {
  const { schedule, retention, maxAgeMs } = options;
  await using repository = new Repository(options);
  return await buildStatus({
    repository,
    ...(schedule && { schedule }),
    ...(retention && { retention }),
    ...(maxAgeMs !== undefined && { maxAgeMs }),
    ...(await look(options)),
  });
}

async function look({ database, queries = {}, signal }: ObserveStatusOptions): Promise<{ position: Position } | { unobserved: string }> {
  if (database === undefined) return { unobserved: 'no database is configured' };
  try {
    await using observer = new Observer(connectionOf(database), queries);
    return { position: await observer.look(signal) };
  } catch (error) {
    const aborted = abortReason(signal);
    if (aborted) throw aborted;
    if (!(error instanceof TidemarkError)) throw error;
    return { unobserved: error.message };
  }
}
