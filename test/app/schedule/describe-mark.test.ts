// Sentences for where the next snapshot may come.
import { expect, test } from 'vitest';
import { describeNext, formatInstant } from '#dist/app/schedule/describe-mark.js';
import type { Mark } from '#dist/rules/judge.js';

const now = new Date('2026-11-21T12:00:00Z');
const position = { at: now, lsn: 0x1_0000_0000n, height: 1_000_000n, streams: { blocks: 900n } };

function sentence(next: Mark, context: Parameters<typeof describeNext>[1] = { now, position }): string | undefined {
  const rule = { by: 'stream', stream: 'blocks', every: 100n } as const;
  return describeNext({ due: false, reason: '', verdicts: [{ rule, due: false, next, reason: '' }], next: [next] }, context)[0];
}

test.each<[mark: Mark, text: string, without: string]>([
  [{ by: 'height', value: 1_151_200n }, 'at height 1,151,200 (151,200 more)', 'at height 1,151,200'],
  [{ by: 'height', value: 1_000_000n }, 'at height 1,000,000 (passed)', 'at height 1,000,000'],
  [{ by: 'wal', value: 0x1_0010_0000n }, 'at write-ahead log position 1/100000 (1.0 MB more)', 'at write-ahead log position 1/100000'],
  [{ by: 'stream', value: 1000n }, 'at sequence 1,000 of stream "blocks" (100 more)', 'at sequence 1,000 of stream "blocks"'],
  [
    { by: 'changes', value: 10_000n },
    'after 10,000 changed rows since the last snapshot',
    'after 10,000 changed rows since the last snapshot',
  ],
  [{ by: 'commits', value: 1000n }, 'after 1,000 commits since the last snapshot', 'after 1,000 commits since the last snapshot'],
  [
    { by: 'time', at: new Date('2026-11-21T15:05:00Z') },
    'at 2026-11-21 15:05:00 UTC (in 3 h 5 min)',
    'at 2026-11-21 15:05:00 UTC (in 3 h 5 min)',
  ],
  [
    { by: 'time', at: new Date('2026-11-21T11:58:00Z') },
    'at 2026-11-21 11:58:00 UTC (2 min 0 s ago)',
    'at 2026-11-21 11:58:00 UTC (2 min 0 s ago)',
  ],
])('%o: %s', (mark, text, without) => {
  expect(sentence(mark)).toBe(text);
  expect(sentence(mark, { now })).toBe(without);
});

test('a stream that no rule names is only a stream', () => {
  expect(describeNext({ due: false, reason: '', verdicts: [], next: [{ by: 'stream', value: 5n }] }, { now, position })).toEqual([
    'at sequence 5 of a stream',
  ]);
});

test('a time that is none does not throw', () => {
  expect(formatInstant(new Date(Number.NaN))).toBe('at no known time');
});
