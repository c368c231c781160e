// Calendar periods in a time zone: which hour, day, ISO week, month or year an instant lies in. Periods are absolute, never counted back
// from "now", so that the same snapshots stay the last of theirs whenever one looks.
import { TidemarkError } from '../model/errors.js';

export type Period = 'hour' | 'day' | 'week' | 'month' | 'year';

interface LocalTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  /** `GMT+02:00`: tells the two hours apart that have the same name when clocks are put back. */
  readonly offset: string;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** @throws TidemarkError USAGE for a zone that the IANA database does not have */
export function checkTimeZone(timeZone: string): void {
  formatOf(timeZone);
}

/** A name for the period that an instant lies in; equal for two instants exactly where they lie in the same one.
 *  @throws TidemarkError USAGE for an unknown time zone */
export function periodOf(at: Date, period: Period, timeZone: string): string {
  const { year, month, day, hour, offset } = localTime(at, timeZone);
  switch (period) {
    case 'hour':
      return `${year}-${two(month)}-${two(day)} ${two(hour)} ${offset}`;
    case 'day':
      return `${year}-${two(month)}-${two(day)}`;
    case 'week':
      return isoWeek(year, month, day);
    case 'month':
      return `${year}-${two(month)}`;
    case 'year':
      return `${year}`;
  }
}

/** ISO 8601: weeks begin on Monday, and belong to the year that has their Thursday. */
function isoWeek(year: number, month: number, day: number): string {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCDate(date.getUTCDate() + 4 - (date.getUTCDay() || 7));
  const first = new Date(0);
  first.setUTCFullYear(date.getUTCFullYear(), 0, 1);
  return `${date.getUTCFullYear()}-W${two(1 + Math.floor((date.getTime() - first.getTime()) / (7 * 86_400_000)))}`;
}

function localTime(at: Date, timeZone: string): LocalTime {
  const parts = new Map(
    formatOf(timeZone)
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  );
  const number = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type));
  const year = parts.get('era') === 'BC' ? 1 - number('year') : number('year');
  return { year, month: number('month'), day: number('day'), hour: number('hour'), offset: parts.get('timeZoneName') ?? '' };
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const found = formats.get(timeZone);
  if (found) return found;
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'iso8601',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      hourCycle: 'h23',
      timeZoneName: 'longOffset',
    });
    formats.set(timeZone, format);
    return format;
  } catch (error) {
    throw new TidemarkError('USAGE', `find time zone ${JSON.stringify(timeZone)}: the IANA database has none of that name`, {
      cause: error,
    });
  }
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
