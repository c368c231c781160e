// A binary heap of numbers, smallest first: what is ready to be emitted, by its rank.

export interface Heap {
  push(value: number): void;
  /** The smallest value, or undefined when there is none. */
  pop(): number | undefined;
}

export function createHeap(): Heap {
  const values: number[] = [];
  const at = (index: number): number => values[index] ?? Number.POSITIVE_INFINITY;
  return {
    push(value) {
      let index = values.length;
      values.push(value);
      while (index > 0) {
        const parent = (index - 1) >> 1;
        if (at(parent) <= value) break;
        values[index] = at(parent);
        index = parent;
      }
      values[index] = value;
    },
    pop() {
      const top = values[0];
      const last = values.pop();
      if (top === undefined || last === undefined || values.length === 0) return top;
      let index = 0;
      for (;;) {
        const left = 2 * index + 1;
        if (left >= values.length) break;
        const child = at(left + 1) < at(left) ? left + 1 : left;
        if (at(child) >= last) break;
        values[index] = at(child);
        index = child;
      }
      values[index] = last;
      return top;
    },
  };
}
