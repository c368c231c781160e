import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyStatement, partsOf, sampleExtent, splitTable } from '#dist/snapshot/ranges.js';

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

describe('partsOf', () => {
  const mib = (count: number): bigint => BigInt(count) << 20n;
  const table = (name: string, size: number, divisible = true) => ({ name, bytes: mib(size), blocks: mib(size) / 8192n, divisible });
  const read = (tables: readonly ReturnType<typeof table>[], jobs: number) =>
    partsOf(tables, jobs, (size) => size).map((part) => [part.table.name, part.range, part.blocks !== null] as const);
  const partNames = (tables: readonly ReturnType<typeof table>[], jobs: number) =>
    [...new Set(read(tables, jobs).map(([name, , part]) => (part ? `${name} in parts` : name)))].join(', ');

  it('splits only tables that one worker would be at while others have nothing to do', () => {
    const tables = [table('small', 10), table('huge', 2000), table('large', 200), table('middle', 190)];
    expect(partNames(tables, 2)).toBe('large, middle, huge in parts, small');
    expect(partNames(tables, 4)).toBe('huge in parts, large in parts, middle in parts, small');
  });

  it('reads every table whole where there is one worker', () => {
    expect(read([table('a', 10), table('b', 5000)], 1)).toEqual([
      ['b', 0, false],
      ['a', 0, false],
    ]);
  });

  it('leaves whole what cannot be read in parts', () => {
    expect(partNames([table('view', 5000, false), table('heap', 5000)], 2)).toBe('view, heap in parts');
  });

  it('has every table in it, each of its ranges once, none after a smaller one', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt(0n, 1n << 32n)), fc.integer({ min: 1, max: 64 }), (sizes, jobs) => {
        const parts = partsOf(sizes, jobs, (bytes) => ({ bytes, blocks: bytes / 8192n, divisible: true }));
        const share = sizes.reduce((sum, bytes) => sum + bytes, 0n) / BigInt(jobs);
        for (const [i, { bytes, blocks }] of parts.entries()) {
          expect(bytes <= (parts[i - 1]?.bytes ?? bytes)).toBe(true);
          // No range of any table is more than a quarter of what one worker has to read, or than a range.
          if (jobs > 1 && blocks === null) expect(bytes * 4n <= share || bytes < 128n << 20n).toBe(true);
        }
        const rangesOf = (size: bigint) => parts.filter(({ table }) => table === size).map(({ range }) => range);
        for (const size of new Set(sizes)) {
          const same = sizes.filter((other) => other === size).length;
          const ranges = rangesOf(size);
          expect(ranges.length % same).toBe(0);
          expect(new Set(ranges).size).toBe(ranges.length / same);
        }
      }),
    );
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

  it('copies no more rows than are asked for', () => {
    expect(copyStatement({ ...table, limit: 3 }, null)).toBe(
      'COPY (SELECT "x", "select" FROM ONLY "a""b"."T" LIMIT 3) TO STDOUT (FORMAT binary)',
    );
    expect(copyStatement({ ...table, limit: 1 }, [16n, null])).toBe(
      `COPY (SELECT "x", "select" FROM ONLY "a""b"."T" WHERE ctid >= '(16,0)'::tid LIMIT 1) TO STDOUT (FORMAT binary)`,
    );
  });

  it('copies tables without columns', () => {
    expect(copyStatement({ ...table, columns: [] }, null)).toBe('COPY "a""b"."T" TO STDOUT (FORMAT binary)');
  });
});

describe('sampleExtent', () => {
  const mebi = 1n << 20n;

  it('is some megabytes from the middle', () => {
    expect(sampleExtent({ blocks: 100_000n, bytes: 100_000n * 8192n, estimatedRows: 5_000_000 })).toEqual({ range: [49664n, 50176n] });
    expect(sampleExtent({ blocks: 1000n, bytes: 1000n * mebi, estimatedRows: 10_000 })).toEqual({ range: [500n, 504n] });
  });

  it('is all of a small table', () => {
    expect(sampleExtent({ blocks: 512n, bytes: 4n * mebi, estimatedRows: -1 })).toEqual({ range: null });
  });

  it('is some rows where those of one block are many megabytes', () => {
    expect(sampleExtent({ blocks: 1n, bytes: 300n * mebi, estimatedRows: 300 })).toEqual({ range: null, limit: 4 });
    expect(sampleExtent({ blocks: 10n, bytes: 1000n * mebi, estimatedRows: 1000 })).toEqual({ range: [5n, 6n], limit: 4 });
    expect(sampleExtent({ blocks: 1n, bytes: 1000n * mebi, estimatedRows: 10 })).toEqual({ range: null, limit: 1 });
  });

  it('takes it that a block is full of rows where nobody has counted them', () => {
    expect(sampleExtent({ blocks: 1n, bytes: 291n * mebi, estimatedRows: -1 })).toEqual({ range: null, limit: 4 });
  });
});
