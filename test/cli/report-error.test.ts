// How errors look, and that the documented exit codes are those of the code.
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { exitCodes } from '#dist/cli/exit-codes.js';
import { errorText, highlight } from '#dist/cli/report-error.js';
import { TidemarkError } from '#dist/model/errors.js';

const plain = (text: string): string => text;

test('message and hint, each on a line', () => {
  const error = new TidemarkError('USAGE', 'take a snapshot: no', { hint: 'do it otherwise' });
  expect(errorText(error, plain)).toBe('tidemark: take a snapshot: no\n  hint: do it otherwise\n');
  expect(errorText(new TidemarkError('USAGE', 'no'), plain)).toBe('tidemark: no\n');
});

test('control characters of names do not reach the terminal', () => {
  const error = new TidemarkError('USAGE', 'a\u001b[31m\nb', { hint: '\u009bc' });
  expect(errorText(error, plain)).toBe('tidemark: a\\u001b[31m\\nb\n  hint: \\u009bc\n');
});

test('a defect comes with its stack', () => {
  expect(errorText(new TidemarkError('INTERNAL', 'no'), plain)).toMatch(/^tidemark: no\n {4}at .*report-error\.test/);
});

describe('the words are bold', () => {
  test.each([
    [{ isTTY: true }, {}, true],
    [{ isTTY: true }, { NO_COLOR: '' }, true],
    [{ isTTY: true }, { NO_COLOR: '1' }, false],
    [{ isTTY: true }, { TERM: 'dumb' }, false],
    [{ isTTY: false }, {}, false],
    [{}, {}, false],
  ])('%o %o: %s', (terminal, env, bold) => {
    expect(highlight(terminal, env)('x')).toBe(bold ? '\x1b[1mx\x1b[22m' : 'x');
  });
});

test('docs/errors.md lists every code under its exit code, and no other', async () => {
  const text = await readFile(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| (\d+) \| ([^|]+) \|/gm)];
  const documented = rows.flatMap(([, exit, codes]) => [...(codes ?? '').matchAll(/`([A-Z_]+)`/g)].map(([, code]) => [code, Number(exit)]));
  expect(Object.fromEntries(documented)).toEqual(exitCodes);
  expect(documented).toHaveLength(Object.keys(exitCodes).length);
});
