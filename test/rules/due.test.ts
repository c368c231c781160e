import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { due, heightBucket, type Position, presets, type Rule, type Schedule } from '#dist/rules/index.js';

const day = 86_400_000;
const start = new Date('2026-03-01T00:00:00Z');
const at = (ms: number): Date => new Date(start.getTime() + ms);
const position = (some: Partial<Position> = {}): Position => ({ at: start, lsn: 1000n, ...some });
const decide = (rules: readonly Rule[], good: Partial<Position>, now: Partial<Position>, rest: Partial<Schedule> = {}) =>
  due({ rules, ...rest }, { good: position(good) }, position(now));

describe('by height', () => {
  it.each<[rule: Rule, last: bigint, now: bigint, expected: boolean, next: bigint]>([
    [{ by: 'height', every: 151_200n }, 302_400n, 453_599n, false, 453_600n],
    [{ by: 'height', every: 151_200n }, 302_400n, 453_600n, true, 453_600n],
    [{ by: 'height', every: 151_200n }, 302_400n, 999_999n, true, 453_600n],
    [{ by: 'height', every: 100n, from: 'multiples' }, 250n, 299n, false, 300n],
    [{ by: 'height', every: 100n, from: 'multiples' }, 250n, 301n, true, 300n],
    [{ by: 'height', every: 100n, from: 'multiples' }, 300n, 399n, false, 400n],
    // The database went back: a restore of an older snapshot.
    [{ by: 'height', every: 100n }, 500n, 200n, false, 600n],
  ])('%o after %s at %s: %s, next %s', (rule, last, now, expected, value) => {
    expect(decide([rule], { height: last }, { height: now })).toMatchObject({ due: expected, next: [{ by: 'height', value }] });
  });

  it('is due exactly from its mark on, which is never further than the distance', () => {
    const heights = fc.bigInt(0n, 10n ** 12n);
    fc.assert(
      fc.property(
        fc.bigInt(1n, 10n ** 9n),
        heights,
        heights,
        fc.constantFrom('last' as const, 'multiples' as const),
        (every, last, more, from) => {
          const height = last + more;
          const decision = decide([{ by: 'height', every, from }], { height: last }, { height });
          const mark = (decision.next[0] as { value: bigint }).value;
          expect(decision.due).toBe(height >= mark);
          expect(mark > last && mark <= last + every).toBe(true);
        },
      ),
    );
  });

  it('counts stretches downwards below zero', () => {
    expect([-1n, 0n, 99n, 100n, -100n, -101n].map((height) => heightBucket(height, 100n))).toEqual([-1n, 0n, 0n, 1n, -1n, -2n]);
  });
});

