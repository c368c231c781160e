// The page's text; how it looks and behaves in a browser is page-browser.test.ts.
import { describe, expect, test } from 'vitest';
import { renderPage } from '#dist/app/daemon/page.js';
import type { Status } from '#dist/app/schedule/status.js';
import { emptyStatus, manySnapshots, now, sampleSnapshot, sampleStatus, troubledStatus } from './sample-status.js';

const count = (text: string, part: string | RegExp): number => text.split(part).length - 1;
const render = (status: Status): string => renderPage(status, { now });

/** A status with these snapshots, all kept. */
function statusOf(snapshots: readonly ReturnType<typeof sampleSnapshot>[], changes: Partial<Status> = {}): Status {
  return sampleStatus({ snapshots: snapshots.map((snapshot) => ({ snapshot, reasons: ['last snapshot'] })), ...changes });
}

test('what comes next is told in sentences', () => {
  const text = render(sampleStatus());
  expect(text).toContain('<li>at height 45,511,200 (110,200 more)</li>');
  expect(text).toContain('<li>at 2026-11-21 21:00:00 UTC (in 9 h 0 min)</li>');
  expect(text).toContain('Due, whichever comes first:');
});

test('a snapshot that is due is told', () => {
  const decision = { due: true, reason: 'the host ends', verdicts: [], next: [] };
  expect(render(sampleStatus({ decision }))).toMatch(/Due now[\s\S]*The host ends\./);
});

test('the same status is the same page', () => {
  expect(render(troubledStatus())).toBe(render(troubledStatus()));
});

test('it refreshes only when asked to', () => {
  expect(render(sampleStatus())).not.toContain('http-equiv');
  expect(renderPage(sampleStatus(), { now, refreshSeconds: 30 })).toContain('<meta http-equiv="refresh" content="30">');
});

describe('whatever comes from elsewhere is text', () => {
  const hostile = `<img src=x onerror=alert(1)>"'&\u202e\u001b`;
  const escaped = '&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;\\u202e\\u001b';
  const status = troubledStatus();
  const snapshot = sampleSnapshot(0, { id: hostile, pinned: hostile, drill: { at: now, durationMs: 1, ok: false, problem: hostile } });

  test.each<[what: string, status: Status]>([
    ['prefix', { ...status, prefix: hostile }],
    ['store', { ...status, store: hostile }],
    ['reason', { ...status, reason: hostile }],
    ['a snapshot', { ...status, newest: snapshot, snapshots: [{ snapshot, reasons: [hostile] }] }],
    ['an archive that does not count', { ...status, unknown: [{ id: 'x', key: hostile, bytes: 1n, problem: hostile }] }],
    ['a decision', { ...status, decision: { due: false, reason: hostile, verdicts: [], next: [] } }],
    [
      'a stream',
      {
        ...status,
        decision: {
          due: false,
          reason: '',
          next: [{ by: 'stream', value: 5n }],
          verdicts: [{ rule: { by: 'stream', stream: '<img ', every: 5n }, due: false, next: { by: 'stream', value: 5n }, reason: '' }],
        },
      },
    ],
    ['what is running', { ...status, running: { since: now, reason: hostile, rows: 1n, rawBytes: 1n } }],
    ['a failure', { ...status, failures: { total: 1, inARow: 1, last: { at: now, code: 'INTERNAL', message: hostile } } }],
  ])('%s', (what, told) => {
    const text = render(told);
    expect(text).toContain(what === 'a stream' ? '&lt;img ' : escaped);
    expect(text).not.toContain('<img');
    expect(text).not.toContain('\u202e');
  });
});

