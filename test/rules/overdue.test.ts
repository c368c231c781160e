// When the newest good snapshot is too old: the next one has been due, and the one after it, too.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { due, overdue, type Position, type Rule, type Schedule, type Sighting } from '#dist/rules/index.js';

const hour = 3_600_000;
const day = 24 * hour;
const start = new Date('2026-03-01T00:00:00Z');
const at = (ms: number): Date => new Date(start.getTime() + ms);
const position = (some: Partial<Position> = {}): Position => ({ at: start, lsn: 1000n, ...some });
const judged = (rules: readonly Rule[], good: Partial<Position>, now: Partial<Position>, rest: Partial<Schedule> = {}) =>
  overdue({ rules, ...rest }, position(good), position(now));

describe('each measure: due once is not too old, due twice is', () => {
  const cases: readonly [name: string, rule: Rule, good: Partial<Position>, once: Partial<Position>, twice: Partial<Position>][] = [
    ['height', { by: 'height', every: 100n }, { height: 300n }, { height: 499n }, { height: 500n }],
    ['multiples of height', { by: 'height', every: 100n, from: 'multiples' }, { height: 350n }, { height: 499n }, { height: 500n }],
    ['time', { by: 'time', every: day }, {}, { at: at(2 * day - 1) }, { at: at(2 * day) }],
    ['commits', { by: 'commits', every: 1000n }, { commits: 70n }, { commits: 2069n }, { commits: 2070n }],
    ['commits, never counted before', { by: 'commits', every: 1000n }, {}, { commits: 1999n }, { commits: 2000n }],
    ['commits after the counters began anew', { by: 'commits', every: 100n }, { commits: 5000n }, { commits: 199n }, { commits: 200n }],
    ['a stream', { by: 'stream', stream: '__proto__', every: 5n }, streams(10n), streams(19n), streams(20n)],
    ['write-ahead log', { by: 'wal', every: 500n }, {}, { lsn: 1999n }, { lsn: 2000n }],
    ['cron', { by: 'cron', expression: '0 2 * * *' }, {}, { at: at(day + 2 * hour - 1) }, { at: at(day + 2 * hour) }],
    [
      'changes: enough',
      { by: 'changes', changes: 10n, after: 5000 },
      { changes: 5n },
      { at: at(day), changes: 24n },
      { at: at(day), changes: 25n },
    ],
    [
      'changes: old enough',
      { by: 'changes', changes: 10n, after: 5000 },
      { changes: 5n },
      { at: at(9999), changes: 99n },
      { at: at(10_000), changes: 99n },
    ],
    [
      'changes after the counters began anew',
      { by: 'changes', changes: 10n, after: 5000 },
      { changes: 500n },
      { at: at(day), changes: 19n },
      { at: at(day), changes: 20n },
    ],
  ];

  function streams(value: bigint): Partial<Position> {
    return { streams: Object.fromEntries([['__proto__', value]]) };
  }

  it.each(cases)('%s', (_name, rule, good, once, twice) => {
    expect(judged([rule], good, good).overdue).toBe(false);
    expect(due({ rules: [rule] }, { good: position(good) }, position(once)).due).toBe(true);
    expect(judged([rule], good, once)).toMatchObject({ overdue: false, reason: expect.stringContaining(', the mark after it not yet') });
    expect(judged([rule], good, twice)).toMatchObject({ overdue: true, reason: expect.stringContaining(', and the mark after it, too') });
  });

  it('is never too old where none is due, and at every height from the second mark on', () => {
    const heights = fc.bigInt(0n, 10n ** 12n);
    fc.assert(
      fc.property(fc.bigInt(1n, 10n ** 9n), heights, heights, (every, last, more) => {
        const rules: Rule[] = [{ by: 'height', every }];
        const [good, now] = [position({ height: last }), position({ height: last + more })];
        const { overdue: late } = overdue({ rules }, good, now);
        expect(late).toBe(more >= 2n * every);
        if (late) expect(due({ rules }, { good }, now).due).toBe(true);
      }),
    );
  });
});

