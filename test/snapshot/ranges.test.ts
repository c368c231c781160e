import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyStatement, splitTable } from '#dist/snapshot/ranges.js';

describe('splitTable', () => {
  it('covers every block once, and stays open at the end', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 1n << 14n), fc.bigInt(0n, 1n << 34n), (blocks, extra) => {
        const ranges = splitTable({ blocks, bytes: blocks * 8192n + extra });
        if (ranges === null) return;
        expect(ranges[0]?.[0]).toBe(0n);
        expect(ranges.at(-1)?.[1]).toBeNull();
        for (const [i, [first, end]] of ranges.entries()) {
          expect(end).toBe(ranges[i + 1]?.[0] ?? null);
          expect(first).toBeLessThan(blocks);
        }
      }),
    );
  });

  it('reads small tables whole', () => {
    expect(splitTable({ blocks: 0n, bytes: 0n })).toBeNull();
    expect(splitTable({ blocks: 8192n, bytes: 8192n * 8192n })).toBeNull();
  });

  it('splits wide rows by their TOAST, not by their blocks', () => {
    const ranges = splitTable({ blocks: 64n, bytes: 1n << 30n });
    expect(ranges?.length).toBe(16);
  });

  it('keeps its boundaries while a table grows by less than half', () => {
    const before = splitTable({ blocks: 20_000n, bytes: 20_000n * 8192n }) ?? [];
    const after = splitTable({ blocks: 29_000n, bytes: 29_000n * 8192n }) ?? [];
    expect(after.slice(0, before.length - 1)).toEqual(before.slice(0, -1));
  });
});

describe('copyStatement', () => {
  const table = { schema: 'a"b', name: 'T', columns: ['x', 'select'], format: 'binary' } as const;

  it('copies whole tables, and ranges by ctid', () => {
    expect(copyStatement(table, null)).toBe('COPY "a""b"."T" ("x", "select") TO STDOUT (FORMAT binary)');
    expect(copyStatement(table, [8n, 16n])).toBe(
      `COPY (SELECT "x", "select" FROM ONLY "a""b"."T" WHERE ctid >= '(8,0)'::tid AND ctid < '(16,0)'::tid) TO STDOUT (FORMAT binary)`,
    );
    expect(copyStatement({ ...table, format: 'text' }, [16n, null])).toBe(
      `COPY (SELECT "x", "select" FROM ONLY "a""b"."T" WHERE ctid >= '(16,0)'::tid) TO STDOUT (FORMAT text)`,
    );
  });

  it('copies tables without columns', () => {
    expect(copyStatement({ ...table, columns: [] }, null)).toBe('COPY "a""b"."T" TO STDOUT (FORMAT binary)');
  });
});
