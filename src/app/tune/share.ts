// How long each trial may take. Pure.

export interface Clock {
  /** Until all is to be over, in ms. */
  readonly leftMs: number;
  /** Trials that are still to come, and how many of their shares the next one gets. */
  readonly trials: number;
  readonly shares?: number;
  /** What a trial takes beside its reading: threads, connections, the ends of what was begun. */
  readonly asideMs: number;
}

/** Less says nothing. */
const leastMs = 20;

/** How long the next trial may read; undefined where there is no time for it. */
export function shareOf({ leftMs, trials, shares = 1, asideMs }: Clock): number | undefined {
  const ms = (leftMs / Math.max(1, trials)) * shares - asideMs;
  if (ms >= leastMs) return ms;
  return leftMs - asideMs >= leastMs ? leastMs : undefined;
}
