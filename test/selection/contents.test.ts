// Sections, tables without rows, and rows that are loaded through partitioned tables.
import { describe, expect, test } from 'vitest';
import type { Catalog, Section } from '#dist/model/catalog.js';
import { selectContents } from '#dist/selection/contents.js';
import { parsePattern } from '#dist/selection/pattern.js';
import { contentSections, cutSections, sectionsOf } from '#dist/selection/sections.js';
import { catalogOf } from './catalog-of.js';

const made = catalogOf([
  { kind: 'table', name: 'app.a' },
  { kind: 'materialized view', name: 'app.m', needs: ['app.a'] },
  { kind: 'table', name: 'app.whole' },
  { kind: 'table', name: 'app.half', partitionOf: 'app.whole' },
  { kind: 'table', name: 'app.quarter', partitionOf: 'app.half' },
  { kind: 'index', name: 'app.a_key', parent: 'app.a', needs: ['app.a'], more: [['refresh m', 'refresh', ['app.m']]] },
]);
const sectionFor = (statement = ''): Section =>
  statement.includes('a_key') || statement.startsWith('refresh') ? 'post-data' : statement.includes('whole') ? 'data' : 'pre-data';
const catalog: Catalog = { ...made, steps: made.steps.map((step) => ({ ...step, section: sectionFor(step.statements[0]) })) };

describe('cutSections', () => {
  const cut = (...sections: Section[]) => cutSections(catalog, new Set(sections));
  const statements = (...sections: Section[]) => cut(...sections).steps.flatMap((step) => step.statements);

  test('keeps all of all three', () => {
    expect(cut('pre-data', 'data', 'post-data')).toBe(catalog);
  });

  test('keeps the steps of each, with ids that are indexes again', () => {
    expect(statements('pre-data')).toEqual(['make app.a', 'make app.m', 'make app.half', 'make app.quarter']);
    expect(statements('data')).toEqual(['make app.whole']);
    expect(cut('pre-data').steps.map(({ id, needs }) => [id, needs])).toEqual([
      [0, []],
      [1, [0]],
      [2, []],
      [3, []],
    ]);
  });

  test('a view is not refreshed where its tables are made without rows', () => {
    expect(statements('post-data')).toEqual(['make app.a_key', 'refresh m']);
    expect(statements('pre-data', 'post-data')).not.toContain('refresh m');
    expect(statements('data', 'post-data')).toContain('refresh m');
  });
});

test('a manifest calls both halves of the schema by one word', () => {
  const lists: readonly (readonly [Section[], string[]])[] = [
    [
      ['pre-data', 'data', 'post-data'],
      ['schema', 'data'],
    ],
    [['post-data', 'pre-data'], ['schema']],
    [
      ['post-data', 'data'],
      ['data', 'post-data'],
    ],
    [['pre-data'], ['pre-data']],
  ];
  for (const [sections, words] of lists) {
    const contents = contentSections(new Set(sections));
    expect(contents).toEqual(words);
    expect(sectionsOf(contents)).toEqual(new Set(sections));
  }
});

describe('rows', () => {
  const select = ({ excluded = [], viaRoot = false, tables = [] }: { excluded?: string[]; viaRoot?: boolean; tables?: string[] }) =>
    selectContents(catalog, {
      tables: tables.map((text) => parsePattern(text)),
      excludeTableData: excluded.map((text) => parsePattern(text)),
      sections: new Set(['pre-data', 'data', 'post-data']),
      loadViaPartitionRoot: viaRoot,
    }).catalog;

  test('of excluded tables stay away, with those of their partitions', () => {
    const without = select({ excluded: ['half'] }).tables.map(({ name, withoutData }) => [name, withoutData]);
    expect(without).toEqual([
      ['a', undefined],
      ['whole', undefined],
      ['half', 'excluded'],
      ['quarter', 'excluded'],
    ]);
  });

  test('of partitions go through the topmost table that is in', () => {
    const through = (options: Parameters<typeof select>[0]) => {
      const { objects, tables } = select({ ...options, viaRoot: true });
      return tables.map(({ name, loadInto }) => [name, loadInto === undefined ? undefined : objects[loadInto]?.name]);
    };
    expect(through({})).toEqual([
      ['a', undefined],
      ['whole', undefined],
      ['half', 'whole'],
      ['quarter', 'whole'],
    ]);
    expect(through({ tables: ['quarter'] })).toEqual([['quarter', undefined]]);
  });
});
