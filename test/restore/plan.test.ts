import { expect, test } from 'vitest';
import type { Catalog, CatalogObject, CatalogTable, Facet, Section, Step } from '#dist/model/catalog.js';
import { copySql, type PlanOptions, planContents, stepsByPhase } from '#dist/restore/plan.js';
import { dropSql, planDrops, planTruncate } from '#dist/restore/plan-drops.js';

function object(id: number, kind: string, more: Partial<CatalogObject> = {}): CatalogObject {
  return { id, kind, schema: 's', name: `o${id}`, ...more };
}

function step(id: number, object: number, section: Section, facet: Facet = 'definition', needs: number[] = []): Step {
  return { id, object, section, facet, statements: [`step ${id}`], needs };
}

const table = (object: number, more: object = {}) => ({
  object,
  directory: `data/${object}`,
  schema: 's',
  name: `o${object}`,
  columns: [{ name: 'a', type: 'integer' }],
  format: 'text' as const,
  ...more,
});

const ids = (steps: readonly Step[]): number[] => steps.map(({ id }) => id);

test('sections come in order, then privileges, then refreshes', () => {
  const catalog: Catalog = {
    objects: [object(0, 'table'), object(1, 'materialized view'), object(2, 'index', { parent: 0 })],
    steps: [
      step(0, 0, 'pre-data'),
      step(1, 0, 'pre-data', 'privilege', [0]),
      step(2, 1, 'pre-data', 'definition', [0]),
      step(3, 0, 'data', 'value', [0]),
      step(4, 2, 'post-data', 'definition', [0]),
      step(5, 1, 'post-data', 'refresh', [2]),
      step(6, 0, 'pre-data', 'comment', [0]),
    ],
    tables: [],
  };
  const phases = stepsByPhase(catalog);
  expect(ids(phases['pre-data'])).toEqual([0, 2, 6]);
  expect(ids(phases.values)).toEqual([3]);
  expect(ids(phases['post-data'])).toEqual([4]);
  expect(ids(phases.privileges)).toEqual([1]);
  expect(ids(phases.refresh)).toEqual([5]);
});

test('event triggers wait for everything that they would fire for', () => {
  const catalog: Catalog = {
    objects: [object(0, 'function'), object(1, 'event trigger'), object(2, 'index')],
    steps: [
      step(0, 0, 'pre-data'),
      step(1, 1, 'post-data', 'definition', [0]),
      step(2, 1, 'post-data', 'comment', [1]),
      step(3, 2, 'post-data'),
      step(4, 0, 'post-data', 'privilege', [0]),
      step(5, 2, 'post-data', 'refresh', [3]),
    ],
    tables: [],
  };
  expect(ids(stepsByPhase(catalog)['post-data'])).toEqual([3]);
  const order = (data: boolean) =>
    planContents(catalog, { schema: true, data }).flatMap((action) => ('steps' in action ? [ids(action.steps)] : []));
  expect(order(false)).toEqual([[0], [3], [4, 1, 2]]);
  expect(order(true)).toEqual([[0], [], [3], [4], [5, 1, 2]]);
});

test('what an earlier phase needs runs there, and what that needs in turn', () => {
  const catalog: Catalog = {
    objects: [object(0, 'schema'), object(1, 'table')],
    steps: [
      step(0, 0, 'pre-data'),
      step(1, 0, 'post-data', 'privilege'),
      step(2, 0, 'post-data', 'refresh', [1]),
      step(3, 1, 'pre-data', 'definition', [2]),
    ],
    tables: [],
  };
  expect(ids(stepsByPhase(catalog)['pre-data'])).toEqual([0, 1, 2, 3]);
});

test('schema only, data only and both', () => {
  const catalog: Catalog = {
    objects: [object(0, 'table'), object(1, 'table')],
    steps: [step(0, 0, 'pre-data'), step(1, 1, 'pre-data')],
    tables: [table(0), table(1, { withoutData: 'excluded' })],
  };
  const actions = (options: { schema: boolean; data: boolean }) => planContents(catalog, options).map(({ action }) => action);
  expect(actions({ schema: true, data: false })).toEqual(['pre-data', 'post-data', 'privileges']);
  expect(actions({ schema: false, data: true })).toEqual(['rows', 'values', 'analyze']);
  expect(actions({ schema: true, data: true })).toEqual(['pre-data', 'rows', 'values', 'post-data', 'privileges', 'refresh', 'analyze']);
});

test('post-data alone, pre-data with rows, and no ANALYZE', () => {
  const catalog: Catalog = {
    objects: [object(0, 'table'), object(1, 'materialized view')],
    steps: [step(0, 0, 'pre-data'), step(1, 0, 'post-data'), step(2, 1, 'post-data', 'refresh')],
    tables: [table(0)],
  };
  const actions = (options: PlanOptions) => planContents(catalog, options).map(({ action }) => action);
  expect(actions({ schema: false, data: false, postData: true })).toEqual(['post-data', 'privileges', 'refresh']);
  expect(actions({ schema: true, data: true, postData: false })).toEqual(['pre-data', 'rows', 'values', 'analyze']);
  expect(actions({ schema: false, data: true, postData: false, analyze: false })).toEqual(['rows', 'values']);
  const rowsOf = () => ({ rows: 1n, rawBytes: 8n << 20n, chunks: [] });
  expect(actions({ schema: true, data: true, postData: false, analyze: false, holdAutovacuum: true, rowsOf })).toEqual([
    'pre-data',
    'hold autovacuum',
    'rows',
    'values',
    'release autovacuum',
  ]);
});

