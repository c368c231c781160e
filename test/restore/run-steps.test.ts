// Many statements in one message: what a failure leaves and says, what cannot be done in a transaction, whose objects they are.
import { describe, expect, test, vi } from 'vitest';
import type { Catalog, Step } from '#dist/model/catalog.js';
import { openSession, type Session } from '#dist/pg/session.js';
import { resolveConnection } from '#dist/pg/settings.js';
import { runPreData, runSteps } from '#dist/restore/run-steps.js';
import { createDatabase, patience, type TestDatabase } from '../server/index.js';

interface Target extends AsyncDisposable {
  readonly db: TestDatabase;
  readonly session: Session;
  tables(): Promise<readonly string[]>;
}

async function makeTarget(): Promise<Target> {
  const db = await createDatabase();
  const session = await openSession(resolveConnection(db.url, patience), { use: 'write' });
  return {
    db,
    session,
    tables: async () =>
      (await db.query<{ name: string }>('SELECT tablename AS name FROM pg_tables WHERE schemaname = $$public$$ ORDER BY 1')).map(
        ({ name }) => name,
      ),
    [Symbol.asyncDispose]: async () => {
      await session.close();
      await db[Symbol.asyncDispose]();
    },
  };
}

/** A table each. */
function catalogOf(statements: readonly string[]): Catalog {
  return {
    objects: statements.map((_, id) => ({ id, kind: 'table', schema: 'public', name: `t${id}` })),
    steps: statements.map((text, id): Step => {
      return { id, object: id, section: 'pre-data', facet: 'definition', statements: [text], needs: [] };
    }),
    tables: [],
  };
}

function create(count: number): string[] {
  return Array.from({ length: count }, (_, id) => `CREATE TABLE public.t${id} () -- no columns`);
}

const outside = { inTransaction: false, alone: false };

describe('many steps', () => {
  test('go in few messages', async () => {
    await using target = await makeTarget();
    const catalog = catalogOf(create(250));
    await runSteps(target.session, { ...outside, catalog, steps: catalog.steps });
    expect(await target.tables()).toHaveLength(250);
    // What one message made has the same transaction.
    const [made] = await target.db.query<{ n: number }>(
      `SELECT count(DISTINCT xmin::text)::int AS n FROM pg_class WHERE relname ~ '^t[0-9]+$'`,
    );
    expect(made).toEqual({ n: 3 });
  });

  test('one that fails is named, and those before it are done', async () => {
    await using target = await makeTarget();
    const catalog = catalogOf(create(5).with(3, 'CREATE TABLE public.t1 ()'));
    const failure = runSteps(target.session, { ...outside, catalog, steps: catalog.steps });
    await expect(failure).rejects.toThrow(/^restore table public\.t3: relation "t1" already exists/);
    expect(await target.tables()).toEqual(['t0', 't1', 't2']);
  });

  test('one that fails within a transaction leaves the transaction to whoever began it', async () => {
    await using target = await makeTarget();
    const catalog = catalogOf(create(3).with(2, 'CREATE TABLE public.t1 ()'));
    await target.session.query('BEGIN');
    const failure = runSteps(target.session, { inTransaction: true, alone: false, catalog, steps: catalog.steps });
    await expect(failure).rejects.toThrow(/^restore table public\.t2: /);
    await target.session.query('ROLLBACK');
    expect(await target.tables()).toEqual([]);
  });

  test('one that is not for transactions is run by itself', async () => {
    await using target = await makeTarget();
    const catalog = catalogOf([...create(2), 'VACUUM public.t0']);
    await runSteps(target.session, { ...outside, catalog, steps: catalog.steps });
    expect(await target.tables()).toEqual(['t0', 't1']);
  });

  test('of an archive that is not trusted go one by one, and none of them can be two', async () => {
    await using target = await makeTarget();
    const catalog = catalogOf(create(3).with(2, 'CREATE TABLE public.t2 (); CREATE TABLE public.t3 ()'));
    const failure = runSteps(target.session, { inTransaction: false, alone: true, catalog, steps: catalog.steps });
    await expect(failure).rejects.toThrow(/^restore table public\.t2: cannot insert multiple commands into a prepared statement/);
    expect(await target.tables()).toEqual(['t0', 't1']);
  });
});

describe('owners', () => {
  /** What `steps` change of the owner of a table that the second of them gives to us. @returns what was sent for that, and whose it is then */
  async function restore(target: Target, made: boolean): Promise<{ readonly sent: readonly string[]; readonly isOurs: boolean }> {
    const { db, session } = target;
    const { role } = await session.one<{ role: string }>('SELECT current_user AS role');
    const statements = [`ALTER TABLE public.t0 OWNER TO "${role}"`];
    const owner: Step = { id: 1, object: 0, section: 'pre-data', facet: 'owner', statements, needs: [0] };
    const catalog = catalogOf(create(1));
    const query = vi.spyOn(session, 'query');
    const together = vi.spyOn(session, 'queryTogether');
    const steps = made ? [...catalog.steps, owner] : [owner];
    await runPreData(session, { ...outside, catalog, steps, emit: () => undefined });
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
