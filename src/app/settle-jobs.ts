// The option `jobs`, which all commands understand alike. Apart from the other common options, for those who connect to no database.
import { TidemarkError } from '../model/errors.js';
import { usualJobs } from '../model/jobs.js';

/** @param attempt what the message begins with
 *  @throws TidemarkError USAGE */
export function settleJobs(jobs: number | undefined, attempt: string): number {
  if (jobs === undefined) return usualJobs();
  if (Number.isInteger(jobs) && jobs >= 1 && jobs <= 256) return jobs;
  throw new TidemarkError('USAGE', `${attempt}: jobs must be a whole number from 1 to 256`);
}
