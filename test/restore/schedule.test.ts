import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Catalog, CatalogObject, Step } from '#dist/model/catalog.js';
import { anyRelation, createSchedule, largeBytes, locksOf, type Schedule } from '#dist/restore/schedule.js';

const objects: CatalogObject[] = [
  { id: 0, kind: 'table', schema: 's', name: 'a' },
  { id: 1, kind: 'table', schema: 's', name: 'b' },
  { id: 2, kind: 'index', schema: 's', name: 'a1', parent: 0 },
  { id: 3, kind: 'index', schema: 's', name: 'a2', parent: 0 },
  { id: 4, kind: 'constraint', schema: 's', name: 'a_pkey', parent: 0 },
  { id: 5, kind: 'constraint', schema: 's', name: 'b_pkey', parent: 1 },
  { id: 6, kind: 'foreign key', schema: 's', name: 'b_a', parent: 1 },
  { id: 7, kind: 'function', schema: 's', name: 'f()' },
];

function catalogOf(steps: readonly Step[]): Catalog {
  return { objects, steps, tables: [] };
}

function step(
  id: number,
  object: number,
  { needs = [], statements = ['ALTER TABLE'] }: { needs?: number[]; statements?: string[] } = {},
): Step {
  return { id, object, section: 'post-data', facet: 'definition', statements, needs };
}

function next(schedule: Schedule): Step | undefined {
  return schedule.take(1)[0];
}

const index = { statements: ['CREATE INDEX "i" ON "s"."a" ("x")'] };
const none = () => 0n;
const large = () => 1n << 30n;

