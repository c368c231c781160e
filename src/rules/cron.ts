// Times of cron expressions. The library is asked for times after one that is given, never for "now".
import { Cron } from 'croner';
import { TidemarkError } from '../model/errors.js';

export interface CronTimes {
  readonly expression: string;
  /** Of the IANA database. Default UTC. */
  readonly timeZone?: string;
}

/** The first time of an expression after a given one; undefined where it never comes true again. Where clocks are put forward, times that
 *  do not exist come at the next one that does.
 *  @throws TidemarkError USAGE for an expression or a time zone that cannot be read */
export function nextTime({ expression, timeZone = 'UTC' }: CronTimes, after: Date): Date | undefined {
  try {
    return new Cron(expression, { timezone: timeZone, paused: true }).nextRun(after) ?? undefined;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TidemarkError(
      'USAGE',
      `read cron expression ${JSON.stringify(expression)} in time zone ${JSON.stringify(timeZone)}: ${why}`,
      {
        hint: 'five fields: minute, hour, day of the month, month, day of the week; as in "0 2 * * *"',
        cause: error,
      },
    );
  }
}
