import { expect, test } from 'vitest';
import type { Catalog } from '#dist/model/catalog.js';
import { dropOrder } from '#dist/restore/drop-order.js';

/** Objects by name, then steps: of which object, what they need, which they complete. */
function catalogOf(
  names: readonly string[],
  steps: readonly (readonly [object: string, needs?: readonly number[], completes?: number])[],
): Catalog {
  return {
    objects: names.map((name, id) => ({ id, kind: 'view', name, drop: `VIEW "${name}"` })),
    steps: steps.map(([object, needs = [], completes], id) => ({
      id,
      object: names.indexOf(object),
      section: 'pre-data',
      facet: 'definition',
      statements: [],
      needs,
      ...(completes === undefined ? {} : { completes }),
    })),
    tables: [],
  };
}

const order = (catalog: Catalog) => dropOrder(catalog, catalog.objects).map(({ name }) => name);

test('is the opposite of the order of making', () => {
  expect(order(catalogOf(['a', 'b', 'c'], [['a'], ['b'], ['c', [0]]]))).toEqual(['c', 'b', 'a']);
});

test('what was made in two parts goes before what its second part needs', () => {
  const catalog = catalogOf(['a', 'b', 'c', 'd'], [['a'], ['b', [0]], ['c'], ['a', [0, 2], 0], ['d', [3]]]);
  expect(order(catalog)).toEqual(['d', 'b', 'a', 'c']);
});

test('what needs each other keeps the opposite of the order of making', () => {
  expect(order(catalogOf(['a', 'b'], [['a'], ['b', [0]], ['a', [0, 1], 0]]))).toEqual(['b', 'a']);
});

test('only what is asked for is given', () => {
  const catalog = catalogOf(['a', 'b', 'c'], [['a'], ['b'], ['c', [0]], ['a', [0, 1], 0]]);
  expect(dropOrder(catalog, catalog.objects.slice(0, 2)).map(({ name }) => name)).toEqual(['a', 'b']);
});
