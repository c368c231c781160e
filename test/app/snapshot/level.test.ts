import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { showSnapshot } from '#dist/app/archive/show-snapshot.js';
import { restoreSnapshot } from '#dist/app/restore/restore-snapshot.js';
import type { SnapshotPlan } from '#dist/app/snapshot/options.js';
import { planRanges } from '#dist/app/snapshot/plan-ranges.js';
import { RowReader } from '#dist/app/snapshot/row-reader.js';
import type { SnapshotSchema } from '#dist/app/snapshot/schema.js';
import { settleRows } from '#dist/app/snapshot/settle-rows.js';
import { takeSnapshot } from '#dist/app/snapshot/take-snapshot.js';
import type { ArchiveWriter } from '#dist/archive/writer.js';
import type { EncodedMember } from '#dist/frame/encode.js';
import type { RangeTask } from '#dist/snapshot/messages.js';
import type { DescribedTable } from '#dist/snapshot/tables.js';
import type { ChunkSink, Question } from '#dist/snapshot/worker-pool.js';

import { createDatabase } from '../../server/index.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('samples of the largest tables speak for a level; the manifest says which, and why', async () => {
  await using source = await createDatabase();
  await using target = await createDatabase();
  await source.run(`
    CREATE UNLOGGED TABLE large AS SELECT g AS id, md5(g::text) || repeat(md5((g / 7)::text), 19) AS value FROM generate_series(1, 420000) AS g;
    CREATE UNLOGGED TABLE small AS SELECT g AS id FROM generate_series(1, 10) AS g;
  `);
  const file = join(folder, 'large.tar.zst');
  await takeSnapshot({ database: source.url, file, jobs: 2 });
  const { settings, tables } = (await showSnapshot({ file })).manifest;
  const { compression } = settings;
  expect(compression?.sample?.tried.map(({ level }) => level)).toContain(3);
  expect(compression?.sample?.bytes).toBeGreaterThan(1 << 20);
  expect(settings.compressLevel).toBe(compression?.level);
  expect(compression?.reason).toMatch(/./);
  expect(tables.map(({ rows }) => rows)).toEqual([420000n, 10n]);
  await restoreSnapshot({ database: target.url, file, jobs: 2 });
  const sum = 'SELECT count(*), sum(hashtext(large::text)) FROM large';
  expect(await target.query(sum)).toEqual(await source.query(sum));
});

test('a small database is not sampled; a level that is asked for needs no reason', async () => {
  await using source = await createDatabase();
  await source.run('CREATE TABLE t AS SELECT 1 AS a');
  const taken = await takeSnapshot({ database: source.url, file: join(folder, 'small.tar.zst'), jobs: 1, compressLevel: 'auto' });
  expect(taken.manifest.settings).toMatchObject({
    compressLevel: 3,
    compression: { level: 3, reason: 'there is too little to read for a sample' },
  });
  const asked = await takeSnapshot({ database: source.url, file: join(folder, 'asked.tar.zst'), jobs: 1, compressLevel: 7 });
  expect(asked.manifest.settings.compressLevel).toBe(7);
  expect(asked.manifest.settings).not.toHaveProperty('compression');
});

test('what a sample says of a table is told to those who read its ranges', async () => {
  const parameters = { strategy: 1, hashLog: 15, minMatch: 7 };
  const toRead = [tableOf('large', 100n << 20n, 0), tableOf('small', 1n << 20n, 1)];
  const schema = { catalog: { objects: [], steps: [], tables: toRead.map(({ table }) => table) }, leftOut: [], toRead };
  const pool = {
    sample: async (questions: readonly Question[]) => {
      const trial = { level: 3, parameters, rawBytes: 1_000_000, compressedBytes: 200_000, ms: 2 };
      return questions.map(() => ({ rawBytes: 2_000_000, readMs: 10, totalBytes: 4_000_000, trials: [trial] }));
    },
  };
  const plan = { compressLevel: 'auto', copyFormat: 'binary', completedOnce: [], jobs: 2 } as unknown as SnapshotPlan;
  const { settled } = await settleRows(schema, plan, { pool, here: false });
  const read = planRanges(schema, 2, settled.sampled);
  const large = read.filter(({ directory }) => directory.endsWith('large'));
  expect(large.length).toBeGreaterThan(1);
  for (const { sampled } of large) expect(sampled).toEqual({ parameters, compressedTo: 0.2 });
  expect(read.filter(({ directory }) => directory.endsWith('small')).map(({ sampled }) => sampled)).toEqual([undefined]);
});

