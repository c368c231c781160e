import { expect, test } from 'vitest';
import type { Catalog, CatalogObject, CatalogTable, Step } from '#dist/model/catalog.js';
import { locksOf } from '#dist/restore/schedule.js';
import { splitKeys } from '#dist/restore/split-keys.js';

const objects: CatalogObject[] = [
  { id: 0, kind: 'table', schema: 's', name: 't' },
  { id: 1, kind: 'constraint', schema: 's', name: 'k', parent: 0 },
  { id: 2, kind: 'table', schema: 's', name: 'partitioned' },
  { id: 3, kind: 'constraint', schema: 's', name: 'p', parent: 2 },
  { id: 4, kind: 'foreign key', schema: 's', name: 'f', parent: 2 },
  { id: 5, kind: 'table', schema: 's', name: 'partition', partitionOf: 2 },
  { id: 6, kind: 'constraint', schema: 's', name: 'q', parent: 5 },
  { id: 7, kind: 'table', schema: 's', name: 'child', inherits: [0] },
  { id: 8, kind: 'constraint', schema: 's', name: 'c', parent: 7 },
];
const tables = [{ object: 0 }, { object: 5 }, { object: 7 }] as CatalogTable[];

function split(statements: readonly string[], object = 1, bytes = 1n << 30n) {
  const steps: Step[] = [
    { id: 0, object: 0, section: 'pre-data', facet: 'definition', statements: ['CREATE TABLE'], needs: [] },
    { id: 1, object, section: 'post-data', facet: 'definition', statements, needs: [0] },
    { id: 2, object: 4, section: 'post-data', facet: 'definition', statements: ['ALTER TABLE'], needs: [1] },
  ];
  const catalog: Catalog = { objects, steps, tables };
  return { before: steps.slice(1), ...splitKeys(catalog, steps.slice(1), () => bytes) };
}

test.each([
  [
    'ALTER TABLE ONLY "s"."t" ADD CONSTRAINT "k" PRIMARY KEY (id)',
    'CREATE UNIQUE INDEX "k" ON ONLY "s"."t" (id)',
    'ALTER TABLE ONLY "s"."t" ADD CONSTRAINT "k" PRIMARY KEY USING INDEX "k"',
  ],
  [
    'ALTER TABLE ONLY "s"."t" ADD CONSTRAINT "a "" (b), c" UNIQUE ("x, ""y) z", b) INCLUDE (c, "D")',
    'CREATE UNIQUE INDEX "a "" (b), c" ON ONLY "s"."t" ("x, ""y) z", b) INCLUDE (c, "D")',
    'ALTER TABLE ONLY "s"."t" ADD CONSTRAINT "a "" (b), c" UNIQUE USING INDEX "a "" (b), c"',
  ],
])('%s', (statement, index, constraint) => {
  const { catalog, steps } = split([statement]);
  expect(steps.map(({ id, statements, needs }) => ({ id, statements, needs }))).toEqual([
    { id: 1, statements: [constraint], needs: [0, 3] },
    { id: 2, statements: ['ALTER TABLE'], needs: [1] },
    { id: 3, statements: [index], needs: [0] },
  ]);
  expect(catalog.steps[3]).toBe(steps[2]);
  const [alone, , shared] = steps.map((step) => locksOf(catalog, step));
  expect(shared).toEqual({ relations: new Set([0]), shared: true });
  expect(alone).toEqual({ relations: new Set([0]), shared: false });
});

test.each([
  [['ALTER TABLE ONLY "s"."t" ADD CONSTRAINT "k" UNIQUE NULLS NOT DISTINCT (a)']],
  [['ALTER TABLE ONLY "s"."t" ADD CONSTRAINT "k" PRIMARY KEY (a) DEFERRABLE INITIALLY DEFERRED']],
  [['ALTER TABLE ONLY "s"."t" ADD CONSTRAINT "k" PRIMARY KEY (a) WITH (fillfactor=70)']],
  [['ALTER TABLE ONLY "s"."t" ADD CONSTRAINT "k" PRIMARY KEY (a, b WITHOUT OVERLAPS)']],
  [['ALTER TABLE ONLY "s"."t" ADD CONSTRAINT "k" EXCLUDE USING gist (a WITH &&)']],
  [['ALTER TABLE "s"."t" ADD CONSTRAINT "k" PRIMARY KEY (a)']],
  [['SET default_tablespace = x', 'ALTER TABLE ONLY "s"."t" ADD CONSTRAINT "k" PRIMARY KEY (a)', 'RESET default_tablespace']],
])('stays as it is: %s', (statements) => {
  const { steps, before } = split(statements);
  expect(steps).toEqual(before);
});

test('of a few rows it is not worth it', () => {
  const { steps, before } = split(['ALTER TABLE ONLY "s"."t" ADD CONSTRAINT "k" PRIMARY KEY (id)'], 1, 1n << 20n);
  expect(steps).toEqual(before);
});

test.each([
  ['partitioned', 3],
  ['partition', 6],
  ['child', 8],
])('a %s has its constraint alone', (name, object) => {
  const { steps, before } = split([`ALTER TABLE ONLY "s"."${name}" ADD CONSTRAINT "p" PRIMARY KEY (id)`], object);
  expect(steps).toEqual(before);
});
