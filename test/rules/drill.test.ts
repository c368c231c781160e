// When a drill is due.
import { describe, expect, test } from 'vitest';
import { drillDue } from '#dist/rules/index.js';

const daily = { by: 'time', every: 86_400_000 } as const;
const at = (text: string) => new Date(`2026-03-${text}Z`);
const drilled = (text: string, ok = true) => ({ drill: { at: at(text), durationMs: 1, ok } });

describe('drillDue', () => {
  test('not while there is nothing to try', () => {
    expect(drillDue(daily, [], at('02T00:00:00'))).toMatchObject({ due: false, reason: 'there is no good snapshot to try' });
  });

  test('at once while nothing was tried', () => {
    expect(drillDue(daily, [{}, {}], at('02T00:00:00'))).toMatchObject({ due: true });
  });

  test.each([
    ['01T23:59:59', false],
    ['02T00:00:00', true],
    ['09T00:00:00', true],
  ])('by time since the newest drill, whichever snapshot it was of: %s', (now, due) => {
    const snapshots = [{}, drilled('01T00:00:00'), drilled('01T00:00:00', false)];
    expect(drillDue(daily, snapshots, at(now))).toMatchObject({ due, next: { by: 'time', at: at('02T00:00:00') } });
  });

  test('a failed one counts', () => {
    expect(drillDue(daily, [drilled('01T00:00:00'), drilled('05T00:00:00', false)], at('05T12:00:00')).due).toBe(false);
  });

  test.each([
    ['01T03:59:59', false],
    ['01T04:00:00', true],
  ])('by a cron expression: %s', (now, due) => {
    expect(drillDue({ by: 'cron', expression: '0 4 * * *' }, [drilled('01T02:00:00')], at(now)).due).toBe(due);
  });

  test('a clock that was put back says nothing: better one too many', () => {
    expect(drillDue(daily, [drilled('05T00:00:00')], at('04T23:00:00'))).toMatchObject({
      due: true,
      reason: expect.stringContaining('clock'),
    });
  });
});
