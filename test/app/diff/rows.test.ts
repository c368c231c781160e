// Rows of two snapshots as multisets: whatever form they are in, in whatever order they lie, and however many or large they are.
import { open } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { showSnapshot } from '#dist/app/archive/show-snapshot.js';
import { diffSnapshots, diffWith } from '#dist/app/diff/diff-snapshots.js';
import type { StoredChunk, TableEntry } from '#dist/model/manifest.js';
import { createDatabase } from '../../server/index.js';
import { diffAndCount, Snapshots, tableNamed } from './snapshots.js';

let snapshots: Snapshots;
beforeAll(async () => {
  snapshots = await Snapshots.make();
});
afterAll(async () => {
  await snapshots[Symbol.asyncDispose]();
});

describe.each(['text', 'binary'] as const)('in the format %s', (copyFormat) => {
  const both = async (one: string, other: string) => ({
    a: await snapshots.after(one, { copyFormat }),
    b: await snapshots.after(other, { copyFormat }),
  });

  test('the same rows in another order, of tables with other OIDs, are equal', async () => {
    const tables = ['CREATE TABLE t (id int PRIMARY KEY, word text);', 'CREATE TABLE u (x int);'];
    const files = await both(
      `${tables.join('')} INSERT INTO t SELECT n, 'w' || n % 7 FROM generate_series(1, 1000) n; INSERT INTO u VALUES (1), (1), (NULL)`,
      `CREATE TABLE gone (); DROP TABLE gone; ${tables.toReversed().join('')} INSERT INTO u VALUES (NULL), (1), (1);
       INSERT INTO t SELECT n, 'other' FROM generate_series(1000, 1, -1) n; UPDATE t SET word = 'w' || id % 7`,
    );
    const diff = await diffAndCount(files);
    expect(diff).toMatchObject({ equal: true, information: [], notCompared: [], values: [] });
    expect(diff.schema).toEqual({ added: [], removed: [], changed: [] });
    expect(diff.tables).toEqual([
      { schema: 'public', name: 't', rowsBefore: 1000n, rowsAfter: 1000n, added: 0n, removed: 0n, equal: true },
      { schema: 'public', name: 'u', rowsBefore: 3n, rowsAfter: 3n, added: 0n, removed: 0n, equal: true },
    ]);
    // Hashes of chunks alone would not have said so.
    expect(diff.rowsRead).toBe(2006n);
  });

  test('a row counts as often as it is there', async () => {
    const make = (values: string): string => `CREATE TABLE t (n int, word text); INSERT INTO t VALUES ${values}`;
    const files = await both(
      make(`(1, 'a'), (1, 'a'), (1, 'a'), (2, 'b'), (3, NULL), (5, 'old')`),
      make(`(1, 'a'), (2, 'b'), (2, 'b'), (2, 'b'), (4, E'x\\ty\\\\'), (5, 'new')`),
    );
    const counts = { schema: 'public', name: 't', rowsBefore: 6n, rowsAfter: 6n, added: 4n, removed: 4n, equal: false };
    expect(await diffSnapshots(files)).toMatchObject({ equal: false });
    expect((await diffSnapshots(files)).tables).toEqual([counts]);
    const removed = ['1\ta', '1\ta', '3\t\\N', '5\told'];
    const added = ['2\tb', '2\tb', '4\tx\\ty\\\\', '5\tnew'];
    expect((await diffSnapshots({ ...files, rows: 10 })).tables).toEqual([{ ...counts, samples: { removed, added } }]);
    const few = { removed: removed.slice(0, 3), added: added.slice(0, 3) };
    expect((await diffSnapshots({ ...files, rows: 3 })).tables).toEqual([{ ...counts, samples: few }]);
  });

  test('the same is found in many passes', async () => {
    const make = (where: string): string =>
      `CREATE TABLE t (n int, word text); INSERT INTO t SELECT n % 700, md5((n % 700)::text) FROM generate_series(1, 2100) n WHERE ${where}`;
    const files = await both(make('n % 100 <> 1'), make('n % 100 <> 2 AND n < 2090'));
    let rowsRead = 0n;
    const onEvent = (event: { readonly type: string; readonly rows?: unknown }): void => {
      if (event.type === 'progress') rowsRead = event.rows as bigint;
    };
    const all = 2079n + 2068n;
    const once = await diffWith({ ...files, rows: 100, onEvent }, { mostRows: 10_000 });
    const [table] = once.tables;
    expect(table).toMatchObject({ rowsBefore: 2079n, rowsAfter: 2068n, added: 21n, removed: 32n });
    expect([table?.samples?.added.length, table?.samples?.removed.length]).toEqual([21, 32]);
    expect(rowsRead).toBe(all * 2n);
    expect((await diffWith({ ...files, rows: 100, onEvent }, { mostRows: 100 })).tables).toEqual(once.tables);
    const withSamples = rowsRead / all;
    expect((await diffWith({ ...files, onEvent }, { mostRows: 100 })).tables).toMatchObject([{ added: 21n, removed: 32n }]);
    // 700 rows in shares of a hundred at most.
    expect(rowsRead / all).toBeGreaterThanOrEqual(7n);
    expect(withSamples).toBeGreaterThan(rowsRead / all);
  });

  test('of rows that are larger than a piece the last byte counts', async () => {
    const row = (end: string): string => `(1, repeat('x', 34000000) || '${end}')`;
    const make = (rows: string): string => `CREATE TABLE t (n int, word text); INSERT INTO t VALUES ${rows}, (3, 'short')`;
    const { tables } = await diffSnapshots({ ...(await both(make(row('a')), make(`${row('b')}, ${row('a')}`))), rows: 5 });
    expect(tables).toMatchObject([{ rowsBefore: 2n, rowsAfter: 3n, added: 1n, removed: 0n }]);
    expect(tables[0]?.samples).toEqual({ removed: [], added: [`1\t${'x'.repeat(298)}…`] });
  });

  test('rows of a table that only one of them has are told, and read only for samples', async () => {
    const files = await both('CREATE TABLE t ()', `CREATE TABLE t (); CREATE TABLE u (n int); INSERT INTO u VALUES (2), (1), (3)`);
    const u = { schema: 'public', name: 'u', rowsAfter: 3n, added: 3n, removed: 0n, equal: false };
    const diff = await diffAndCount(files);
    expect(tableNamed(diff, 'u')).toEqual(u);
    expect(diff.rowsRead).toBe(0n);
    expect(tableNamed(await diffSnapshots({ ...files, rows: 2 }), 'u')).toEqual({ ...u, samples: { removed: [], added: ['1', '2'] } });
    const back = await diffSnapshots({ a: files.b, b: files.a, rows: 1 });
    expect(tableNamed(back, 'u')).toMatchObject({ rowsBefore: 3n, added: 0n, removed: 3n, samples: { removed: ['1'], added: [] } });
  });
});

