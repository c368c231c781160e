import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openSession } from '#dist/pg/session.js';
import { resolveConnection } from '#dist/pg/settings.js';
import { threadsFor, WorkerPool } from '#dist/snapshot/worker-pool.js';
import { createDatabase, eventually, patience, type TestDatabase } from '../server/index.js';

const settingsFor = (db: TestDatabase) => ({
  connection: resolveConnection(db.url, patience),
  chunkBytes: 1 << 20,
  window: 3,
  encoding: undefined,
  framesComeBack: true,
  foreignTables: false,
  spoolPrefix: '/nowhere',
});

it.each([
  [0n, 4, 0],
  [(1n << 20n) - 1n, 4, 0],
  [1n << 20n, 4, 1],
  [(64n << 20n) - 1n, 4, 1],
  [64n << 20n, 4, 2],
  [1n << 62n, 4, 4],
  [1n << 30n, 1, 1],
])('%i bytes and %i jobs are for %i threads', (bytes, jobs, threads) => {
  expect(threadsFor(bytes, jobs)).toBe(threads);
});

const places = [
  ['in this thread', 0],
  ['in a thread', 1],
] as const;

/** Chunks of a MiB, of which three may be on their way, and chunks of a row: those count as 4 KiB, and come up to 64 at a time. */
const sizes = places.flatMap(([where, threads]) => [
  { where, threads, rowBytes: 1 << 20, bytes: undefined, tasks: 20, fewest: 3, most: 3 },
  { where, threads, rowBytes: 1, bytes: 8192n, tasks: 1500, fewest: 768, most: 768 + 64 },
]);

it.each(sizes)(
  'does not run ahead of the one who writes: rows of $rowBytes bytes, $where',
  async ({ threads, rowBytes, bytes, tasks: count, fewest, most }) => {
    await using db = await createDatabase();
    await using control = await openSession(resolveConnection(db.url, patience), { use: 'read' });
    await control.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const { id } = await control.one<{ id: string }>('SELECT pg_export_snapshot() AS id');
    await using pool = await WorkerPool.start(threads, settingsFor(db));
    await pool.attach(id, []);
    // Each leaves a lock behind, so that those that were begun can be counted.
    const tasks = Array.from({ length: count }, (_, i) => ({
      id: i,
      statement: `COPY (SELECT pg_advisory_lock_shared(4711, ${i})::text || repeat('x', ${rowBytes})) TO STDOUT`,
      format: 'text' as const,
      table: `"t${i}"`,
      ...(bytes && { bytes }),
      directory: `data/${i}-t`,
      range: 0,
    }));
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    let done = 0;
    const reading = pool.read(tasks, 3, {
      chunk: () => gate,
      done: () => {
        done += 1;
      },
    });
    const begun = await eventually('the worker waits', async () => {
      const [row] = await db.query<{ begun: string }>(
        `SELECT count(*) AS begun FROM pg_locks l JOIN pg_stat_activity a USING (pid)
        WHERE l.locktype = 'advisory' AND l.classid = 4711 AND a.datname = current_database() AND a.state = 'idle in transaction' HAVING count(*) >= ${fewest}`,
      );
      return row?.begun;
    });
    expect(Number(begun)).toBeLessThanOrEqual(most);
    open();
    await reading;
    expect(done).toBe(count);
  },
);

it.each(places)('does not wait for workers that ended while they had nothing to do, %s', async (_, threads) => {
  await using db = await createDatabase();
  await using pool = await WorkerPool.start(threads, settingsFor(db));
  await pool[Symbol.asyncDispose]();
  const task = {
    id: 0,
    statement: 'COPY t TO STDOUT',
    format: 'text',
    table: '"t"',
    directory: 'data/1-t',
    range: 0,
  } as const;
  const sink = { chunk: async () => undefined, done: () => undefined };
  await expect(pool.read([task], 3, sink)).rejects.toMatchObject({ name: 'TidemarkError', message: /worker thread ended/ });
});

it.each(places)('tells why a large row cannot be sent, while others are read, %s', async (_, threads) => {
  await using db = await createDatabase();
  await using control = await openSession(resolveConnection(db.url, patience), { use: 'read' });
  await control.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const { id } = await control.one<{ id: string }>('SELECT pg_export_snapshot() AS id');
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-test-'));
  try {
    // Of the first file, which has the row, the second is made, which has the frame: there is one of that name already.
    const spoolPrefix = join(directory, 'rows');
    await writeFile(`${spoolPrefix}-0-2`, 'somebody else');
    await using pool = await WorkerPool.start(threads, { ...settingsFor(db), spoolPrefix });
    await pool.attach(id, []);
    const task = { format: 'text', bytes: 1n, directory: 'data/1-t', range: 0 } as const;
    const tasks = [
      { ...task, id: 0, table: '"large"', statement: `COPY (SELECT repeat('x', 9 << 20)) TO STDOUT` },
      { ...task, id: 1, table: '"long"', statement: 'COPY (SELECT generate_series(1, 3000000)) TO STDOUT' },
    ];
    const reading = pool.read(tasks, 3, { chunk: async () => undefined, done: () => undefined });
    await expect(reading).rejects.toMatchObject({ code: 'FILE_ERROR', message: expect.stringContaining('rows-0-2') });
    await pool[Symbol.asyncDispose]();
    expect(await readFile(`${spoolPrefix}-0-2`, 'utf8')).toBe('somebody else');
  } finally {
    await rm(directory, { recursive: true });
  }
});

it.each(places)('leaves no connection when it is aborted, %s', async (_, threads) => {
  await using db = await createDatabase();
  const stop = new AbortController();
  await using pool = await WorkerPool.start(threads, settingsFor(db), stop.signal);
  const connections = async () => {
    const [row] = await db.query<{ count: string }>(
      `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'tidemark worker'`,
    );
    return row?.count;
  };
  expect(await connections()).toBe('1');
  stop.abort();
  await expect(pool.query([{ statement: 'SELECT 1::text', table: '"t"' }])).rejects.toMatchObject({ name: 'TidemarkError' });
  await eventually('the connection is gone', async () => ((await connections()) === '0' ? true : undefined));
});