it('any rule that has been passed twice is enough, and is the one that is told', () => {
  const rules: Rule[] = [
    { by: 'height', every: 100n },
    { by: 'time', every: hour },
  ];
  expect(judged(rules, { height: 300n }, { height: 350n, at: at(2 * hour) })).toEqual({
    overdue: true,
    reason: 'every 1 h: 2026-03-01T01:00:00.000Z has passed, and the mark after it, too',
  });
  expect(judged(rules, { height: 300n }, { height: 450n, at: at(hour - 1) })).toEqual({
    overdue: false,
    reason: 'every 100 of height: height 450 has passed 400, the mark after it not yet; every 1 h: not before 2026-03-01T01:00:00.000Z',
  });
});

describe('no good snapshot', () => {
  it.each([true, false])('is too old, whether one is taken at once or not (%s)', (whenNone) => {
    const schedule: Schedule = { rules: [{ by: 'height', every: 100n }], whenNone };
    expect(overdue(schedule, undefined, { at: start })).toEqual({ overdue: true, reason: 'there is no good snapshot' });
  });
});

describe('a database that could not be reached', () => {
  const schedule: Schedule = {
    rules: [
      { by: 'height', every: 100n },
      { by: 'time', every: hour },
      { by: 'commits', every: 5n },
      { by: 'changes', changes: 1n, after: 5 },
      { by: 'wal', every: 5n },
      { by: 'stream', stream: 's', every: 5n },
    ],
  };
  const good = position({ height: 1n });

  it('is judged by time alone, and what could not be judged is named', () => {
    expect(overdue(schedule, good, { at: at(2 * hour) }).overdue).toBe(true);
    const { overdue: late, reason } = overdue(schedule, good, { at: at(hour / 2) });
    expect(late).toBe(false);
    expect(reason).toContain('every 1 h: not before 2026-03-01T01:00:00.000Z; not judged: every 100 of height (the height is not known); ');
    for (const what of ['count of commits', 'count of changes', 'write-ahead log position', 'sequence of the stream']) {
      expect(reason).toContain(`(the ${what} is not known)`);
    }
  });
});

describe('what is strange', () => {
  const cases: readonly [name: string, rule: Rule, good: Partial<Position>, now: Sighting][] = [
    ['a clock that was put back: time', { by: 'time', every: day }, {}, { at: at(-5000 * day) }],
    ['a clock that was put back: cron', { by: 'cron', expression: '0 2 * * *' }, {}, { at: at(-5000 * day) }],
    [
      'a clock that was put back: changes',
      { by: 'changes', changes: 1n, after: 1 },
      { changes: 1n },
      { at: at(-5000 * day), changes: 99n },
    ],
    ['a database that was restored: below the last height', { by: 'height', every: 100n }, { height: 5000n }, { at: start, height: 3n }],
    ['a last snapshot without height', { by: 'height', every: 100n }, {}, { at: start, height: 10_000n }],
    ['another write-ahead log', { by: 'wal', every: 1n }, {}, { at: start, lsn: 5n }],
  ];
  it.each(cases)('%s alone makes nothing too old', (_name, rule, good, now) => {
    expect(overdue({ rules: [rule] }, position(good), now).overdue).toBe(false);
  });

  it('a clock that was put back hides nothing that another rule measures', () => {
    const rules: Rule[] = [
      { by: 'time', every: day },
      { by: 'height', every: 100n },
    ];
    expect(judged(rules, { height: 300n }, { at: at(-5000 * day), height: 600n }).overdue).toBe(true);
    expect(judged(rules, { height: 300n }, { at: at(-5000 * day), height: 310n }).reason).toContain('the clock was put back');
  });
});

it('a schedule without rules says nothing of age; one that cannot be followed is refused', () => {
  expect(overdue({ rules: [], atShutdown: true }, position(), { at: at(9000 * day) })).toEqual({
    overdue: false,
    reason: 'no rule says how old it may be',
  });
  expect(() => overdue({ rules: [{ by: 'time', every: 0 }] }, position(), { at: start })).toThrow(
    expect.objectContaining({ code: 'USAGE' }),
  );
});
