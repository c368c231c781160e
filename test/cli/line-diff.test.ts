import fc from 'fast-check';
import { expect, test } from 'vitest';
import { diffLines } from '#dist/cli/line-diff.js';

const lines = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 });

/** The length of the longest common subsequence, by trying. */
function commonLength([first, ...more]: readonly string[], other: readonly string[]): number {
  if (first === undefined || other.length === 0) return 0;
  const at = other.indexOf(first);
  return Math.max(commonLength(more, other), at === -1 ? 0 : 1 + commonLength(more, other.slice(at + 1)));
}

test('each side is there in its order, and as much as can be is common', () => {
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      const found = diffLines(before, after);
      const side = (mark: string): string[] => found.filter((line) => line[0] === ' ' || line[0] === mark).map((line) => line.slice(1));
      expect(side('-')).toEqual(before);
      expect(side('+')).toEqual(after);
      expect(found.filter((line) => line[0] === ' ')).toHaveLength(commonLength(before, after));
    }),
  );
});

test('texts of thousands of lines that have nothing in common are told one after the other', () => {
  const numbered = (word: string): string[] => Array.from({ length: 3000 }, (_, n) => `${word} ${n}`);
  const found = diffLines(['same', ...numbered('old'), 'end'], ['same', ...numbered('new'), 'end']);
  expect(found.filter((line) => line.startsWith(' '))).toEqual([' same', ' end']);
  expect(found.slice(1, 3001)).toEqual(numbered('-old'));
});