test('large tables first; tables whose rows are not in the archive are left alone', () => {
  const catalog: Catalog = {
    objects: [0, 1, 2].map((id) => object(id, 'table')),
    steps: [],
    tables: [table(0), table(1), table(2, { withoutData: 'excluded' })],
  };
  const sizes = new Map([
    ['o0', 10n],
    ['o1', 20n],
  ]);
  const plan = planContents(catalog, {
    schema: false,
    data: true,
    rowsOf: ({ name }) => ({ rows: 1n, rawBytes: sizes.get(name) ?? 0n, chunks: [] }),
  });
  expect(plan[0]).toMatchObject({ action: 'rows', loads: [{ name: 'o1' }, { name: 'o0' }] });
});

test('autovacuum is kept away from large tables while they are filled and indexed, where that is asked for', () => {
  const catalog: Catalog = { objects: [object(0, 'table'), object(1, 'table')], steps: [], tables: [table(0), table(1)] };
  const rowsOf = ({ name }: CatalogTable) => ({ rows: 1n, rawBytes: name === 'o1' ? 256n << 10n : (256n << 10n) - 1n, chunks: [] });
  const plan = planContents(catalog, { schema: true, data: true, rowsOf, holdAutovacuum: true });
  expect(plan.map(({ action }) => action).slice(0, 6)).toEqual([
    ...['pre-data', 'hold autovacuum', 'rows', 'values', 'post-data', 'release autovacuum'],
  ]);
  expect(plan[1]).toEqual({ action: 'hold autovacuum', tables: [{ schema: 's', name: 'o1' }] });
  const none = [
    planContents(catalog, { schema: true, data: true, rowsOf }),
    planContents(catalog, { schema: false, data: true, rowsOf, holdAutovacuum: true }),
    planContents(catalog, { schema: true, data: true, holdAutovacuum: true }),
  ];
  for (const other of none) expect(other.filter(({ action }) => action.endsWith('autovacuum'))).toEqual([]);
});

test('a partitioned table is analyzed instead of its partitions', () => {
  const catalog: Catalog = {
    objects: [
      object(0, 'table'),
      object(1, 'table', { partitionOf: 0 }),
      object(2, 'table', { partitionOf: 0 }),
      object(3, 'materialized view'),
    ],
    steps: [step(0, 3, 'post-data', 'refresh')],
    tables: [table(1), table(2)],
  };
  expect(planContents(catalog, { schema: true, data: true }).at(-1)).toEqual({
    action: 'analyze',
    tables: [
      { schema: 's', name: 'o0' },
      { schema: 's', name: 'o3' },
    ],
  });
});

test('drops: foreign keys first, then the opposite order of the definitions, nothing that was not made', () => {
  const catalog: Catalog = {
    objects: [
      object(0, 'table', { drop: 'TABLE "s"."o0"' }),
      object(1, 'table', { drop: 'TABLE "s"."o1"' }),
      object(2, 'foreign key', { parent: 0, name: 'f"k' }),
      object(3, 'schema', { drop: 'SCHEMA "public"' }),
    ],
    steps: [step(0, 1, 'pre-data'), step(1, 0, 'pre-data'), step(2, 2, 'post-data'), step(3, 3, 'pre-data', 'privilege')],
    tables: [],
  };
  const texts = (ifExists: boolean) => planDrops(catalog, { ifExists, present: new Set() }).map(({ text }) => text);
  expect(texts(false)).toEqual(['ALTER TABLE "s"."o0" DROP CONSTRAINT "f""k"', 'DROP TABLE "s"."o0"', 'DROP TABLE "s"."o1"']);
  expect(texts(true)).toEqual([
    'ALTER TABLE IF EXISTS "s"."o0" DROP CONSTRAINT IF EXISTS "f""k"',
    'DROP TABLE IF EXISTS "s"."o0"',
    'DROP TABLE IF EXISTS "s"."o1"',
  ]);
  expect(planDrops(catalog, { ifExists: false, present: new Set([0]) }).map(({ object }) => object.id)).toEqual([2, 1]);
});

test.each([
  ['TABLE "s"."t"', 'DROP TABLE IF EXISTS "s"."t"'],
  ['FUNCTION "s"."f"("i" integer)', 'DROP FUNCTION IF EXISTS "s"."f"("i" integer)'],
  ['MATERIALIZED VIEW "s"."v"', 'DROP MATERIALIZED VIEW IF EXISTS "s"."v"'],
  ['CAST (integer AS "s"."t")', 'DROP CAST IF EXISTS (integer AS "s"."t")'],
])('IF EXISTS in DROP %s', (drop, expected) => {
  expect(dropSql(drop, 'IF EXISTS ')).toBe(expected);
  expect(dropSql(drop, '')).toBe(`DROP ${drop}`);
});

test('all tables are truncated by one statement', () => {
  const catalog: Catalog = { objects: [object(0, 'table'), object(1, 'table')], steps: [], tables: [table(0), table(1)] };
  expect(planTruncate(catalog).map(({ text }) => text)).toEqual(['TRUNCATE TABLE ONLY "s"."o0", ONLY "s"."o1"']);
  expect(planTruncate({ ...catalog, tables: [] })).toEqual([]);
});

test('COPY names the columns, quoted; a table without columns has no list', () => {
  const columns = [
    { name: 'a', type: 'integer' },
    { name: 'b"c', type: 'text' },
  ];
  expect(copySql({ schema: 's', name: 't', columns, format: 'binary' })).toBe('COPY "s"."t" ("a", "b""c") FROM STDIN (FORMAT binary)');
  expect(copySql({ schema: 's', name: 't', columns: [], format: 'text' })).toBe('COPY "s"."t" FROM STDIN (FORMAT text)');
});
