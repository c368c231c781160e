// Which partitions are complete at a height, what of a base may be referred to, and the query for the rows where ids of transactions came around.
import { describe, expect, test } from 'vitest';
import { pathBetween, placeFrom, placeInStore } from '#dist/app/archive/place.js';
import type { Manifest } from '#dist/model/manifest.js';
import { parsePattern } from '#dist/selection/pattern.js';
import { completedLeaves, firstHeightAfter, type PartitionStep } from '#dist/snapshot/completed-partitions.js';
import { refusalOf, sameRows } from '#dist/snapshot/refer-to-base.js';
import { rowsQuery } from '#dist/snapshot/row-fingerprint.js';
import { createDatabase } from '../server/index.js';

const step = (more: Partial<PartitionStep>): PartitionStep => ({
  oid: 1,
  level: 1,
  nspname: 'public',
  relname: 'events',
  partstrat: 'r',
  partnatts: 1,
  key_type: 20,
  bound: `FOR VALUES FROM ('0') TO ('1000')`,
  ...more,
});

test.each([
  [{}, 1000n],
  [{ bound: 'FOR VALUES FROM (0) TO (1000)', key_type: 23 }, 1000n],
  [{ bound: `FOR VALUES FROM (MINVALUE) TO ('-5')` }, -5n],
  [{ bound: `FOR VALUES FROM ('0') TO (1000.5)`, key_type: 1700 }, 1001n],
  [{ bound: `FOR VALUES FROM ('0') TO (1000.00)`, key_type: 1700 }, 1000n],
  [{ bound: `FOR VALUES FROM ('-20') TO ('-10.5')`, key_type: 1700 }, -10n],
  [{ bound: `FOR VALUES FROM ('0') TO (MAXVALUE)` }, undefined],
  [{ bound: `FOR VALUES FROM ('0') TO ('Infinity')`, key_type: 1700 }, undefined],
  [{ bound: 'DEFAULT' }, undefined],
  [{ bound: `FOR VALUES FROM ('0', '5') TO ('1000', '7')`, partnatts: 2 }, undefined],
  [{ bound: `FOR VALUES IN ('7')`, partstrat: 'l' }, undefined],
  [{ bound: `FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')`, key_type: 1082 }, undefined],
  [{ key_type: null }, undefined],
] as const)('%j ends before %s', (more, expected) => {
  expect(firstHeightAfter(step(more))).toBe(expected);
});

describe('complete leaves', () => {
  const patterns = [parsePattern('events')];
  test('the block at the height has been processed', () => {
    expect([...completedLeaves([step({})], { patterns, height: 999n })]).toEqual([1]);
    expect([...completedLeaves([step({})], { patterns, height: 998n })]).toEqual([]);
  });
  test('a level above the leaf is enough, one above the named table is not', () => {
    const leaf = step({ level: 1, relname: 'events_0', partstrat: 'l', bound: `FOR VALUES IN ('a')` });
    expect([...completedLeaves([leaf, step({ level: 2 })], { patterns, height: 999n })]).toEqual([1]);
    expect([...completedLeaves([leaf, step({ level: 2 })], { patterns: [parsePattern('public.events_0')], height: 999n })]).toEqual([]);
  });
  test('a pattern that names no partitioned table', () => {
    expect(() => completedLeaves([step({})], { patterns: [parsePattern('other.events')], height: 1n })).toThrow(/matches other\.events/);
  });
});

describe('what of a base may be referred to', () => {
  const table = {
    object: 0,
    directory: 'data/7-a',
    schema: 's',
    name: 'a',
    columns: [{ name: 'x', type: 'int' }],
    format: 'text',
  } as const;
  const entry = { ...table, rows: 5n, rawBytes: 9n, chunks: [{}], completed: { fingerprint: 'f', xid: 100n } };
  const base = { source: { systemIdentifier: '1' }, position: { lsn: 50n }, tables: [entry] } as unknown as Manifest;
  const now = { systemIdentifier: '1', lsn: 50n, nextXid: 100n };
  const proven = { table, fingerprint: 'f', rows: 5n, ambiguous: 0n };
  test('of the same history only', () => {
    expect(refusalOf(base, now)).toBeUndefined();
    expect(refusalOf(base, { ...now, systemIdentifier: '2' })).toContain('another server');
    expect(refusalOf(base, { ...now, lsn: 49n })).toContain('set back');
    expect(refusalOf(base, { ...now, nextXid: 99n })).toContain('set back');
  });
  test('the same rows only', () => {
    expect(sameRows(base, proven, now)).toBe(entry);
    expect(sameRows(base, proven, { ...now, nextXid: 100n + 2n ** 32n - 1n })).toBe(entry);
    expect(sameRows(base, proven, { ...now, nextXid: 100n + 2n ** 32n })).toBeUndefined();
    for (const other of [
      { fingerprint: 'g' },
      { rows: 6n },
      { ambiguous: 1n },
      { table: { ...table, name: 'b' } },
      { table: { ...table, columns: [] } },
    ])
      expect(sameRows(base, { ...proven, ...other }, now)).toBeUndefined();
  });
});

test('rows whose transactions may be others are counted by the last 32 bits', async () => {
  await using db = await createDatabase();
  await db.run('CREATE TABLE t AS SELECT generate_series(1, 5) AS n');
  const [found] = await db.query<{ xmin: string }>('SELECT xmin::text FROM t LIMIT 1');
  const xmin = BigInt(found?.xmin ?? 0);
  const count = async (from: bigint, to: bigint): Promise<unknown> =>
    (await db.query(rowsQuery({ schema: 'public', name: 't' }, { from, to })))[0];
  const cycle = 2n ** 32n;
  expect(await count(cycle + xmin, cycle + xmin + 1n)).toMatchObject({ rows: '5', ambiguous: '5' });
  expect(await count(cycle + xmin + 1n, cycle + xmin + 100n)).toMatchObject({ ambiguous: '0' });
  expect(await count(cycle - 5n, cycle + xmin)).toMatchObject({ ambiguous: '0' });
  expect(await count(cycle - 5n, cycle + xmin + 1n)).toMatchObject({ ambiguous: '5' });
});

test('how one archive calls another', () => {
  const at = (path: string) => ({ root: 'file:', path });
  expect(pathBetween(at('/a/b/new.tar.zst'), at('/a/old/x.tar.zst'))).toBe('../old/x.tar.zst');
  expect(placeFrom(at('/a/b/new.tar.zst'), '../old/x.tar.zst')).toEqual(at('/a/old/x.tar.zst'));
  const bucket = (key: string, more = '') => placeInStore(`s3://bucket/some%20where?endpoint=https://host${more}`, key);
  expect(pathBetween(bucket('2026/new.tar.zst'), bucket('x.tar.zst', '&region=eu'))).toBe('../x.tar.zst');
  expect(bucket('x')).toEqual({ root: 's3://bucket at https://host', path: '/some where/x' });
  expect(pathBetween(bucket('new.tar.zst'), at('/x.tar.zst'))).toBeUndefined();
});
