// The page in a browser, as the server serves it: scripts off, nothing fetched but the page, at every width, in both colour schemes.
import type { ConsoleMessage, HTTPRequest, Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serveStatus } from '#dist/app/daemon/http.js';
import { createMetrics } from '#dist/app/daemon/metrics.js';
import type { Status } from '#dist/app/schedule/status.js';
import { bodyBackground, contentWidth, faintTexts, inPage, tableRows, timelinePoints } from '../../browser/in-page.js';
import { openBrowser, type TestBrowser } from '../../browser/index.js';
import { emptyStatus, manySnapshots, sampleStatus, troubledStatus } from './sample-status.js';

let chromium: TestBrowser;
beforeAll(async () => {
  chromium = await openBrowser();
});
afterAll(async () => {
  await chromium?.[Symbol.asyncDispose]();
});

interface Visit extends AsyncDisposable {
  readonly page: Page;
  readonly url: string;
  readonly requests: readonly string[];
  /** Of the console: errors, warnings, what the policy refused. */
  readonly complaints: readonly string[];
}

interface VisitOptions {
  readonly width?: number;
  readonly scheme?: 'light' | 'dark';
  readonly waitUntil?: 'load' | 'networkidle0';
}

async function visit(status: Status, { width = 1200, scheme = 'light', waitUntil = 'load' }: VisitOptions = {}): Promise<Visit> {
  const source = { status: async () => status, alive: () => ({ ok: true, reason: 'test' }) };
  const server = await serveStatus({ host: '127.0.0.1', port: 0, source, metrics: createMetrics() });
  const page = await chromium.browser.newPage();
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request: HTTPRequest) => void requests.push(request.url()));
  page.on('console', (message: ConsoleMessage) => void complaints.push(message.text()));
  page.on('pageerror', (error) => void complaints.push(String(error)));
  page.on('dialog', (dialog) => void complaints.push(`dialog: ${dialog.message()}`));
  await page.setJavaScriptEnabled(false);
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  await page.setViewport({ width, height: 900 });
  await page.goto(server.url, { waitUntil });
  return {
    page,
    url: server.url,
    requests,
    complaints,
    async [Symbol.asyncDispose]() {
      await page.close();
      await server.close();
    },
  };
}

const statuses: readonly (readonly [name: string, status: () => Status])[] = [
  ['all well', sampleStatus],
  ['trouble', troubledStatus],
  ['nothing yet', emptyStatus],
  ['10,000 snapshots', () => manySnapshots(10_000)],
  ['names without end', () => ({ ...troubledStatus(), prefix: 'x'.repeat(300), store: '/y'.repeat(200), reason: 'z'.repeat(300) })],
];

describe.each(statuses)('%s', (_, status) => {
  test('asks for nothing but the page, and the browser has no complaints', async () => {
    await using visited = await visit(status());
    expect(visited.requests.filter((url) => !url.startsWith('data:'))).toEqual([visited.url]);
    expect(visited.complaints).toEqual([]);
  });

  test('needs no scrolling sideways', async () => {
    await using visited = await visit(status());
    for (const width of [320, 360, 700, 900, 1200]) {
      await visited.page.setViewport({ width, height: 900 });
      expect(await inPage(visited.page, contentWidth)).toBe(width);
    }
  });
});

test('the style is applied under the policy', async () => {
  await using light = await visit(sampleStatus());
  await using dark = await visit(sampleStatus(), { scheme: 'dark' });
  expect(await inPage(light.page, bodyBackground)).toBe('rgb(246, 248, 250)');
  expect(await inPage(dark.page, bodyBackground)).toBe('rgb(15, 21, 28)');
});

test('the timeline has one point per snapshot, each drawn within it, with a title', async () => {
  for (const width of [1200, 360]) {
    await using visited = await visit(sampleStatus(), { width });
    const points = await inPage<{ inside: boolean; size: number; title: string }[]>(visited.page, timelinePoints);
    expect(points).toHaveLength(7);
    for (const { inside, size, title } of points) {
      expect(inside, title).toBe(true);
      expect(size).toBeGreaterThan(8);
      expect(title).toMatch(/^indexer-\d+, height /);
    }
  }
});

test('the table says of each snapshot why it stays, and the note of a pin is text', async () => {
  await using visited = await visit(sampleStatus());
  const rows = await inPage<string[][]>(visited.page, tableRows);
  expect(rows.map(([id = '', , , , , why = '']) => `${id}: ${why}`)).toEqual([
    'indexer-45360000: last snapshot, daily snapshot',
    'indexer-45208800: last snapshot, daily snapshot',
    'indexer-45057600: daily snapshot',
    'indexer-44906400: pinned, daily snapshot',
    'indexer-44755200: goes at the next prune',
    'indexer-44604000: not verified: neither counted nor removed',
    'indexer-43999200: weekly snapshot, oldest weekly snapshot',
  ]);
  expect(rows[3]?.[6]).toBe('before the <script>alert(1)</script> migration');
  expect(rows[0]?.[7]).toMatch(/^whole, /);
  expect(await visited.page.$$('script')).toEqual([]);
});

test('a screen reader finds headings, a named picture, and a table with heads, also on a phone', async () => {
  for (const width of [1200, 360]) {
    await using visited = await visit(troubledStatus(), { width });
    const found = new Map<string, string[]>();
    const collect = (node: { role: string; name?: string; children?: readonly unknown[] } | null): void => {
      if (node === null) return;
      found.set(node.role, [...(found.get(node.role) ?? []), node.name ?? '']);
      for (const child of node.children ?? []) collect(child as Parameters<typeof collect>[0]);
    };
    collect(await visited.page.accessibility.snapshot({ interestingOnly: false }));
    expect(await inPage(visited.page, 'document.documentElement.lang')).toBe('en');
    expect(found.get('heading')?.slice(0, 2)).toEqual(['Snapshots of indexer', 'Newest good snapshot']);
    expect([...(found.get('image') ?? []), ...(found.get('img') ?? [])]).toEqual([
      expect.stringMatching(/^Snapshots by time and height: 4 stays, /),
    ]);
    expect(found.get('columnheader')).toEqual(['Snapshot', 'Height', 'Time', 'Size', 'Rows', 'Why it stays', 'Pin', 'Drill']);
    expect(found.get('rowheader')).toHaveLength(7);
  }
});

test('text stands out from what is behind it, in both schemes', async () => {
  for (const scheme of ['light', 'dark'] as const) {
    await using visited = await visit(troubledStatus(), { scheme });
    expect(await inPage(visited.page, faintTexts)).toEqual([]);
  }
});
