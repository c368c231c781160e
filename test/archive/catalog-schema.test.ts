import { describe, expect, test } from 'vitest';
import { parseCatalog, serializeCatalog } from '#dist/archive/catalog-schema.js';
import type { Catalog, CatalogObject, Step } from '../../src/model/catalog.js';
import { catalog } from './sample.js';

const object = (id: number, more: Partial<CatalogObject> = {}): CatalogObject => ({ id, kind: 'table', name: `t${id}`, ...more });
const step = (id: number, more: Partial<Step> = {}): Step => ({
  id,
  object: 0,
  section: 'pre-data',
  facet: 'definition',
  statements: [],
  needs: [],
  ...more,
});
const table = { object: 0, directory: 'data/1-a', schema: 's', name: 't', columns: [], format: 'text' as const };

test('comes back as it was', () => {
  expect(parseCatalog(serializeCatalog(catalog))).toEqual(catalog);
  const empty = { objects: [], steps: [], tables: [] };
  expect(parseCatalog(serializeCatalog(empty))).toEqual(empty);
});

test('parents may come later, as long as they lead to an end', () => {
  const objects = [object(0, { parent: 2 }), object(1, { parent: 0, partitionOf: 2 }), object(2, { partitionOf: 3 }), object(3)];
  expect(parseCatalog(JSON.stringify({ objects, steps: [], tables: [] })).objects).toEqual(objects);
});

describe('ids that lead nowhere are refused', () => {
  test.each([
    ['an object that is not at its id', { objects: [object(1)] }],
    ['a parent that is not there', { objects: [object(0, { parent: 1 })] }],
    ['an object that is its own parent', { objects: [object(0, { parent: 0 })] }],
    ['parents in a circle', { objects: [object(0, { parent: 1 }), object(1, { parent: 2 }), object(2, { parent: 1 })] }],
    ['partitions in a circle', { objects: [object(0, { partitionOf: 1 }), object(1, { partitionOf: 0 })] }],
    ['a step that is not at its id', { objects: [object(0)], steps: [step(1)] }],
    ['a step of no object', { objects: [object(0)], steps: [step(0, { object: 1 })] }],
    ['a step that needs itself', { objects: [object(0)], steps: [step(0, { needs: [0] })] }],
    ['a step that needs a later one', { objects: [object(0)], steps: [step(0, { needs: [1] }), step(1)] }],
    ['a step that completes a later one', { objects: [object(0)], steps: [step(0, { completes: 1 }), step(1)] }],
    ['a table of no object', { objects: [], tables: [table] }],
    ['a table twice', { objects: [object(0)], tables: [table, { ...table, directory: 'data/2-a' }] }],
    ['a directory twice', { objects: [object(0), object(1)], tables: [table, { ...table, object: 1 }] }],
  ])('%s', (_, parts: Partial<Catalog>) => {
    const whole: Catalog = { objects: [], steps: [], tables: [], ...parts };
    expect(() => parseCatalog(JSON.stringify(whole))).toThrow(expect.objectContaining({ code: 'ARCHIVE_CORRUPT' }));
    expect(() => serializeCatalog(whole)).toThrow(expect.objectContaining({ code: 'ARCHIVE_CORRUPT' }));
  });
});

test.each([
  ['an unknown key', { ...catalog, more: [] }],
  ['an unknown key of a step', { ...catalog, steps: [{ ...step(0), sql: '' }] }],
  ['an unknown facet', { ...catalog, steps: [{ ...step(0), facet: 'magic' }] }],
  ['a missing list', { objects: [], steps: [] }],
  ['a negative id', { objects: [], steps: [{ ...step(0), object: -1 }], tables: [] }],
])('%s is refused', (_, value) => {
  expect(() => parseCatalog(JSON.stringify(value))).toThrow(expect.objectContaining({ code: 'ARCHIVE_CORRUPT' }));
});

test('a long chain of parents is walked once', () => {
  const objects = Array.from({ length: 100_000 }, (_, id) => (id === 0 ? object(0) : object(id, { parent: id - 1 })));
  expect(parseCatalog(JSON.stringify({ objects, steps: [], tables: [] })).objects).toHaveLength(100_000);
});
