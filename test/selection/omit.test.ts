// What the switches --no-... take out of a catalog, and what becomes of steps that needed it.
import { expect, test } from 'vitest';
import type { Catalog } from '#dist/model/catalog.js';
import { type Omission, omit } from '#dist/selection/omit.js';
import { catalogOf, namesOf } from './catalog-of.js';

const catalog = catalogOf([
  {
    kind: 'table',
    name: 'app.a',
    more: [
      ['own a', 'owner'],
      ['comment on a', 'comment'],
      ['grant a', 'privilege'],
    ],
  },
  {
    kind: 'publication',
    name: 'all_of_it',
    more: [
      ['own it', 'owner'],
      ['comment on it', 'comment'],
    ],
  },
  { kind: 'publication table', name: 'all_of_it a', parent: 'all_of_it', needs: ['all_of_it', 'app.a'] },
  { kind: 'publication schema', name: 'all_of_it app', parent: 'all_of_it', needs: ['all_of_it'] },
  { kind: 'subscription', name: 'sub', more: [['own sub', 'owner']] },
  { kind: 'schema', name: 'public', needs: null, more: [['comment on public', 'comment']] },
]);

const statements = ({ steps }: Catalog): string[] => steps.flatMap((step) => step.statements);
const without = (from: Catalog, ...omissions: Omission[]) => omit(from, new Set(omissions));

test('without anything to leave out it is the same', () => {
  expect(without(catalog)).toBe(catalog);
  expect(without(catalog, 'security-labels', 'tablespaces')).toEqual(catalog);
});

test('facets go from all objects, and objects that had nothing else', () => {
  const bare = without(catalog, 'comments');
  expect(statements(bare)).toEqual(statements(catalog).filter((text) => !text.startsWith('comment')));
  expect(namesOf(bare)).not.toContain('public');
  expect(statements(without(catalog, 'owner', 'privileges', 'comments'))).toEqual([
    'make app.a',
    'make all_of_it',
    'make all_of_it a',
    'make all_of_it app',
    'make sub',
  ]);
});

test('security labels are a facet', () => {
  const label = { id: 0, object: 0, section: 'pre-data', facet: 'security-label', statements: ['label'], needs: [] };
  const labelled = { ...catalog, steps: [label, ...catalog.steps.map((step) => ({ ...step, id: step.id + 1, needs: [0] }))] } as Catalog;
  expect(statements(labelled)).toContain('label');
  expect(statements(without(labelled, 'security-labels'))).toEqual(statements(catalog));
});

test('publications and subscriptions go with all that is done to them', () => {
  expect(namesOf(without(catalog, 'publications'))).toEqual(['app.a', 'sub', 'public']);
  expect(namesOf(without(catalog, 'subscriptions'))).not.toContain('sub');
  expect(statements(without(catalog, 'publications', 'subscriptions')).join()).toBe(
    'make app.a,own a,comment on a,grant a,comment on public',
  );
});

test('settings go from around a statement, and nothing that only looks like them', () => {
  const placed: Catalog = {
    ...catalog,
    steps: [
      {
        id: 0,
        object: 0,
        section: 'pre-data',
        facet: 'definition',
        needs: [],
        statements: [
          "SET default_table_access_method = 'other'",
          "SET default_tablespace = 'fast'",
          `CREATE TABLE "app"."a" ("SET default_tablespace = " text)`,
          "SET default_tablespace = ''",
          'SET default_table_access_method = heap',
          `ALTER TABLE ONLY "app"."a""b" SET ACCESS METHOD "other"`,
          `ALTER TABLE ONLY "app"."a" ALTER COLUMN "x" SET DEFAULT '"."" SET ACCESS METHOD '`,
        ],
      },
    ],
  };
  expect(statements(without(placed, 'tablespaces'))).toHaveLength(5);
  expect(statements(without(placed, 'tablespaces', 'table-access-method'))).toEqual([
    `CREATE TABLE "app"."a" ("SET default_tablespace = " text)`,
    `ALTER TABLE ONLY "app"."a" ALTER COLUMN "x" SET DEFAULT '"."" SET ACCESS METHOD '`,
  ]);
});

test('what belongs to the database itself goes as well', () => {
  const database = {
    ...{ owner: 'anna', comment: 'ours', datconnlimit: 7, datistemplate: false, tablespace: 'fast' },
    labels: [{ provider: 'p', label: 'l' }],
    privileges: [{ grantee: null, privilege: 'CONNECT', grantable: false }],
    settings: [{ role: null, config: ['search_path=app'] }],
  };
  const whole = { ...catalog, database };
  expect(without(whole, 'publications').database).toEqual(database);
  expect(without(whole, 'owner', 'comments').database).toEqual({ ...database, owner: null, comment: null });
  expect(without(whole, 'security-labels').database).toEqual({ ...database, labels: [] });
  expect(without(whole, 'privileges', 'tablespaces').database).toEqual({ ...database, privileges: null, tablespace: null });
});
