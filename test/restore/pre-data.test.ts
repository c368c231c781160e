// What is made before the rows: by how many sessions, and whose it is.
import { describe, expect, test, vi } from 'vitest';
import type { Catalog, Step } from '#dist/model/catalog.js';
import { openSession } from '#dist/pg/session.js';
import { resolveConnection } from '#dist/pg/settings.js';
import { runPreData } from '#dist/restore/pre-data.js';
import { patience } from '../server/index.js';
import { catalogOf, create, makeTarget, outside, type Target } from './steps.js';

describe('sessions', () => {
  /** Tables, of which every third has the one before it for a parent, and a view of the last one. */
  function manyTables(count: number): Catalog {
    const { objects, steps } = catalogOf(create(count));
    const tables = steps.map((step): Step => {
      const parent = step.id % 3 === 2 ? step.id - 1 : undefined;
      if (parent === undefined) return step;
      return { ...step, statements: [`CREATE TABLE public.t${step.id} () INHERITS (public.t${parent})`], needs: [parent] };
    });
    const view = { id: count, kind: 'view', schema: 'public', name: 'v' };
    const statements = [`CREATE VIEW public.v AS SELECT count(*) FROM public.t${count - 1}`];
    // It needs nothing but what comes before it.
    const last: Step = { id: count, object: count, section: 'pre-data', facet: 'definition', statements, needs: [] };
    return { objects: [...objects, view], steps: [...tables, last], tables: [] };
  }

  /** @returns how many statements each session was sent */
  async function make(target: Target, catalog: Catalog, how: { inTransaction?: boolean } = {}): Promise<number[]> {
    await using second = await openSession(resolveConnection(target.db.url, patience), { use: 'write' });
    const sessions = [target.session, second];
    const calls = sessions.map((session) => [vi.spyOn(session, 'query'), vi.spyOn(session, 'queryTogether')] as const);
    const more = { crew: async () => sessions, emit: () => undefined };
    await runPreData(target.session, { ...outside, ...how, catalog, steps: catalog.steps, ...more });
    return calls.map(([alone, together]) => {
      const texts = [...alone.mock.calls.map(([text]) => text), ...together.mock.calls.flatMap(([several]) => several)];
      return texts.filter((text) => text.startsWith('CREATE ')).length;
    });
  }

  test('share many tables, and what comes after these waits for them', async () => {
    await using target = await makeTarget();
    const [one = 0, other = 0] = await make(target, manyTables(400));
    expect(one + other).toBe(401);
    expect(Math.min(one, other)).toBeGreaterThan(0);
    expect(await target.tables()).toHaveLength(400);
    expect(await target.db.query('SELECT count(*)::int AS n FROM pg_inherits')).toEqual([{ n: 133 }]);
  });

  test('of a few, and of a transaction, is one', async () => {
    await using few = await makeTarget();
    expect(await make(few, manyTables(30))).toEqual([31, 0]);
    await using within = await makeTarget();
    await within.session.query('BEGIN');
    expect(await make(within, manyTables(400), { inTransaction: true })).toEqual([401, 0]);
    await within.session.query('COMMIT');
    expect(await within.tables()).toHaveLength(400);
  });

  test('one that fails is named', async () => {
    await using target = await makeTarget();
    const { objects, steps } = manyTables(400);
    const catalog = {
      objects,
      steps: steps.map((step) => (step.id === 300 ? { ...step, statements: ['CREATE TABLE public.t0 ()'] } : step)),
      tables: [],
    };
    await expect(make(target, catalog)).rejects.toThrow(/^restore table public\.t300: relation "t0" already exists/);
    expect(await target.db.query(`SELECT to_regclass('public.v') AS v`)).toEqual([{ v: null }]);
  });
});

describe('owners', () => {
  /** Gives a table to us. @param made the table, too, is made
   *  @returns what was sent for that, and whether it is ours then */
  async function restore(target: Target, made: boolean): Promise<{ readonly sent: readonly string[]; readonly isOurs: boolean }> {
    const { db, session } = target;
    const { role } = await session.one<{ role: string }>('SELECT current_user AS role');
    const statements = [`ALTER TABLE public.t0 OWNER TO "${role}"`];
    const owner: Step = { id: 1, object: 0, section: 'pre-data', facet: 'owner', statements, needs: [0] };
    const catalog = catalogOf(create(1));
    const query = vi.spyOn(session, 'query');
    const together = vi.spyOn(session, 'queryTogether');
    const steps = made ? [...catalog.steps, owner] : [owner];
    await runPreData(session, { ...outside, catalog, steps, crew: async () => [session], emit: () => undefined });
    const sent = [...query.mock.calls.map(([text]) => text), ...together.mock.calls.flatMap(([texts]) => texts)];
    const [found] = await db.query<{ owner: string }>(`SELECT relowner::regrole::text AS owner FROM pg_class WHERE relname = 't0'`);
    return { sent: sent.filter((text) => text.includes(' OWNER TO ')), isOurs: found?.owner === role };
  }

  test('are not said of what is made as the owner', async () => {
    await using target = await makeTarget();
    expect(await restore(target, true)).toEqual({ sent: [], isOurs: true });
  });

  test('are said of what was there before', async () => {
    await using target = await makeTarget();
    await target.db.run('CREATE TABLE t0 (); ALTER TABLE t0 OWNER TO pg_monitor');
    expect(await restore(target, false)).toEqual({ sent: [expect.any(String)], isOurs: true });
  });

  test('are said where an event trigger may have given it away', async () => {
    await using target = await makeTarget();
    await target.db.run(`
      CREATE FUNCTION give() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN ALTER TABLE public.t0 OWNER TO pg_monitor; END $$;
      CREATE EVENT TRIGGER give ON ddl_command_end WHEN tag IN ('CREATE TABLE') EXECUTE FUNCTION give()`);
    expect(await restore(target, true)).toEqual({ sent: [expect.any(String)], isOurs: true });
  });
});
