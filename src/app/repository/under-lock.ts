// Runs work on a store while no scheduler of the same series is at work. The lock is one of the database; without a database there is none.
import type { OptionNames } from '../../model/option-names.js';
import { takeLock } from '../../pg/advisory-lock.js';
import { abortReason } from '../abort.js';
import { connectionOf, type Database } from '../connection.js';

export interface LockedSeries {
  /** The database whose snapshots these are. Default: no lock is taken. */
  readonly database?: Exclude<Database, undefined>;
  /** Without a sign of life for so many milliseconds the lock is lost. Default 30 s. */
  readonly leaseMs?: number;
  readonly signal?: AbortSignal;
}

export const lockedSeriesNames: OptionNames<LockedSeries> = { database: true, leaseMs: true, signal: true };

/** @param work is given a signal that aborts with the caller's, and when the lock is lost
 *  @throws TidemarkError LOCKED while another process is at work, LOCK_LOST, CONNECTION_FAILED and its like, and what the work throws */
export async function underLock<T>(
  { database, leaseMs = 30_000, signal }: LockedSeries,
  { prefix, applicationName }: { readonly prefix: string; readonly applicationName: string },
  work: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  if (database === undefined) return await unlessAborted(signal, () => work(signal));
  await using lock = await takeLock(connectionOf(database), { name: prefix, leaseMs, applicationName, signal });
  const stop = AbortSignal.any([lock.signal, ...(signal ? [signal] : [])]);
  return await unlessAborted(stop, () => work(stop));
}

async function unlessAborted<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw abortReason(signal) ?? error;
  }
}
