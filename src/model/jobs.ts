// How much is done at once where nobody says it.
import { availableParallelism } from 'node:os';

/** Processors, at most 4: beyond, what is gained is little and what is taken from others is much. */
export function usualJobs(): number {
  return Math.min(availableParallelism(), 4);
}
