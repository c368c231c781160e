// The lines that events become.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { createLogger, type LogLevel, logEvents } from '#dist/app/daemon/log.js';
import type { SchedulerEvent } from '#dist/app/schedule/events.js';
import { TidemarkError } from '#dist/model/errors.js';
import { now, sampleSnapshot } from './sample-status.js';

interface Line {
  readonly level: string;
  readonly msg: string;
  readonly [fact: string]: unknown;
}

function linesOf(events: readonly SchedulerEvent[], level: LogLevel = 'info'): Line[] {
  const written: string[] = [];
  const log = logEvents(createLogger({ level, destination: { write: (line) => written.push(line) } }));
  for (const event of events) log(event);
  return written.map((line) => JSON.parse(line) as Line);
}

const snapshot = sampleSnapshot(0);
const error = new TidemarkError('DISK_FULL', 'write archive "x": no space left on device', {
  hint: 'make room',
  details: { needed: 12n },
  cause: new Error('ENOSPC'),
});

test.each<[level: string, message: string, event: SchedulerEvent]>([
  ['info', 'there is no good snapshot yet', { type: 'found' }],
  ['info', 'newest good snapshot: indexer-45360000', { type: 'found', newest: snapshot }],
  [
    'warn',
    'x.tar.zst does not count: it ends early',
    { type: 'unknown', archive: { id: 'x', key: 'x.tar.zst', bytes: 1n, problem: 'it ends early' } },
  ],
  ['info', 'creating snapshot at height 45360000', { type: 'creating', reason: 'due', height: 45_360_000n }],
  ['info', 'creating snapshot', { type: 'creating', reason: 'due' }],
  ['info', 'created indexer-45360000', { type: 'created', snapshot, reason: 'due', durationMs: 5 }],
  ['error', 'snapshot failed: write archive "x": no space left on device', { type: 'failed', error, next: [], durationMs: 5 }],
  ['info', 'stood back: another one works', { type: 'stood-back', reason: 'another one works' }],
  ['info', 'removed indexer-45360000', { type: 'removed', snapshot }],
  ['info', 'restore drill of indexer-45360000: it is whole', { type: 'drilled', snapshot, drill: { at: now, durationMs: 1, ok: true } }],
  [
    'error',
    'restore drill of indexer-45360000 failed: rows are missing',
    { type: 'drilled', snapshot, drill: { at: now, durationMs: 1, ok: false, problem: 'rows are missing' } },
  ],
  ['warn', 'write archive "x": no space left on device', { type: 'trouble', error }],
  ['debug', 'phase: copy', { type: 'snapshot', event: { type: 'phase', phase: 'copy' } }],
  ['trace', 'progress', { type: 'snapshot', event: { type: 'progress', rows: 1n, rawBytes: 2n, compressedBytes: 3n } }],
  ['warn', 'snapshot begins again: tables changed', { type: 'snapshot', event: { type: 'retry', attempt: 1, reason: 'tables changed' } }],
])('%s: %s', (level, msg, event) => {
  expect(linesOf([event], 'trace')).toEqual([expect.objectContaining({ level, msg })]);
});

test('what happened comes with its facts, numbers that pass 2^53 as strings', () => {
  const [line] = linesOf([{ type: 'created', snapshot, reason: 'every 151200 of height', durationMs: 95_400 }]);
  expect(line).toMatchObject({
    snapshot: 'indexer-45360000',
    height: '45360000',
    at: snapshot.position.at.toISOString(),
    bytes: '1234567890',
    rows: '9007199254740993',
    sha256: 'ab'.repeat(32),
    reason: 'every 151200 of height',
    durationMs: 95_400,
  });
});

test('a failure comes with code, hint, cause, and where the next attempt may come', () => {
  const [line] = linesOf([
    {
      type: 'failed',
      error,
      next: [
        { by: 'height', value: 3600n },
        { by: 'time', at: now },
      ],
      durationMs: 5,
    },
  ]);
  expect(line).toMatchObject({
    err: { code: 'DISK_FULL', message: error.message, hint: 'make room', details: { needed: '12' }, cause: 'ENOSPC' },
    next: [
      { by: 'height', value: '3600' },
      { by: 'time', at: now.toISOString() },
    ],
  });
  expect(line?.err).not.toHaveProperty('stack');
});

test('a defect comes with its stack', () => {
  const [line] = linesOf([{ type: 'trouble', error: new TidemarkError('INTERNAL', 'x') }]);
  expect(line?.err).toHaveProperty('stack', expect.stringContaining('log.test'));
  const written: string[] = [];
  createLogger({ destination: { write: (text) => written.push(text) } }).error({ err: new TypeError('y') }, 'z');
  expect(JSON.parse(written[0] ?? '')).toMatchObject({ err: { type: 'TypeError', stack: expect.stringContaining('log.test') } });
});

test('the level keeps the rest away', () => {
  const events: SchedulerEvent[] = [
    { type: 'creating', reason: 'due' },
    { type: 'trouble', error },
    { type: 'failed', error, next: [], durationMs: 5 },
  ];
  expect(linesOf(events, 'error').map(({ level }) => level)).toEqual(['error']);
  expect(linesOf(events, 'silent')).toEqual([]);
});

test('the last words of a process that ends at once get through to standard output', async () => {
  const program = `
    import { createLogger } from '${new URL('../../../dist/app/daemon/log.js', import.meta.url)}';
    const log = createLogger();
    for (let line = 0; line < 2000; line += 1) log.info({ line, filling: 'x'.repeat(100) }, 'last words');
    process.exit(3);`;
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program]);
  const { code, stdout } = (await run.catch((error: unknown) => error)) as { code: number; stdout: string };
  expect(code).toBe(3);
  expect(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { line: number }).line),
  ).toEqual([...Array(2000).keys()]);
});
