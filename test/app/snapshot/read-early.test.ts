// Rows that are read while the schema still is.
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { planSnapshot, type SnapshotOptions } from '#dist/app/snapshot/options.js';
import type { PlannedRange } from '#dist/app/snapshot/plan-ranges.js';
import { tablesReadEarly } from '#dist/app/snapshot/read-early.js';
import { readRows } from '#dist/app/snapshot/read-rows.js';
import { RowReader } from '#dist/app/snapshot/row-reader.js';
import type { SnapshotSchema } from '#dist/app/snapshot/schema.js';
import type { ArchiveWriter } from '#dist/archive/writer.js';
import type { EncodedMember } from '#dist/frame/encode.js';
import { restoreSnapshot, takeSnapshot } from '#dist/index.js';
import type { CatalogTable } from '#dist/model/catalog.js';
import type { Share } from '#dist/snapshot/ahead.js';
import type { RangeTask } from '#dist/snapshot/messages.js';
import type { DescribedTable } from '#dist/snapshot/tables.js';
import type { View } from '#dist/snapshot/view.js';
import type { ChunkSink } from '#dist/snapshot/worker-pool.js';
import { createDatabase, createRole } from '../../server/index.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('which tables', () => {
  const described: DescribedTable = {
    oid: 16384,
    schema: 'public',
    name: 't',
    relkind: 'r',
    partitionOf: null,
    inherits: [],
    server: null,
    extension: null,
    unlogged: false,
    heap: true,
    blocks: 10n,
    bytes: 81920n,
    estimatedRows: 100,
    hashedByOid: null,
    columns: [{ name: 'id', type: 'integer', typeOid: 23, typtype: 'b', elementOid: 0 }],
    rewritten: false,
  };
  const viewOf = (tables: readonly DescribedTable[], more: Partial<View> = {}): View => ({
    snapshotId: '1-1',
    at: new Date(0),
    lsn: 0n,
    inRecovery: false,
    largeObjectBytes: 0n,
    tables,
    ...more,
  });
  const names = (view: View, options: Partial<SnapshotOptions> = {}): string[] =>
    tablesReadEarly(view, planSnapshot({ file: 'x', ...options })).map(({ table }) => table.name);

  test('those of a small database whose rows come along in any case', () => {
    const other = (name: string, more: Partial<DescribedTable>): DescribedTable => ({ ...described, name, ...more });
    const tables = [
      described,
      other('parted', { relkind: 'p' }),
      other('remote', { relkind: 'f', server: 's' }),
      other('of_extension', { extension: { name: 'e', condition: '' } }),
      other('unlogged', { unlogged: true }),
    ];
    expect(names(viewOf(tables))).toEqual(['t', 'unlogged']);
    expect(names(viewOf(tables, { inRecovery: true }))).toEqual(['t']);
    expect(names(viewOf(tables), { copyFormat: 'text', compressLevel: 7 })).toEqual(['t', 'unlogged']);
  });

  test('those of a large database where no table is worth a sample', () => {
    const small = { ...described, bytes: (8n << 20n) - 1n };
    const many = Array.from({ length: 100 }, (_, n) => ({ ...small, name: `t${n}` }));
    expect(names(viewOf(many))).toHaveLength(100);
    expect(names(viewOf([small], { largeObjectBytes: 1n << 40n }))).toEqual(['t']);
    // Of what has no heap no part can be read.
    expect(names(viewOf([small, { ...small, name: 'other', heap: false, bytes: 1n << 40n }]))).toEqual(['t', 'other']);
  });

  test.each<[string, View, Partial<SnapshotOptions>]>([
    ['a large table, of which a sample says how it travels', viewOf([described, { ...described, bytes: 64n << 20n }]), {}],
    ['64 MiB, and a table that is worth a sample', viewOf([{ ...described, bytes: 8n << 20n }], { largeObjectBytes: 56n << 20n }), {}],
    ['no rows are wanted', viewOf([described]), { schemaOnly: true }],
    ['rows of some are left out', viewOf([described]), { excludeTableData: ['x'] }],
    ['columns may not be fit for the form', viewOf([described]), { copyFormat: 'binary' }],
    ['an earlier snapshot may have them', viewOf([described]), { completed: { tables: ['t'] }, height: 1n }],
  ])('none: %s', (_, view, options) => {
    expect(names(view, options)).toEqual([]);
  });
});

test('rows come before the server has said all of the schema', async () => {
  await using source = await createDatabase();
  await source.run('CREATE TABLE t AS SELECT g AS id, md5(g::text) AS note FROM generate_series(1, 1000) AS g');
  const { url, asked, close } = await startHolding(source.url);
  try {
    const file = join(folder, 'early.tar.zst');
    const { manifest } = await takeSnapshot({ database: url, file, jobs: 1 });
    expect(asked()).toBe(true);
    expect(manifest.totals).toMatchObject({ tables: 1, rows: 1000n });
    await using target = await createDatabase();
    await restoreSnapshot({ database: target.url, file });
    expect(await target.query('SELECT md5(string_agg(t::text, $$,$$ ORDER BY id)) FROM t')).toEqual(
      await source.query('SELECT md5(string_agg(t::text, $$,$$ ORDER BY id)) FROM t'),
    );
  } finally {
    await close();
  }
});

