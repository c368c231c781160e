// Local times against what Intl says of every instant; they are made of few of its answers.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { localTimes, periodOf } from '#dist/rules/calendar.js';

const formats = new Map<string, Intl.DateTimeFormat>();

/** Date and time as Intl has them. */
function asIntl(at: Date, timeZone: string): string {
  const found = formats.get(timeZone);
  const format = found ?? makeFormat(timeZone);
  if (found === undefined) formats.set(timeZone, format);
  const parts = format.formatToParts(at);
  const of = (type: string): string => parts.find((part) => part.type === type)?.value ?? '';
  return [...['year', 'month', 'day', 'hour', 'minute'].map((type) => Number(of(type))), of('timeZoneName')].join(' ');
}

function makeFormat(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'iso8601',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    hourCycle: 'h23',
    timeZoneName: 'longOffset',
  });
}

/** In milliseconds -> as Intl has it: `GMT+02:00`, with seconds where there are some. */
function spelled(offset: number): string {
  const seconds = Math.abs(offset) / 1000;
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, ...(seconds % 60 === 0 ? [] : [seconds % 60])];
  return `GMT${offset < 0 ? '-' : '+'}${parts.map((part) => String(part).padStart(2, '0')).join(':')}`;
}

function asOurs(at: Date, timeZone: string): string {
  const { date, offset } = localTimes(timeZone)(at);
  const fields = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes()];
  return [...fields, spelled(offset)].join(' ');
}

const hour = 3_600_000;

test('local times are those of Intl, in every zone', () => {
  const zones = fc.constantFrom(...Intl.supportedValuesOf('timeZone'));
  const instants = fc.date({ min: new Date('1900-01-01Z'), max: new Date('2045-01-01Z'), noInvalidDate: true });
  fc.assert(
    fc.property(zones, instants, (zone, at) => {
      expect(asOurs(at, zone)).toBe(asIntl(at, zone));
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ['Europe/Berlin', '2026-03-29T01:00:00Z'],
  ['Europe/Berlin', '2026-10-25T01:00:00Z'],
  ['Asia/Gaza', '2040-10-20T00:00:00Z'],
  ['America/Recife', '2000-10-10T00:00:00Z'],
  ['Australia/Lord_Howe', '2026-04-04T15:00:00Z'],
  ['Pacific/Apia', '2011-12-30T10:00:00Z'],
  ['Europe/Amsterdam', '1937-07-01T00:00:00Z'],
])('around changes of offset, too: %s, %s', (zone, text) => {
  const times = localTimes(zone);
  for (let i = -24 * 14; i <= 24 * 14; i += 1) {
    const at = new Date(new Date(text).getTime() + (i * hour) / 2);
    const { date, offset } = times(at);
    expect(`${date.toISOString()} ${offset}`).toBe(`${localTimes(zone)(at).date.toISOString()} ${offset}`);
    expect(asOurs(at, zone)).toBe(asIntl(at, zone));
  }
});

test('weeks begin on Monday, also before 1970 and at the ends of years', () => {
  const local = localTimes('UTC');
  const week = (text: string): number | string => periodOf(local(new Date(text)), 'week');
  for (const monday of ['2025-12-29', '2026-01-05', '1969-12-29', '1800-01-06']) {
    const start = new Date(`${monday}T00:00:00Z`).getTime();
    const [first, last, before] = [0, 7 * 24 * hour - 1, -1].map((offset) => week(new Date(start + offset).toISOString()));
    expect(first).toBe(last);
    expect(first).not.toBe(before);
  }
});

test('an instant at the end of all times has a period', () => {
  for (const at of [new Date(8.64e15), new Date(-8.64e15)]) {
    expect(periodOf(localTimes('UTC')(at), 'year')).toBe(at.getUTCFullYear());
    expect(() => localTimes('Europe/Berlin')(at)).not.toThrow();
  }
});
