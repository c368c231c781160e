// How often and how long something is tried again that failed for a reason that may pass. What such reasons are, everybody knows of his own
// errors.
import { setTimeout } from 'node:timers/promises';
import { TidemarkError } from '../model/errors.js';

export interface Patience {
  /** How often in all, at least 1. */
  readonly attempts: number;
  /** Waits after the n-th failure, from 1 on. @throws TidemarkError ABORTED */
  wait(failures: number): Promise<void>;
}

const firstMs = 100;
const longestMs = 10_000;

/** Exponential with full jitter, so that many that failed together do not come back together.
 *  https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/ */
export function backoff(attempts: number, signal?: AbortSignal, random: () => number = Math.random): Patience {
  return {
    attempts,
    wait: (failures) =>
      setTimeout(random() * Math.min(longestMs, firstMs * 2 ** failures), undefined, signal && { signal }).catch((error: unknown) => {
        throw new TidemarkError('ABORTED', 'wait for a store: stopped', { cause: error });
      }),
  };
}

/** Does it again while it fails for a reason that may pass. */
export async function patiently<T>(
  patience: Patience,
  isTransient: (error: unknown) => boolean,
  work: (attempt: number) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work(attempt);
    } catch (error) {
      if (attempt >= patience.attempts || !isTransient(error)) throw error;
      await patience.wait(attempt);
    }
  }
}
