// When index builds get parallel workers of the server: asked of a real one, which says in the end what it was told.
import { expect, test, vi } from 'vitest';
import { openSession, type Session } from '#dist/pg/session.js';
import { resolveConnection } from '#dist/pg/settings.js';
import { ParallelSteps } from '#dist/restore/parallel-steps.js';
import { largeBytes } from '#dist/restore/schedule.js';
import { Slots } from '#dist/restore/slots.js';
import type { Catalog, Step } from '../../src/model/catalog.js';
import { createDatabase, patience } from '../server/index.js';

/** Tables, each with so many indexes: objects 0, 1, ... are the tables. */
function catalogOf(indexes: readonly number[]): Catalog {
  const tables = indexes.map((_, id) => ({ id, kind: 'table', schema: 'public', name: `t${id}` }));
  const owners = indexes.flatMap((count, table) => Array.from({ length: count }, () => table));
  const built = owners.map((parent, at) => ({ id: tables.length + at, kind: 'index', schema: 'public', name: `i${at}`, parent }));
  const steps = owners.map((table, id): Step => {
    const statements = [`CREATE INDEX i${id} ON public.t${table} (x)`];
    return { id, object: tables.length + id, section: 'post-data', facet: 'definition', statements, needs: [] };
  });
  return { objects: [...tables, ...built], steps, tables: [] };
}

/** @returns what each session was told before it made which index */
async function build(indexes: readonly number[], jobs: number, arrivals: (steps: ParallelSteps) => void): Promise<string[]> {
  await using db = await createDatabase();
  for (const id of indexes.keys()) await db.run(`CREATE TABLE t${id} (x integer)`);
  const catalog = catalogOf(indexes);
  const sessions: Session[] = [];
  const told: string[] = [];
  try {
    for (let n = 0; n < jobs; n += 1) {
      const session = await openSession(resolveConnection(db.url, patience), { use: 'write' });
      sessions.push(session);
      const query = session.query.bind(session);
      let workers = '0';
      vi.spyOn(session, 'query').mockImplementation((text: string, values?: readonly unknown[]) => {
        workers = /^SET max_parallel_maintenance_workers = (\d+)$/.exec(text)?.[1] ?? workers;
        const index = /^CREATE INDEX (\w+)/.exec(text)?.[1];
        if (index !== undefined) told.push(`${index} ${workers}`);
        return query(text, values);
      });
    }
    const steps = new ParallelSteps({
      catalog,
      steps: catalog.steps,
      inTransaction: false,
      weightOf: () => largeBytes,
      awaiting: indexes.keys(),
      slots: new Slots(jobs),
    });
    steps.use(sessions);
    arrivals(steps);
    await steps.finish();
    const made = await db.query<{ n: number }>(`SELECT count(*)::int AS n FROM pg_indexes WHERE schemaname = 'public'`);
    expect(made).toEqual([{ n: catalog.steps.length }]);
    return told.toSorted();
  } finally {
    for (const session of sessions) await session.close();
  }
}

test('an index that begins with the last rows gets a worker, also before it is told that these were the last', async () => {
  expect(await build([1], 2, (steps) => steps.arrive(0))).toEqual(['i0 1']);
});

test('the fewer are left, the more each gets', async () => {
  expect(await build([1], 4, (steps) => steps.arrive(0))).toEqual(['i0 3']);
  expect(await build([2], 4, (steps) => steps.arrive(0))).toEqual(['i0 1', 'i1 1']);
});

test('while rows of other tables are loaded, and with one job, none does', async () => {
  let loaded: Promise<void> | undefined;
  const told = await build([1, 1], 2, (steps) => {
    steps.arrive(0);
    // The first index has been begun by then.
    loaded = new Promise((resolve) => setImmediate(resolve)).then(() => steps.arrive(1));
  });
  await loaded;
  expect(told).toEqual(['i0 0', 'i1 1']);
  expect(await build([1], 1, (steps) => steps.arrive(0))).toEqual(['i0 0']);
});

test('of small tables many go together, but not within a transaction, where nobody knows how small they are', async () => {
  await using db = await createDatabase();
  await using session = await openSession(resolveConnection(db.url, patience), { use: 'write' });
  const together = vi.spyOn(session, 'queryTogether');
  const catalog = catalogOf(Array.from({ length: 20 }, () => 1));
  for (const inTransaction of [true, false]) {
    for (const id of catalog.steps.keys()) await session.query(`CREATE TABLE public.t${id} (x integer)`);
    if (inTransaction) await session.query('BEGIN');
    const steps = new ParallelSteps({ catalog, steps: catalog.steps, inTransaction, weightOf: () => 0n, slots: new Slots(1) });
    steps.use([session]);
    await steps.finish();
    if (inTransaction) await session.query('COMMIT');
    expect(together.mock.calls.length > 0).toBe(!inTransaction);
    const made = await db.query<{ n: number }>(`SELECT count(*)::int AS n FROM pg_indexes WHERE schemaname = 'public'`);
    expect(made).toEqual([{ n: 20 }]);
    for (const id of catalog.steps.keys()) await session.query(`DROP TABLE public.t${id}`);
  }
});
