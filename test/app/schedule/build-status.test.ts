// How things stand with a store: health by rules and by age, and what is told where not all is known.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Repository } from '#dist/app/repository/repository.js';
import { buildStatus, type StatusCriteria } from '#dist/app/schedule/build-status.js';
import type { Position } from '#dist/model/position.js';
import { temporaryDirectory } from '../../temporary-directory.js';
import { fillStore } from '../repository/fill-store.js';

const hour = 3_600_000;
const start = new Date('2026-03-01T00:00:00Z');
const at = (ms: number): Date => new Date(start.getTime() + ms);
const byHeight = { rules: [{ by: 'height', every: 100n }] } as const;
const hourly = { rules: [{ by: 'time', every: hour }] } as const;
const two = { 's-300': { height: 300n, at: start }, 's-200': { height: 200n, at: at(-hour), lsn: 900n } };

async function statusOf(names: Readonly<Record<string, Partial<Position>>>, criteria: StatusCriteria) {
  await using folder = await temporaryDirectory();
  await fillStore(folder.path, names);
  await writeFile(join(folder.path, 's-999.tar.zst'), 'not verified');
  const status = await buildStatus({ repository: new Repository({ store: folder.path, prefix: 's' }), ...criteria });
  expect(status).toMatchObject({ prefix: 's', store: folder.path, unknown: [{ id: 's-999' }] });
  return status;
}

test('by the rules: healthy until the second mark, and the decision is that of the scheduler', async () => {
  const position = (height: bigint) => ({ at: at(90_000), lsn: 2000n, height });
  const criteria = { schedule: byHeight, retention: { last: 1 } };
  expect(await statusOf(two, { ...criteria, position: position(450n) })).toMatchObject({
    at: at(90_000),
    healthy: true,
    reason: 'the newest good snapshot, s-300, is 90 seconds old; every 100 of height: height 450 has passed 400, the mark after it not yet',
    newest: { id: 's-300' },
    ageMs: 90_000,
    snapshots: [
      { snapshot: { id: 's-300' }, reasons: ['last snapshot'] },
      { snapshot: { id: 's-200' }, reasons: [] },
    ],
    position: { height: 450n },
    decision: { due: true, next: [{ by: 'height', value: 400n }] },
  });
  expect(await statusOf(two, { ...criteria, position: position(500n) })).toMatchObject({ healthy: false });
});

test('without a good snapshot it is not healthy, and one is due', async () => {
  const status = await statusOf({}, { schedule: hourly, retention: { last: 1 }, now: start });
  expect(status).toMatchObject({ healthy: false, decision: { due: true }, snapshots: [] });
  expect(status.reason).toBe('there is no good snapshot; judged by time only');
  expect(status).not.toHaveProperty('newest');
  expect(status).not.toHaveProperty('ageMs');
});

test('without a position rules by time are judged, and the others named', async () => {
  const schedule = { rules: [...byHeight.rules, ...hourly.rules] };
  const status = await statusOf(two, { schedule, retention: { last: 9 }, now: at(30_000), unobserved: 'the server is gone' });
  expect(status).toMatchObject({ healthy: true, unobserved: 'the server is gone', decision: { due: false, next: [{ by: 'time' }] } });
  expect(status.reason).toContain('not judged: every 100 of height (the height is not known); judged by time only: the server is gone');
  expect(await statusOf(two, { schedule, now: at(2 * hour) })).toMatchObject({ healthy: false, decision: { due: true } });
  expect(await statusOf(two, { schedule: byHeight, now: at(999 * hour) })).not.toHaveProperty('decision');
});

test('an old position does not stop the clock that is given beside it', async () => {
  const position = { at: at(60_000), lsn: 1000n };
  expect(await statusOf(two, { schedule: hourly, position })).toMatchObject({ healthy: true, ageMs: 60_000 });
  expect(await statusOf(two, { schedule: hourly, position, now: at(2 * hour) })).toMatchObject({ healthy: false, ageMs: 2 * hour });
});

test('an age that may not be passed, with rules and without', async () => {
  const healthy = async (criteria: StatusCriteria) => (await statusOf(two, criteria)).healthy;
  expect(await healthy({ now: at(hour), maxAgeMs: hour })).toBe(true);
  expect(await healthy({ now: at(hour + 1), maxAgeMs: hour })).toBe(false);
  expect(await healthy({ schedule: byHeight, now: at(hour + 1), maxAgeMs: hour })).toBe(false);
  expect(await healthy({ now: at(-9999 * hour), maxAgeMs: hour })).toBe(true);
  expect((await statusOf(two, { now: at(hour + 1), maxAgeMs: hour })).reason).toBe(
    'the newest good snapshot, s-300, is 60 minutes old, more than 1 h',
  );
});

test('what a running scheduler knows is passed on', async () => {
  const running = { since: start, reason: 'asked for', rows: 5n, rawBytes: 6n };
  const failures = { total: 7, inARow: 2 };
  const status = await statusOf(two, { schedule: hourly, now: start, running, failures });
  expect(status).toMatchObject({ healthy: true, running, failures, reason: expect.stringMatching(/; the last 2 attempts failed$/) });
});

test('without a policy, or with one that does not fit, nothing goes; one that cannot be followed is refused', async () => {
  const reasons = async (criteria: StatusCriteria, names: Readonly<Record<string, Partial<Position>>> = two) =>
    (await statusOf(names, criteria)).snapshots.map((one) => one.reasons);
  expect(await reasons({ now: start })).toEqual([['no policy lets it go'], ['no policy lets it go']]);
  const without = { 's-20260301T000000Z': {} };
  expect(await reasons({ now: start, retention: { heights: { every: 100n } } }, without)).toEqual([
    [expect.stringContaining('the policy goes by height')],
  ]);
  await expect(statusOf(two, { retention: {} })).rejects.toMatchObject({ code: 'USAGE' });
});