describe('what may run at once', () => {
  test('indexes of one table share it', () => {
    const steps = [step(0, 2, index), step(1, 3, index)];
    const schedule = createSchedule(catalogOf(steps), steps, { weightOf: none });
    expect([next(schedule)?.id, next(schedule)?.id, next(schedule)]).toEqual([0, 1, undefined]);
  });

  test('a tablespace around an index does not matter, another statement does', () => {
    const spaced = step(0, 2, { statements: ['SET default_tablespace = "x"', ...index.statements] });
    const clustered = step(0, 2, { statements: [...index.statements, 'ALTER TABLE "s"."a" CLUSTER ON "i"'] });
    expect(locksOf(catalogOf([spaced]), spaced).shared).toBe(true);
    expect(locksOf(catalogOf([clustered]), clustered).shared).toBe(false);
  });

  test('a constraint has its table alone', () => {
    const steps = [step(0, 4), step(1, 2, index), step(2, 5)];
    const schedule = createSchedule(catalogOf(steps), steps, { weightOf: none });
    const first = next(schedule);
    expect([first?.id, next(schedule)?.id, next(schedule)]).toEqual([0, 2, undefined]);
    if (first) schedule.finish(first);
    expect(next(schedule)?.id).toBe(1);
  });

  test('a foreign key has both tables alone, and waits for the key that it refers to', () => {
    const steps = [step(0, 4), step(1, 6, { needs: [0] }), step(2, 3, index), step(3, 5)];
    const schedule = createSchedule(catalogOf(steps), steps, { weightOf: none });
    const key = next(schedule);
    const other = next(schedule);
    expect([key?.id, other?.id, next(schedule)]).toEqual([0, 3, undefined]);
    if (key) schedule.finish(key);
    // b is still in use.
    expect(next(schedule)?.id).toBe(2);
    if (other) schedule.finish(other);
    expect(next(schedule)).toBeUndefined();
  });

  test("what is no relation is in nobody's way", () => {
    const steps = [step(0, 7), step(1, 7)];
    const schedule = createSchedule(catalogOf(steps), steps, { weightOf: none });
    expect([next(schedule)?.id, next(schedule)?.id]).toEqual([0, 1]);
  });

  test('work on the largest table begins first', () => {
    const steps = [step(0, 4), step(1, 5)];
    const schedule = createSchedule(catalogOf(steps), steps, { weightOf: (relation) => (relation === 1 ? 10n : 1n) });
    expect(next(schedule)?.id).toBe(1);
  });

  test('an index waits for the rows of its table, all else for all rows', () => {
    const steps = [step(0, 2, index), step(1, 4), step(2, 5), step(3, 7), step(4, 6, { needs: [1] })];
    const schedule = createSchedule(catalogOf(steps), steps, { weightOf: large, awaiting: [0, 1] });
    expect(next(schedule)).toBeUndefined();
    schedule.arrive(1);
    const key = next(schedule);
    expect([key?.id, next(schedule)]).toEqual([2, undefined]);
    if (key) schedule.finish(key);
    expect(next(schedule)).toBeUndefined();
    schedule.arrive(0);
    expect([next(schedule)?.id, next(schedule)?.id]).toEqual([0, 3]);
  });

  test('an index of a small table waits for all rows', () => {
    const steps = [step(0, 2, index), step(1, 5)];
    const schedule = createSchedule(catalogOf(steps), steps, {
      weightOf: (relation) => (relation === 0 ? largeBytes - 1n : largeBytes),
      awaiting: [0, 1],
    });
    schedule.arrive(0);
    expect(next(schedule)).toBeUndefined();
    schedule.arrive(1);
    expect([next(schedule)?.id, next(schedule)?.id]).toEqual([1, 0]);
  });

  test('an index that calls a function waits for all rows, and so does every one where rows go through a partitioned table', () => {
    const steps = [step(0, 7), step(1, 2, { ...index, needs: [0] }), step(2, 3, index)];
    const after = steps.slice(1);
    const schedule = createSchedule(catalogOf(steps), after, { weightOf: large, awaiting: [0, 1] });
    schedule.arrive(0);
    expect([next(schedule)?.id, next(schedule)]).toEqual([2, undefined]);
    schedule.arrive(1);
    expect(next(schedule)?.id).toBe(1);

    const through = createSchedule(catalogOf(steps), after, { weightOf: large, awaiting: [0, anyRelation, anyRelation] });
    through.arrive(0);
    through.arrive(anyRelation);
    expect(next(through)).toBeUndefined();
    through.arrive(anyRelation);
    expect([next(through)?.id, next(through)?.id]).toEqual([1, 2]);
  });

  test('steps on few rows are taken together, those on many one by one', () => {
    const steps = [step(0, 4), step(1, 2, index), step(2, 5), step(3, 6, { needs: [0] })];
    const few = createSchedule(catalogOf(steps), steps, { weightOf: none });
    expect(few.take(2).map(({ id }) => id)).toEqual([0, 1]);
    // b is free, and a is in the hands of somebody else.
    expect(few.take(3).map(({ id }) => id)).toEqual([2]);
    expect(few.take(3)).toEqual([]);
    const many = createSchedule(catalogOf(steps), steps, { weightOf: large });
    expect([many.take(3).map(({ id }) => id), many.take(3).map(({ id }) => id)]).toEqual([[0], [2]]);
    const mixed = createSchedule(catalogOf(steps), steps, { weightOf: (relation) => (relation === 1 ? 1n << 30n : 0n) });
    expect([mixed.take(3).map(({ id }) => id), mixed.take(3).map(({ id }) => id)]).toEqual([[2], [0, 1]]);
  });

  test('steps on parents and children are taken one by one, as they lock each other', () => {
    const steps = [step(0, 4), step(1, 5), step(2, 8)];
    const trees: CatalogObject[][] = [
      [{ id: 8, kind: 'table', schema: 's', name: 'child', partitionOf: 0 }],
      [{ id: 8, kind: 'table', schema: 's', name: 'child', inherits: [0] }],
    ];
    for (const tree of trees) {
      const schedule = createSchedule({ objects: [...objects, ...tree], steps, tables: [] }, steps, { weightOf: none });
      const taken = [schedule.take(3), schedule.take(3), schedule.take(3)];
      expect(taken.map((some) => some.map(({ id }) => id))).toEqual([[0], [1], [2]]);
    }
  });

  describe('whole trees', () => {
    const family: CatalogObject[] = [
      { id: 0, kind: 'table', schema: 's', name: 'parent' },
      { id: 1, kind: 'table', schema: 's', name: 'p1', partitionOf: 0 },
      { id: 2, kind: 'table', schema: 's', name: 'p2', partitionOf: 0 },
      { id: 3, kind: 'table', schema: 's', name: 'p2_1', partitionOf: 2 },
      { id: 4, kind: 'table', schema: 's', name: 'other', partitionOf: 5 },
      { id: 5, kind: 'table', schema: 's', name: 'other parent' },
    ];
    const make = (id: number, object: number): Step => step(id, object, { statements: ['CREATE TABLE "s"."t" ()'] });
    const attach = (id: number, object: number, needs: number[]): Step => step(id, object, { needs });
    const ids = (steps: readonly Step[]): number[] => steps.map(({ id }) => id);

    test('are in the hands of one session at a time, which does many steps on them together', () => {
      const steps = [
        ...[0, 1, 2, 3, 4, 5].map((n) => make(n, n)),
        attach(6, 1, [0, 1]),
        attach(7, 2, [0, 2]),
        attach(8, 3, [2, 3]),
        attach(9, 4, [5, 4]),
      ];
      const schedule = createSchedule({ objects: family, steps, tables: [] }, steps, { weightOf: none, wholeTrees: true });
      const made = schedule.take(10);
      expect(ids(made)).toEqual([0, 1, 2, 3, 4, 5]);
      for (const one of made) schedule.finish(one);
      const some = schedule.take(2);
      expect(ids(some)).toEqual([6, 7]);
      // Also what is done to none of the same tables waits.
      expect(ids(schedule.take(10))).toEqual([9]);
      for (const one of some) schedule.finish(one);
      expect(ids(schedule.take(10))).toEqual([8]);
    });

    test('a partition is made beside what is done to its tree, in which it is not yet; a child is made in it', () => {
      const child: CatalogObject = { id: 6, kind: 'table', schema: 's', name: 'child', inherits: [0] };
      const steps = [make(0, 0), make(1, 1), attach(2, 1, [0, 1]), make(3, 2), make(4, 6)];
      const schedule = createSchedule({ objects: [...family, child], steps, tables: [] }, steps, { weightOf: none, wholeTrees: true });
      for (const one of schedule.take(2)) schedule.finish(one);
      expect(ids(schedule.take(1))).toEqual([2]);
      expect(ids(schedule.take(3))).toEqual([3]);
    });
  });

  test('needs of an earlier phase are met', () => {
    const earlier = step(0, 0);
    const later = step(1, 2, { ...index, needs: [0] });
    expect(next(createSchedule(catalogOf([earlier, later]), [later], { weightOf: none }))?.id).toBe(1);
  });
});