describe('chunks that both have', () => {
  async function chunksOf(file: string): Promise<readonly StoredChunk[]> {
    const { manifest } = await showSnapshot({ file });
    return manifest.tables.find(({ name }) => name === 'blocks')?.chunks ?? ([] satisfies readonly TableEntry[]);
  }

  async function damage(file: string, { offset, length }: StoredChunk): Promise<void> {
    await using handle = await open(file, 'r+');
    await handle.write(Buffer.alloc(Number(length) - 20, 0xaa), 0, Number(length) - 20, Number(offset) + 20);
  }

  test('are not read, and the others are', async () => {
    await using db = await createDatabase();
    await db.run(`CREATE TABLE blocks (height int, hash text); INSERT INTO blocks SELECT n, md5(n::text) FROM generate_series(1, 30000) n`);
    const a = await snapshots.of(db, { chunkBytes: 256 * 1024 });
    await db.run(`INSERT INTO blocks VALUES (30001, 'new')`);
    const b = await snapshots.of(db, { chunkBytes: 256 * 1024 });
    const before = await chunksOf(a);
    const known = new Set(before.map(({ sha256 }) => sha256));
    const after = await chunksOf(b);
    const common = after.filter(({ sha256 }) => known.has(sha256));
    const changed = after.filter(({ sha256 }) => !known.has(sha256));
    expect([common.length, changed.length]).toEqual([before.length - 1, 1]);
    const diff = await diffAndCount({ a, b, rows: 5 });
    expect(diff.tables).toMatchObject([{ added: 1n, removed: 0n, samples: { removed: [], added: ['30001\tnew'] } }]);
    const last = before.at(-1) as StoredChunk;
    expect(diff.rowsRead).toBe(2n * (last.rows + (changed[0] as StoredChunk).rows));
    await damage(b, common[0] as StoredChunk);
    expect((await diffSnapshots({ a, b })).tables).toMatchObject([{ added: 1n, removed: 0n }]);
    await damage(b, changed[0] as StoredChunk);
    await expect(diffSnapshots({ a, b })).rejects.toMatchObject({ code: 'ARCHIVE_CORRUPT', message: /SHA-256/ });
    expect(await diffSnapshots({ a, b, schemaOnly: true })).toMatchObject({ equal: true, tables: [] });
  });
});

