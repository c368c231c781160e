// Many statements together: what a failure leaves and says, and what cannot be done in a transaction.
import { describe, expect, test, vi } from 'vitest';
import { runSteps } from '#dist/restore/run-steps.js';
import { catalogOf, create, makeTarget, outside } from './steps.js';

describe('many steps', () => {
  test('go in few transactions', async () => {
    await using target = await makeTarget();
    const catalog = catalogOf(create(250));
    await runSteps(target.session, { ...outside, catalog, steps: catalog.steps });
    expect(await target.tables()).toHaveLength(250);
    // What was made together has the same transaction.
    const [made] = await target.db.query<{ n: number }>(
      `SELECT count(DISTINCT xmin::text)::int AS n FROM pg_class WHERE relname ~ '^t[0-9]+$'`,
    );
    expect(made).toEqual({ n: 3 });
  });

  test('long ones go in more', async () => {
    await using target = await makeTarget();
    const catalog = catalogOf(create(4).map((text) => text + 'o'.repeat(30_000)));
    const together = vi.spyOn(target.session, 'queryTogether');
    await runSteps(target.session, { ...outside, catalog, steps: catalog.steps });
    expect(together.mock.calls.map(([texts]) => texts.length)).toEqual([2, 2]);
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
    const failure = runSteps(target.session, { inTransaction: true, catalog, steps: catalog.steps });
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

  test('one by itself is not tried together with nothing', async () => {
    await using target = await makeTarget();
    const { objects, steps } = catalogOf(['']);
    const several = steps.map((step) => ({
      ...step,
      statements: ['CREATE TABLE public.t0 ()', 'CREATE INDEX ON public.t0 ((1 / 0))', 'SELECT 1 / 0'],
    }));
    const together = vi.spyOn(target.session, 'queryTogether');
    await expect(
      runSteps(target.session, { ...outside, catalog: { objects, steps: several, tables: [] }, steps: several }),
    ).rejects.toThrow('division by zero');
    expect(together).not.toHaveBeenCalled();
    expect(await target.tables()).toEqual(['t0']);
  });

  test('none of them can be two', async () => {
    await using target = await makeTarget();
    const catalog = catalogOf(create(3).with(2, 'CREATE TABLE public.t2 (); CREATE TABLE public.t3 ()'));
    const failure = runSteps(target.session, { ...outside, catalog, steps: catalog.steps });
    await expect(failure).rejects.toThrow(/^restore table public\.t2: cannot insert multiple commands into a prepared statement/);
    expect(await target.tables()).toEqual(['t0', 't1']);
  });
});