const integer = { name: 'a', type: 'integer', typeOid: 23, typtype: 'b', elementOid: 0 };

test.each([
  { mebi: 255n, here: true, copyFormat: 'binary', sampled: 0 },
  { mebi: 255n, here: true, copyFormat: 'auto', sampled: 1 },
  { mebi: 255n, here: false, copyFormat: 'binary', sampled: 1 },
  { mebi: 256n, here: true, copyFormat: 'binary', sampled: 1 },
  { mebi: 63n, here: false, copyFormat: 'auto', sampled: 0 },
])('$mebi MiB, server on this machine: $here, form of rows $copyFormat: $sampled tables are sampled', async (given) => {
  const { mebi, here, copyFormat, sampled } = given;
  const toRead = [tableOf('large', mebi << 20n, 0)].map(({ table, described }) => ({
    table,
    described: { ...described, columns: [integer] },
  }));
  const schema = { catalog: { objects: [], steps: [], tables: toRead.map(({ table }) => table) }, leftOut: [], toRead };
  let asked = 0;
  const pool = {
    sample: async (questions: readonly Question[]) => {
      asked += questions.length;
      return questions.map(() => ({ rawBytes: 0, readMs: 0, totalBytes: 0, trials: [] }));
    },
  };
  const plan = { compressLevel: 'auto', copyFormat, completedOnce: [], jobs: 2 } as unknown as SnapshotPlan;
  const { settled } = await settleRows(schema, plan, { pool, here });
  expect(asked).toBe(sampled);
  expect(settled.level).toBe(3);
  expect(settled.choice?.reason).toMatch(/./);
});

test('rows that come before the schema is written wait for it', async () => {
  const toRead = [tableOf('small', 1n << 20n, 0)];
  const schema = { catalog: { objects: [], steps: [], tables: toRead.map(({ table }) => table) }, leftOut: [], toRead };
  const order: string[] = [];
  const member = { name: 'data/0-public.small/00000-00000.copy' } as EncodedMember;
  const append = async () => {
    order.push('rows');
    return { member: member.name, offset: 0n, length: 1n, frames: [], rawBytes: 1n, sha256: '' };
  };
  const pool = {
    async read(tasks: Iterable<RangeTask>, _level: number, sink: ChunkSink) {
      for (const task of tasks) {
        await sink.chunk({ task, rows: 1n, member });
        await sink.done(task, 1n);
      }
    },
  };
  const target = new Promise((resolve) => setImmediate(resolve)).then(() => {
    order.push('schema');
    return { writer: { append } as unknown as ArchiveWriter, schema };
  });
  const reader = new RowReader({ target, emit: () => undefined });
  await reader.read(pool, planRanges(schema, 1), { level: 3 });
  expect(order).toEqual(['schema', 'rows']);
  expect((await reader.entries()).map(({ rows }) => rows)).toEqual([1n]);
});

function tableOf(name: string, bytes: bigint, object: number): SnapshotSchema['toRead'][number] {
  const column = { name: 'a', type: 'text' };
  const table = { object, directory: `data/${object}-public.${name}`, schema: 'public', name, columns: [column], format: 'text' } as const;
  const described = {
    schema: 'public',
    name,
    relkind: 'r',
    heap: true,
    bytes,
    blocks: bytes / 8192n,
    columns: [],
  } as unknown as DescribedTable;
  return { table, described };
}
