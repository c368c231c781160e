// What is drawn on a terminal, what is kept, and that nothing is drawn where there is none.
import { expect, test } from 'vitest';
import { createProgress, progressLine } from '#dist/cli/progress.js';

const clear = '\r\x1b[2K';

function fakeTerminal({ isTTY = true, columns = 80 } = {}): { isTTY: boolean; columns: number; text: string; write(text: string): void } {
  return {
    isTTY,
    columns,
    text: '',
    write(text) {
      this.text += text;
    },
  };
}

function clock(): { now: () => number; pass(ms: number): void } {
  let time = 5000;
  return {
    now: () => time,
    pass: (ms) => {
      time += ms;
    },
  };
}

const plan = { type: 'plan', tables: 2, rows: 1000n, bytes: 100_000n, exact: true } as const;
const half = { type: 'progress', rows: 500n, rawBytes: 4_000_000n, compressedBytes: 1_000_000n } as const;

test('a line with rows, bytes, rate and what is left', () => {
  expect(progressLine(half, { plan, ms: 2000 })).toBe('500 rows  4.0 MB  2.0 MB/s  about 2.00 s left');
});

test('the time left is only said where it can be known', () => {
  expect(progressLine(half, { plan: undefined, ms: 2000 })).toBe('500 rows  4.0 MB  2.0 MB/s');
  expect(progressLine({ ...half, rows: 2000n }, { plan, ms: 2000 })).not.toContain('left');
  expect(progressLine(half, { plan: { ...plan, rows: 0n, bytes: 8_000_000n }, ms: 2000 })).toContain('about 2.00 s left');
  expect(progressLine(half, { plan, ms: 0 })).toBe('500 rows  4.0 MB');
});

test('the line is drawn over itself, not too often, and taken away at the end', () => {
  const terminal = fakeTerminal();
  const time = clock();
  const progress = createProgress(terminal, time.now);
  progress.listen({ type: 'phase', phase: 'rows' });
  expect(terminal.text).toBe(`${clear}copying rows ...`);
  progress.listen(plan);
  time.pass(50);
  progress.listen(half);
  expect(terminal.text).toBe(`${clear}copying rows ...`);
  time.pass(1950);
  progress.listen(half);
  progress.end();
  expect(terminal.text).toBe(`${clear}copying rows ...${clear}500 rows  4.0 MB  2.0 MB/s  about 2.00 s left${clear}`);
});

test('a narrow terminal gets a short line', () => {
  const terminal = fakeTerminal({ columns: 10 });
  const time = clock();
  const progress = createProgress(terminal, time.now);
  time.pass(1000);
  progress.listen(half);
  expect(terminal.text).toBe(`${clear}500 rows `);
});

test('a terminal that does not know its width gets the whole line', () => {
  const terminal = fakeTerminal({ columns: 0 });
  createProgress(terminal, clock().now).listen({ type: 'phase', phase: 'rows' });
  expect(terminal.text).toBe(`${clear}copying rows ...`);
});

test('what must not be missed stays, on its own line', () => {
  const terminal = fakeTerminal();
  const progress = createProgress(terminal, clock().now);
  progress.listen({ type: 'retry', attempt: 1, reason: 'it changed' });
  expect(terminal.text).toBe(`${clear}tidemark: starting over (attempt 1 failed): it changed\n`);
});

test('without a terminal only that is written', () => {
  const terminal = fakeTerminal({ isTTY: false });
  const progress = createProgress(terminal, clock().now);
  progress.listen({ type: 'phase', phase: 'rows' });
  progress.listen(plan);
  progress.listen(half);
  progress.listen({ type: 'table', schema: 's', name: 't', rows: 1n, rawBytes: 1n });
  progress.end();
  expect(terminal.text).toBe('');
  progress.listen({ type: 'notice', message: 'look' });
  expect(terminal.text).toBe('tidemark: look\n');
});

test('names of objects cannot drive the terminal', () => {
  const terminal = fakeTerminal({ isTTY: false });
  const progress = createProgress(terminal, clock().now);
  const hostile = 'x\u001b[2J\u0007\n\u009b';
  progress.listen({ type: 'left-out', object: { kind: 'cast', name: hostile, reason: hostile } });
  progress.listen({ type: 'retry', attempt: 1, reason: hostile });
  progress.listen({ type: 'notice', message: hostile });
  progress.listen({ type: 'phase', phase: hostile });
  expect(terminal.text.split('\n')).toHaveLength(4);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  expect(terminal.text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
});
