// The retention policy: which snapshots are worth keeping. Names are restic's; what it adds is one per stretch of heights.
import { TidemarkError } from '../model/errors.js';
import { type OptionNames, refuseUnknownOptions } from '../model/option-names.js';
import { checkTimeZone } from './calendar.js';

/** A number of snapshots, or all of them. */
export type Count = number | 'all';

export interface RetentionPolicy {
  /** The newest N. */
  readonly last?: Count;
  /** All that are no older than this, in milliseconds, than the newest. */
  readonly within?: number;
  /** The newest of each of the last N hours (days, ISO weeks, months, years) that have one. */
  readonly hourly?: Count;
  readonly daily?: Count;
  readonly weekly?: Count;
  readonly monthly?: Count;
  readonly yearly?: Count;
  /** The newest of each of the last `keep` stretches of `every` heights that have one. `keep` defaults to all. */
  readonly heights?: { readonly every: bigint; readonly keep?: Count };
  /** Of hours, days, weeks, months and years: a name of the IANA database. Default UTC. */
  readonly timeZone?: string;
}

const policyNames: OptionNames<RetentionPolicy> = {
  last: true,
  within: true,
  hourly: true,
  daily: true,
  weekly: true,
  monthly: true,
  yearly: true,
  heights: true,
  timeZone: true,
};

const counts = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;

/** Checks a policy.
 *  @throws TidemarkError USAGE with one sentence that says what cannot be followed, and why */
export function checkPolicy(policy: RetentionPolicy): void {
  refuseUnknownOptions(policy, policyNames, 'read the retention policy');
  const { within, heights, timeZone } = policy;
  for (const name of counts) {
    const count = policy[name];
    if (count !== undefined) checkCount(count, name);
  }
  if (within !== undefined && !(within > 0)) refuse(`within is ${within}: no snapshot is that new`);
  if (heights !== undefined) {
    refuseUnknownOptions(heights, { every: true, keep: true }, 'read the retention policy: heights');
    if (!(heights.every > 0n)) refuse(`a stretch of ${heights.every} heights holds no snapshot`);
    if (heights.keep !== undefined) checkCount(heights.keep, 'heights.keep');
  }
  if (timeZone !== undefined) checkTimeZone(timeZone);
  if (within === undefined && heights === undefined && counts.every((name) => policy[name] === undefined)) {
    refuse('it is empty: every snapshot but the newest would go; say how many to keep, or last: "all"');
  }
}

function checkCount(count: Count, name: string): void {
  if (count === 'all') return;
  if (!Number.isInteger(count) || count <= 0) refuse(`${name} is ${count}: leave it out, or give a whole number from 1 or "all"`);
}

function refuse(why: string): never {
  throw new TidemarkError('USAGE', `read the retention policy: ${why}`);
}