describe('each measure', () => {
  const cases: readonly [name: string, rule: Rule, good: Partial<Position>, early: Partial<Position>, late: Partial<Position>][] = [
    ['time', { by: 'time', every: day }, {}, { at: at(day - 1) }, { at: at(day) }],
    ['commits', { by: 'commits', every: 1000n }, { commits: 70n }, { commits: 1069n }, { commits: 1070n }],
    ['a stream', { by: 'stream', stream: 's', every: 5n }, { streams: { s: 10n } }, { streams: { s: 14n } }, { streams: { s: 15n } }],
    ['write-ahead log', { by: 'wal', every: 1n << 30n }, {}, { lsn: (1n << 30n) + 999n }, { lsn: (1n << 30n) + 1000n }],
    ['cron', { by: 'cron', expression: '0 2 * * *' }, {}, { at: at(7_199_999) }, { at: at(7_200_000) }],
    [
      'cron in a time zone',
      { by: 'cron', expression: '0 2 * * *', timeZone: 'Asia/Kathmandu' },
      {},
      { at: new Date('2026-03-01T20:14:59Z') },
      { at: new Date('2026-03-01T20:15:00Z') },
    ],
    [
      'changes: enough',
      { by: 'changes', changes: 10n, after: 5000 },
      { changes: 5n },
      { at: at(5000), changes: 14n },
      { at: at(5000), changes: 15n },
    ],
    [
      'changes: old enough',
      { by: 'changes', changes: 10n, after: 5000 },
      { changes: 5n },
      { at: at(4999), changes: 99n },
      { at: at(5000), changes: 99n },
    ],
  ];
  it.each(cases)('%s', (_name, rule, good, early, late) => {
    expect(decide([rule], good, early).due).toBe(false);
    expect(decide([rule], good, late).due).toBe(true);
  });

  it.each<[name: string, rule: Rule, good: Partial<Position>, now: Partial<Position>, expected: boolean]>([
    ['commits after the counters began anew', { by: 'commits', every: 100n }, { commits: 5000n }, { commits: 99n }, false],
    ['commits enough of them', { by: 'commits', every: 100n }, { commits: 5000n }, { commits: 100n }, true],
    [
      'changes after the counters began anew',
      { by: 'changes', changes: 10n, after: 1 },
      { changes: 50n },
      { at: at(1), changes: 9n },
      false,
    ],
    ['a write-ahead log that stands before', { by: 'wal', every: 1n << 40n }, {}, { lsn: 1n }, true],
    ['a clock that was put back: time', { by: 'time', every: day }, {}, { at: at(-1) }, true],
    ['a clock that was put back: cron', { by: 'cron', expression: '0 2 * * *' }, {}, { at: at(-400 * day) }, true],
    ['a last snapshot without height', { by: 'height', every: 100n }, {}, { height: 1n }, true],
    ['a last snapshot without the stream', { by: 'stream', stream: 's', every: 5n }, { streams: {} }, { streams: { s: 1n } }, true],
  ])('%s', (_name, rule, good, now, expected) => {
    expect(decide([rule], good, now).due).toBe(expected);
  });

  it.each<Rule>([
    { by: 'height', every: 1n },
    { by: 'commits', every: 1n },
    { by: 'changes', changes: 1n, after: 1 },
    { by: 'stream', stream: '__proto__', every: 1n },
  ])('is an error where the position lacks it: %o', (rule) => {
    expect(() => decide([rule], {}, { streams: {} })).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});

describe('several rules', () => {
  const { schedule } = presets.memory;

  it.each([
    [14 * 60, 1n, false],
    [15 * 60, 0n, false],
    [15 * 60, 1n, true],
    [5 * 60, 9n, false],
    [5 * 60, 10n, true],
    [60, 9999n, false],
    [60, 10_000n, true],
    [59, 99_999n, false],
  ])('save rules: %i s and %s changes: %s', (seconds, changes, expected) => {
    expect(due(schedule, { good: position({ changes: 7n }) }, position({ at: at(seconds * 1000), changes: 7n + changes })).due).toBe(
      expected,
    );
  });

  it('says what each of them waits for', () => {
    const decision = decide(
      [
        { by: 'height', every: 100n },
        { by: 'time', every: day },
      ],
      { height: 1n },
      { height: 51n, at: at(1) },
    );
    expect(decision).toMatchObject({
      due: false,
      reason: 'every 100 of height: height 51, 50 more to 101; every 1 d: not before 2026-03-02T00:00:00.000Z',
      next: [
        { by: 'height', value: 101n },
        { by: 'time', at: at(day) },
      ],
    });
  });
});

describe('without a good snapshot', () => {
  const rules: readonly Rule[] = [{ by: 'height', every: 100n }];

  it('one is due at once, unless told otherwise', () => {
    expect(due({ rules }, {}, position())).toMatchObject({ due: true, reason: 'there is no good snapshot yet' });
    expect(due({ rules, whenNone: false }, {}, position()).due).toBe(false);
  });
});

describe('after a failure', () => {
  const rules: readonly Rule[] = [{ by: 'height', every: 100n }];
  const at200 = (schedule: Partial<Schedule>, now: Partial<Position>) =>
    due({ rules, ...schedule }, { good: position({ height: 0n }), failed: position({ height: 200n }) }, position({ height: 200n, ...now }));

  it.each<[schedule: Partial<Schedule>, now: Partial<Position>, expected: boolean]>([
    [{}, { at: at(59_999) }, false],
    [{}, { at: at(60_000) }, true],
    [{ retry: { ms: 10 } }, { at: at(9) }, false],
    [{ retry: { ms: 10 } }, { at: at(10) }, true],
    [{ retry: { height: 36n } }, { height: 235n, at: at(day) }, false],
    [{ retry: { height: 36n } }, { height: 236n }, true],
    [{ retry: { height: 36n, ms: 10 } }, { height: 201n, at: at(10) }, true],
    [{ retry: { height: 36n, ms: 10 } }, { height: 201n, at: at(9) }, false],
    // Restored in between; a clock that was put back.
    [{ retry: { height: 36n } }, { height: 199n }, true],
    [{}, { at: at(-1) }, true],
  ])('%o at %o: %s', (schedule, now, expected) => {
    expect(at200(schedule, now).due).toBe(expected);
  });

  it('waits for the first snapshot, too', () => {
    expect(due({ rules }, { failed: position() }, position({ at: at(1) })).due).toBe(false);
    expect(due({ rules }, { failed: position() }, position({ at: at(60_000) })).due).toBe(true);
  });
});

describe('at an orderly end', () => {
  const schedule: Schedule = { rules: [{ by: 'time', every: day }], atShutdown: true };
  const end = (now: Partial<Position>, given: Schedule = schedule) =>
    due(given, { good: position() }, { ...position(now), shutdown: true }).due;

  test('one is due where the schedule says so and the database has moved', () => {
    expect(end({ lsn: 1001n })).toBe(true);
    expect(end({})).toBe(false);
    expect(end({ lsn: 1001n }, { ...schedule, atShutdown: false })).toBe(false);
    expect(due(schedule, { good: position() }, position({ lsn: 1001n })).due).toBe(false);
  });
});

describe('refuses', () => {
  it.each<[schedule: Schedule, why: string]>([
    [{ rules: [] }, 'there is no rule'],
    [{ rules: [{ by: 'height', every: 0n }] }, 'is 0'],
    [{ rules: [{ by: 'height', every: -1n }] }, 'is -1'],
    [{ rules: [{ by: 'time', every: 0 }] }, 'is 0'],
    [{ rules: [{ by: 'time', every: Number.NaN }] }, 'is NaN'],
    [{ rules: [{ by: 'changes', changes: 0n, after: 1000 }] }, 'the number of changes'],
    [{ rules: [{ by: 'changes', changes: 1n, after: 0 }] }, 'the time'],
    [{ rules: [{ by: 'stream', stream: '', every: 1n }] }, 'no name'],
    [{ rules: [{ by: 'cron', expression: 'at two' }] }, 'read cron expression "at two"'],
    [{ rules: [{ by: 'cron', expression: '0 0 30 2 *' }] }, 'never comes true'],
    [{ rules: [{ by: 'cron', expression: '0 2 * * *', timeZone: 'Mars/Olympus' }] }, 'Mars/Olympus'],
    [{ rules: [{ by: 'height', every: 100n }], retry: { height: 101n } }, 'comes later than the next snapshot'],
    [{ rules: [{ by: 'height', every: 100n }], retry: { ms: 0 } }, 'the retry distance'],
  ])('%o: %s', (schedule, why) => {
    expect(() => due(schedule, {}, position())).toThrow(expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(why) }));
  });
});
