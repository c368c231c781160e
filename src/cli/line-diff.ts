// The lines that two texts do not have in common, as `diff` shows them. Pure.

/** Lines of the middle of two texts, multiplied, that are compared one by one; of more all are said to differ. */
const most = 4_000_000;

/** All lines of both, each with `-` (only in the first), `+` (only in the second) or a space before it. */
export function diffLines(before: readonly string[], after: readonly string[]): readonly string[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < before.length - head && tail < after.length - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  return [
    ...before.slice(0, head).map(common),
    ...diffMiddle(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...before.slice(before.length - tail).map(common),
  ];
}

const common = (line: string): string => ` ${line}`;
const removed = (line: string): string => `-${line}`;
const added = (line: string): string => `+${line}`;

/** By their longest common subsequence. */
function diffMiddle(before: readonly string[], after: readonly string[]): readonly string[] {
  if (before.length * after.length > most) return [...before.map(removed), ...after.map(added)];
  const width = after.length + 1;
  // Lengths of the longest common subsequence from line i of one and line j of the other on.
  const lengths = new Int32Array((before.length + 1) * width);
  const length = (i: number, j: number): number => lengths[i * width + j] as number;
  for (let i = before.length - 1; i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1) {
      lengths[i * width + j] = before[i] === after[j] ? length(i + 1, j + 1) + 1 : Math.max(length(i + 1, j), length(i, j + 1));
    }
  }
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const [old, made] = [before[i], after[j]];
    if (old !== undefined && old === made) {
      lines.push(common(old));
      i += 1;
      j += 1;
    } else if (old !== undefined && (made === undefined || length(i + 1, j) >= length(i, j + 1))) {
      lines.push(removed(old));
      i += 1;
    } else if (made !== undefined) {
      lines.push(added(made));
      j += 1;
    }
  }
  return lines;
}
