// What a scrape gives: counters of events, gauges of a status, and nothing for what is not known.
import { beforeEach, describe, expect, test } from 'vitest';
import { createMetrics, type Metrics } from '#dist/app/daemon/metrics.js';
import type { Status } from '#dist/app/schedule/status.js';
import { TidemarkError } from '#dist/model/errors.js';
import { emptyStatus, now, sampleSnapshot, sampleStatus } from './sample-status.js';

/** Samples by name and labels. */
async function scrape(metrics: Metrics, status: Status): Promise<Readonly<Record<string, number>>> {
  const lines = (await metrics.render(status)).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]));
}

let metrics: Metrics;
beforeEach(() => {
  metrics = createMetrics();
});

test('a status with everything', async () => {
  const seconds = now.getTime() / 1000;
  expect(await scrape(metrics, { ...sampleStatus(), failures: { total: 3, inARow: 2 } })).toEqual({
    tidemark_healthy: 1,
    tidemark_snapshot_last_success_timestamp_seconds: seconds - 3 * 3600,
    tidemark_snapshot_age_seconds: 3 * 3600,
    tidemark_snapshot_height: 45_360_000,
    tidemark_snapshot_size_bytes: 1_234_567_890,
    tidemark_snapshot_duration_seconds: 95.4,
    tidemark_snapshot_rows: Number(9_007_199_254_740_993n),
    'tidemark_snapshots{state="good"}': 5,
    'tidemark_snapshots{state="pinned"}': 1,
    'tidemark_snapshots{state="unknown"}': 1,
    tidemark_snapshot_running: 0,
    tidemark_snapshot_consecutive_failures: 2,
    tidemark_database_height: 45_401_000,
    tidemark_next_due_timestamp_seconds: seconds + 9 * 3600,
    tidemark_next_due_height: 45_511_200,
    tidemark_drill_last_success_timestamp_seconds: seconds - 2 * 3600,
    tidemark_snapshots_created_total: 0,
    tidemark_snapshots_removed_total: 0,
    'tidemark_drills_total{result="ok"}': 0,
    'tidemark_drills_total{result="failed"}': 0,
  });
});

test('what is not known is absent', async () => {
  expect(await scrape(metrics, emptyStatus())).toEqual({
    tidemark_healthy: 0,
    'tidemark_snapshots{state="good"}': 0,
    'tidemark_snapshots{state="pinned"}': 0,
    'tidemark_snapshots{state="unknown"}': 0,
    tidemark_snapshot_running: 0,
    tidemark_snapshots_created_total: 0,
    tidemark_snapshots_removed_total: 0,
    'tidemark_drills_total{result="ok"}': 0,
    'tidemark_drills_total{result="failed"}': 0,
  });
});

test('a gauge that is no more known goes', async () => {
  expect(await scrape(metrics, sampleStatus())).toHaveProperty('tidemark_snapshot_height');
  expect(await scrape(metrics, emptyStatus())).not.toHaveProperty('tidemark_snapshot_height');
});

test('events are counted', async () => {
  const snapshot = sampleSnapshot(0);
  const failed = (code: 'DISK_FULL' | 'LOCK_TIMEOUT'): void =>
    metrics.onEvent({ type: 'failed', error: new TidemarkError(code, 'x'), next: [], durationMs: 1 });
  metrics.onEvent({ type: 'created', snapshot, reason: 'x', durationMs: 1 });
  failed('DISK_FULL');
  failed('DISK_FULL');
  failed('LOCK_TIMEOUT');
  metrics.onEvent({ type: 'removed', snapshot });
  metrics.onEvent({ type: 'trouble', error: new TidemarkError('CONNECTION_LOST', 'x') });
  metrics.onEvent({ type: 'drilled', snapshot, drill: { at: now, durationMs: 1, ok: true } });
  metrics.onEvent({ type: 'drilled', snapshot, drill: { at: new Date(now.getTime() + 1000), durationMs: 1, ok: false } });
  expect(await scrape(metrics, emptyStatus())).toMatchObject({
    tidemark_snapshots_created_total: 1,
    'tidemark_snapshot_failures_total{code="DISK_FULL"}': 2,
    'tidemark_snapshot_failures_total{code="LOCK_TIMEOUT"}': 1,
    tidemark_snapshots_removed_total: 1,
    'tidemark_troubles_total{code="CONNECTION_LOST"}': 1,
    'tidemark_drills_total{result="ok"}': 1,
    'tidemark_drills_total{result="failed"}': 1,
    tidemark_drill_last_success_timestamp_seconds: now.getTime() / 1000,
  });
});

describe('the format', () => {
  test('is the text format, each metric once with help and type', async () => {
    expect(metrics.contentType).toMatch(/^text\/plain; version=0\.0\.4/);
    const lines = (await metrics.render(sampleStatus())).split('\n');
    const named = (start: string): string[] => lines.filter((line) => line.startsWith(start)).map((line) => line.split(' ')[2] ?? '');
    const helps = named('# HELP');
    expect(new Set(helps).size).toBe(helps.length);
    expect(named('# TYPE')).toEqual(helps);
    expect(lines.at(-1)).toBe('');
  });

  test('follows the conventions for names', async () => {
    const types = (await metrics.render(sampleStatus())).matchAll(/^# TYPE (\S+) (\S+)$/gm);
    for (const [, name, type] of types) {
      expect(name).toMatch(/^tidemark_[a-z_]+$/);
      expect(name?.endsWith('_total'), name).toBe(type === 'counter');
    }
  });
});

test('two of them, and two scrapes at once, do not mix', async () => {
  metrics.onEvent({ type: 'created', snapshot: sampleSnapshot(0), reason: 'x', durationMs: 1 });
  const [one, two] = await Promise.all([scrape(metrics, sampleStatus()), scrape(metrics, emptyStatus())]);
  expect([one.tidemark_healthy, two.tidemark_healthy]).toEqual([1, 0]);
  expect(await scrape(createMetrics(), emptyStatus())).toMatchObject({ tidemark_snapshots_created_total: 0 });
});
