// Calendar periods in a time zone: which hour, day, ISO week, month or year an instant lies in. Periods are absolute, never counted back
// from "now", so that the same snapshots stay the last of theirs whenever one looks.
import { TidemarkError } from '../model/errors.js';

export type Period = 'hour' | 'day' | 'week' | 'month' | 'year';

/** What clocks and calendars of a zone show. */
export interface LocalTime {
  /** Its UTC fields are the local ones. */
  readonly date: Date;
  /** How far its clocks are ahead of UTC, in milliseconds: tells the two hours apart that have the same name when they are put back. */
  readonly offset: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();
/** Offsets that were asked for, by zone and stretch: the same snapshots are looked at again and again. */
const edgesOf = new Map<string, Map<number, number>>();
/** Some two hundred years. */
const mostEdges = 20_000;

/** @throws TidemarkError USAGE for a zone that the IANA database does not have */
export function checkTimeZone(timeZone: string): void {
  formatOf(timeZone);
}

/** Local times of one zone. Intl takes microseconds for each, so it is asked for the offset alone, at both ends of a stretch of days; only
 *  where they differ at the instant itself.
 *  @throws TidemarkError USAGE for an unknown time zone */
export function localTimes(timeZone: string): (at: Date) => LocalTime {
  if (timeZone === 'UTC') return (date) => ({ date, offset: 0 });
  const format = formatOf(timeZone);
  const edges = edgesOf.get(timeZone) ?? new Map<number, number>();
  if (edges.size > mostEdges) edges.clear();
  edgesOf.set(timeZone, edges);
  const edge = (stretch: number): number => {
    const found = edges.get(stretch) ?? offsetOf(format, stretch * stretchMs);
    edges.set(stretch, found);
    return found;
  };
  return (at) => {
    const stretch = Math.floor(at.getTime() / stretchMs);
    const before = edge(stretch);
    const offset = before === edge(stretch + 1) ? before : offsetOf(format, at.getTime());
    return { date: new Date(at.getTime() + offset), offset };
  };
}

/** No zone has changed its offset and changed it back within four days: the shortest such times, of 1900 to 2045, are a week (Gaza, 2040,
 *  in a forecast; Recife, 2000). */
const stretchMs = 4 * 86_400_000;

/** In milliseconds. @param at limited to what a Date can hold */
function offsetOf(format: Intl.DateTimeFormat, at: number): number {
  const text = format.format(Math.max(-latest, Math.min(latest, at)));
  const [, sign, hours = 0, minutes = 0, seconds = 0] = offsetPattern.exec(text) ?? [];
  return (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * (sign === '-' ? -1000 : 1000);
}

/** https://tc39.es/ecma262/#sec-time-values-and-time-range */
const latest = 8.64e15;

/** Seconds: local mean times, before there were zones. */
const offsetPattern = /GMT(?:([+-])(\d+):(\d+)(?::(\d+))?)?$/;

/** A number for the period that a local time lies in; equal for two of one zone exactly where they lie in the same one. */
export function periodOf({ date, offset }: LocalTime, period: Period): number {
  const year = date.getUTCFullYear();
  switch (period) {
    case 'hour':
      // No offset has a day or more, in seconds.
      return Math.floor(date.getTime() / 3_600_000) * 200_000 + offset / 1000;
    case 'day':
      return Math.floor(date.getTime() / 86_400_000);
    case 'week':
      // Of weeks that begin on Monday, as in ISO 8601: day 0 was a Thursday.
      return Math.floor((date.getTime() / 86_400_000 + 3) / 7);
    case 'month':
      return year * 12 + date.getUTCMonth();
    case 'year':
      return year;
  }
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const found = formats.get(timeZone);
  if (found) return found;
  try {
    const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
    formats.set(timeZone, format);
    return format;
  } catch (error) {
    throw new TidemarkError('USAGE', `find time zone ${JSON.stringify(timeZone)}: the IANA database has none of that name`, {
      cause: error,
    });
  }
}