test('any steps: each runs once, after its needs, never beside what it conflicts with, and it always ends', () => {
  const plans = fc.array(fc.record({ object: fc.nat(7), shared: fc.boolean(), needs: fc.array(fc.nat(20), { maxLength: 3 }) }), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(
      plans,
      fc.infiniteStream(fc.nat(100)),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 3 }),
      (drafts, choices, jobs, most) => {
        const steps = drafts.map(({ object, shared, needs }, id) =>
          step(id, object, { needs: needs.filter((need) => need < id), ...(shared ? index : {}) }),
        );
        const catalog = catalogOf(steps);
        const schedule = createSchedule(catalog, steps, { weightOf: (relation) => BigInt(relation) });
        const running: Step[] = [];
        const done = new Set<number>();
        for (const choice of choices) {
          const taken = running.length < jobs ? schedule.take(most) : [];
          expect(taken.length).toBeLessThanOrEqual(most);
          const others = [...running];
          for (const next of taken) {
            expect(next.needs.every((need) => done.has(need))).toBe(true);
            for (const other of others) {
              const [one, two] = [locksOf(catalog, next), locksOf(catalog, other)];
              const meet = [...one.relations].some((relation) => two.relations.has(relation));
              expect(meet && !(one.shared && two.shared)).toBe(false);
            }
            running.push(next);
          }
          if (taken.length > 0) continue;
          if (running.length === 0) break;
          const [ended] = running.splice(choice % running.length, 1);
          if (ended) {
            schedule.finish(ended);
            done.add(ended.id);
          }
        }
        expect(done.size).toBe(steps.length);
        expect(schedule.waiting).toBe(0);
      },
    ),
  );
});
