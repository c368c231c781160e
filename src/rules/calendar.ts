// Calendar periods in a time zone: which hour, day, ISO week, month or year an instant lies in. Periods are absolute, never counted back
// from "now", so that the same snapshots stay the last of theirs whenever one looks.
import { TidemarkError } from '../model/errors.js';

export type Period = 'hour' | 'day' | 'week' | 'month' | 'year';

/** What clocks and calendars of a zone show. */
export interface LocalTime {
  /** Its UTC fields are the local ones. */
  readonly date: Date;
  /** `GMT+02:00`: tells the two hours apart that have the same name when clocks are put back. */
  readonly offset: string;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** @throws TidemarkError USAGE for a zone that the IANA database does not have */
export function checkTimeZone(timeZone: string): void {
  formatOf(timeZone);
}

/** Local times of one zone. Intl takes microseconds for each, so it is asked for the offset alone, at both ends of a stretch of days; only
 *  where they differ at the instant itself.
 *  @throws TidemarkError USAGE for an unknown time zone */
export function localTimes(timeZone: string): (at: Date) => LocalTime {
  if (timeZone === 'UTC') return (date) => ({ date, offset: 'GMT' });
  const format = formatOf(timeZone);
  const edges = new Map<number, Offset>();
  const edge = (stretch: number): Offset => {
    const found = edges.get(stretch) ?? offsetOf(format, stretch * stretchMs);
    edges.set(stretch, found);
    return found;
  };
  return (at) => {
    const stretch = Math.floor(at.getTime() / stretchMs);
    const before = edge(stretch);
    const { name, ms } = before.ms === edge(stretch + 1).ms ? before : offsetOf(format, at.getTime());
    return { date: new Date(at.getTime() + ms), offset: name };
  };
}

/** No zone has changed its offset and changed it back within four days: the shortest such times, of 1900 to 2045, are a week (Gaza, 2040,
 *  in a forecast; Recife, 2000). */
const stretchMs = 4 * 86_400_000;

interface Offset {
  readonly name: string;
  readonly ms: number;
}

/** @param at limited to what a Date can hold */
function offsetOf(format: Intl.DateTimeFormat, at: number): Offset {
  const text = format.format(Math.max(-latest, Math.min(latest, at)));
  const [name = 'GMT', sign, hours = 0, minutes = 0, seconds = 0] = offsetPattern.exec(text) ?? [];
  return { name, ms: (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * (sign === '-' ? -1000 : 1000) };
}

/** https://tc39.es/ecma262/#sec-time-values-and-time-range */
const latest = 8.64e15;

/** Seconds: local mean times, before there were zones. */
const offsetPattern = /GMT(?:([+-])(\d+):(\d+)(?::(\d+))?)?$/;

/** A number or name for the period that a local time lies in; equal for two of one zone exactly where they lie in the same one. */
export function periodOf({ date, offset }: LocalTime, period: Period): number | string {
  const year = date.getUTCFullYear();
  switch (period) {
    case 'hour':
      return `${Math.floor(date.getTime() / 3_600_000)} ${offset}`;
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
