// Waits for something outside of this process that sends no event (a process id to vanish, a row in pg_stat_activity), with a bound.
// For everything that does send an event, await the event instead.
import { setTimeout as pause } from 'node:timers/promises';

export interface EventuallyOptions {
  /** Gives up after this long. Default 15,000. */
  readonly withinMs?: number;
  /** First pause between two tries; it doubles up to 200. Default 5. */
  readonly everyMs?: number;
}

/** Calls `probe` until it neither throws nor gives false, null or undefined, and resolves with what it gave.
 *  @throws Error naming `what` when the time is over, with the probe's last error as its cause */
export async function eventually<T>(what: string, probe: () => T | Promise<T>, options: EventuallyOptions = {}): Promise<NonNullable<T>> {
  const { withinMs = 15_000, everyMs = 5 } = options;
  const end = performance.now() + withinMs;
  let wait = everyMs;
  for (;;) {
    let cause: unknown;
    try {
      const value = await probe();
      if (value !== false && value !== null && value !== undefined) return value;
    } catch (error) {
      cause = error;
    }
    if (performance.now() >= end) throw new Error(`wait until ${what}: not so after ${withinMs} ms`, { cause });
    await pause(Math.min(wait, Math.max(1, end - performance.now())));
    wait = Math.min(wait * 2, 200);
  }
}

/** Whether a process with this id exists (a zombie counts as existing). */
export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