describe('the timeline', () => {
  test('has a point for each snapshot, its kind as shape and class, with a title', () => {
    const text = render(sampleStatus());
    const points = [...text.matchAll(/<use href="#(\w+)" class="point (\w+)" x="([\d.]+)%" y="([\d.]+)%"><title>([^<]+)<\/title>/g)];
    expect(points.map(([, shape, kind]) => [shape, kind]).filter(([shape, kind]) => shape !== kind)).toEqual([]);
    expect(points.map(([, shape]) => shape).sort()).toEqual(['goes', 'kept', 'kept', 'kept', 'kept', 'pinned', 'unverified']);
    expect(points.map((point) => point[5])).toContain(
      'indexer-45360000, height 45,360,000, 2026-11-21 09:00:00 UTC: last snapshot; daily snapshot',
    );
    for (const [, , , x, y] of points) {
      expect(Number(x)).toBeLessThanOrEqual(100);
      expect(Number(y)).toBeLessThanOrEqual(100);
    }
  });

  test('is of time alone where a snapshot has no height', () => {
    const { height, ...position } = sampleSnapshot(1).position;
    const text = render(statusOf([sampleSnapshot(0), sampleSnapshot(1, { position }), sampleSnapshot(3)]));
    const points = [...text.matchAll(/class="point \w+" x="([\d.]+)%" y="([\d.]+)%"/g)];
    expect(points).toHaveLength(3);
    expect(new Set(points.map(([, , y]) => y))).toEqual(new Set(['50']));
    expect(new Set(points.map(([, x]) => x)).size).toBe(3);
    expect(text).toContain('Snapshots by time: 3 stays');
  });

  test.each<[what: string, heights: readonly bigint[]]>([
    ['one', [0n]],
    ['equal ones', [5n, 5n]],
    ['neighbours', [1n, 2n]],
    ['negative ones', [-7n, -3n, 12n]],
    ['ones beyond 2^63', [0n, 2n ** 64n]],
  ])('places heights that are %s', (_, heights) => {
    const snapshots = heights.map((height, index) => {
      const base = sampleSnapshot(index);
      return { ...base, position: { ...base.position, height } };
    });
    const { position, decision, ...rest } = statusOf(snapshots);
    const ys = [...render(rest).matchAll(/class="point \w+" x="[\d.]+%" y="([^"]+)%"/g)].map(([, y]) => Number(y));
    expect(ys).toHaveLength(heights.length);
    for (const y of ys) expect(y >= 0 && y <= 100, String(y)).toBe(true);
    for (const [index, height] of heights.entries()) {
      for (const [other, higher] of heights.entries()) if (height < higher) expect(ys[index]).toBeGreaterThan(ys[other] ?? Number.NaN);
    }
  });

  test('survives times that are none, and clocks that went back', () => {
    const base = sampleSnapshot(0);
    const text = render(
      statusOf([
        { ...base, position: { ...base.position, at: new Date(Number.NaN) } },
        { ...base, position: { ...base.position, at: new Date(now.getTime() + 1e12) } },
      ]),
    );
    expect(count(text, 'class="point ')).toBe(2);
    expect(text).not.toContain('NaN');
    expect(text).not.toContain('Invalid');
  });
});

describe('with 10,000 snapshots', () => {
  const text = render(manySnapshots(10_000));

  test('the table has the newest 200, and says how many more there are', () => {
    expect(count(text, 'role="rowheader"')).toBe(200);
    expect(text).toContain('and 9,800 older snapshots');
    expect(text).toContain('indexer-100000000');
  });

  test('points that would cover each other are one, but none of the pinned ones is lost', () => {
    expect(count(text, 'class="point ')).toBeLessThan(1500);
    expect(count(text, 'class="point pinned"')).toBe(10);
    expect(text).toMatch(/<title>\d+ snapshots, the newest: indexer-/);
    expect(text.length).toBeLessThan(500_000);
  });
});

test('a thousand snapshots are a thousand points', () => {
  expect(count(render(manySnapshots(1000)), 'class="point ')).toBe(1000);
});

test('an empty store has a page', () => {
  const text = render(emptyStatus());
  expect(text).toContain('Not healthy');
  expect(text).toContain('There are no snapshots yet.');
  expect(text).toContain('The database has not been looked at yet.');
  expect(text).not.toMatch(/<table|class="point|undefined|NaN/);
});