describe('rows that cannot be compared', () => {
  const rows = 'INSERT INTO t VALUES (1), (2)';

  test.each([
    ['other columns', 'CREATE TABLE t (m int)', {}, 'its columns are not the same'],
    ['another type', 'CREATE TABLE t (n bigint)', {}, 'its columns are not the same'],
    ['no rows', 'CREATE TABLE t (n int)', { excludeTableData: ['t'] }, 'b has no rows of it (excluded)'],
  ] as const)('%s: the reason and the counts are told', async (_, make, options, reason) => {
    const a = await snapshots.after(`CREATE TABLE t (n int); ${rows}`, { copyFormat: 'text' });
    const b = await snapshots.after(`${make}; ${rows}, (3)`, { copyFormat: 'text', ...options });
    const counted = 'excludeTableData' in options ? {} : { rowsAfter: 3n };
    const diff = await diffSnapshots({ a, b, rows: 5 });
    expect(diff.equal).toBe(false);
    expect(diff.tables).toEqual([{ schema: 'public', name: 't', rowsBefore: 2n, ...counted, equal: false, reason }]);
  });

  test('of no rows it does not matter how they would be written', async () => {
    const a = await snapshots.after('CREATE TABLE t (n int)', { copyFormat: 'text' });
    const b = await snapshots.after('CREATE TABLE t (n int)', { copyFormat: 'binary' });
    expect(await diffSnapshots({ a, b })).toMatchObject({
      equal: true,
      tables: [{ name: 't', rowsBefore: 0n, rowsAfter: 0n, equal: true }],
    });
  });

  test('what both leave out is equal', async () => {
    const a = await snapshots.after(`CREATE TABLE t (n int); ${rows}`, { excludeTableData: ['t'] });
    const b = await snapshots.after('CREATE TABLE t (n int)', { excludeTableData: ['t'] });
    expect(await diffSnapshots({ a, b })).toMatchObject({ equal: true, tables: [{ name: 't', equal: true }] });
  });

  test('in other encodings', async () => {
    const make = async (encoding: string): Promise<string> => {
      await using db = await createDatabase({ encoding });
      await db.run(`CREATE TABLE t (n int); ${rows}`);
      return await snapshots.of(db);
    };
    const diff = await diffSnapshots({ a: await make('UTF8'), b: await make('SQL_ASCII') });
    expect(diff.tables).toMatchObject([{ equal: false, reason: 'its rows are in UTF8 and in SQL_ASCII' }]);
    expect(diff.information).toContainEqual({ what: 'encoding', a: 'UTF8', b: 'SQL_ASCII' });
  });
});