test('workers are given their share of what is read early, however many there might have been', async () => {
  const settling = Promise.resolve({ schema: schemaOf([]), settled: { level: 3 } });
  const begun = settling.then(({ schema }) => ({ writer: {} as ArchiveWriter, schema }));
  const early = Array.from({ length: 1000 }, (_, at) => ({
    table: { directory: `data/${at}`, schema: 'public', name: `t${at}`, columns: [], format: 'text' as const },
    described: { relkind: 'r', heap: true, blocks: 1n, bytes: 8192n } as DescribedTable,
  }));
  const shares: unknown[] = [];
  const pool = {
    size: 1,
    async read(_tasks: Iterable<RangeTask>, _level: number, _sink: ChunkSink, share?: Share) {
      shares.push(share);
    },
  };
  await readRows({ jobs: 8, compressLevel: 3, emit: () => undefined }, { attached: Promise.resolve(pool), early, settling, begun });
  expect(shares).toEqual([{ ranges: 500, bytes: 500n * 8192n }, undefined]);
});

test('what fails in the schema is told, not what failed in rows meanwhile; nothing is left', async () => {
  await using role = await createRole();
  await using source = await createDatabase();
  await source.run(`
    CREATE TABLE secret (id serial); CREATE TABLE filtered (id int); INSERT INTO filtered VALUES (1);
    ALTER TABLE filtered ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON filtered USING (id = 2);
    GRANT SELECT ON secret, filtered TO "${role.name}"`);
  const database = role.as(source.url);
  const file = join(folder, 'refused.tar.zst');
  await expect(takeSnapshot({ database, file })).rejects.toMatchObject({ message: expect.stringContaining('secret_id_seq') });
  await source.run(`GRANT SELECT ON SEQUENCE secret_id_seq TO "${role.name}"`);
  await expect(takeSnapshot({ database, file })).rejects.toMatchObject({ message: expect.stringContaining('row-level security') });
  expect((await readdir(folder)).filter((name) => name.includes('refused'))).toEqual([]);
  const sessions = `SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'tidemark%'`;
  expect(await source.query(sessions)).toEqual([{ count: 0 }]);
});

test('rows of a table that is not in the catalog after all are dropped, and their file with them', async () => {
  const spooled = join(folder, 'spooled');
  await writeFile(spooled, 'rows');
  const written: string[] = [];
  const writer = {
    async append({ name }: EncodedMember) {
      written.push(name);
      return { member: name, offset: 0n, length: 1n, frames: [], rawBytes: 1n, sha256: '' };
    },
  } as unknown as ArchiveWriter;
  const told: string[] = [];
  const reader = new RowReader({
    target: Promise.resolve({ writer, schema: schemaOf(['kept']) }),
    emit: (event) => event.type === 'table' && told.push(event.name),
  });
  const ranges = ['kept', 'gone'].map((name, id) => rangeOf(name, id));
  const pool = {
    async read(tasks: Iterable<RangeTask>, _level: number, sink: ChunkSink) {
      for (const task of tasks) {
        const content = { kind: 'file', path: spooled };
        await sink.chunk({ task, rows: 1n, member: { name: task.directory, content } as unknown as EncodedMember });
        await sink.done(task, 1n);
      }
    },
  };
  await reader.read(pool, ranges, { level: 3 });
  expect(written).toEqual(['data/kept']);
  expect(told).toEqual(['kept']);
  expect((await reader.entries()).map(({ name, rows }) => [name, rows])).toEqual([['kept', 1n]]);
  expect(await readdir(folder)).not.toContain('spooled');
});

test('a table whose rows have not all come is an error', async () => {
  const target = Promise.resolve({ writer: {} as ArchiveWriter, schema: schemaOf(['half']) });
  const reader = new RowReader({ target, emit: () => undefined });
  await expect(reader.entries()).rejects.toMatchObject({ code: 'INTERNAL', message: expect.stringContaining('not planned') });
  const pool = {
    async read(tasks: Iterable<RangeTask>, _level: number, sink: ChunkSink) {
      const [first] = tasks;
      await sink.done(first as RangeTask, 0n);
    },
  };
  await reader.read(pool, [rangeOf('half', 0), rangeOf('half', 1)], { level: 3 });
  await expect(reader.entries()).rejects.toMatchObject({ code: 'INTERNAL', message: expect.stringContaining('not all') });
});

function schemaOf(names: readonly string[]): SnapshotSchema {
  const tables = names.map(
    (name, object): CatalogTable => ({ object, directory: `data/${name}`, schema: 'public', name, columns: [], format: 'text' }),
  );
  return { catalog: { objects: [], steps: [], tables }, leftOut: [], toRead: [] };
}

function rangeOf(name: string, id: number): PlannedRange {
  const statement = `COPY "public"."${name}" TO STDOUT`;
  return { id, statement, format: 'text', table: `"public"."${name}"`, directory: `data/${name}`, range: id, blocks: null };
}

/** A relay that holds back what the server says of constraints, which are of the schema, until a COPY has gone by on another connection. */
async function startHolding(url: string): Promise<{ readonly url: string; readonly asked: () => boolean; close(): Promise<void> }> {
  const upstreamUrl = new URL(url);
  const sockets = new Set<Socket>();
  let copying = false;
  let asked = false;
  let release = (): void => undefined;
  const server = createServer((client) => {
    const upstream = connect(Number(upstreamUrl.port), upstreamUrl.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
    client.on('data', (data) => {
      const text = data.toString('latin1');
      if (text.includes('COPY "public"."t"')) {
        copying = true;
        release();
      }
      if (text.includes('pg_get_constraintdef')) {
        asked = true;
        if (!copying) {
          upstream.pause();
          release = () => upstream.resume();
        }
      }
      upstream.write(data);
    });
    upstream.on('data', (data) => client.write(data));
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const through = new URL(url);
  through.port = String((server.address() as { readonly port: number }).port);
  through.searchParams.set('sslmode', 'disable');
  return {
    url: through.href,
    asked: () => asked,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
