// What holds for every selection from every catalog: the result is a catalog, it holds what was asked for and no table besides, and
// whatever it lacks is named.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Catalog, CatalogObject } from '#dist/model/catalog.js';
import { parsePattern } from '#dist/selection/pattern.js';
import { selectSteps } from '#dist/selection/select.js';
import { catalogOf, type Given, namesOf } from './catalog-of.js';

const kinds = ['table', 'view', 'sequence', 'function', 'enum', 'index'] as const;
const draft = fc.record({
  kind: fc.constantFrom(...kinds),
  needs: fc.array(fc.nat(), { maxLength: 3 }),
  later: fc.array(fc.nat(), { maxLength: 2 }),
  facet: fc.constantFrom('definition' as const, 'owner' as const, 'privilege' as const, 'comment' as const),
  parent: fc.nat(),
  late: fc.option(fc.array(fc.nat(), { maxLength: 2 })),
});

/** A catalog of objects a.o0, a.o1, ...; an index or sequence belongs to an earlier table where there is one. */
const anyCatalog = fc.array(draft, { minLength: 1, maxLength: 14 }).map((drafts): Catalog => {
  const name = (index: number) => `a.o${index}`;
  const given = drafts.map(({ kind, needs, later, facet, parent, late }, index): Given => {
    const owners = drafts.slice(0, index).flatMap((other, id) => (other.kind === 'table' ? [id] : []));
    const owner = kind === 'index' || kind === 'sequence' ? owners[parent % Math.max(owners.length, 1)] : undefined;
    const whole = kind === 'table' && parent % 3 === 0 ? owners[parent % Math.max(owners.length, 1)] : undefined;
    const earlier = index === 0 ? [] : needs.map((need) => name(need % index));
    const belongs = owner === undefined ? [] : [name(owner)];
    return {
      kind,
      name: name(index),
      ...(owner === undefined ? {} : { parent: name(owner) }),
      ...(whole === undefined ? {} : { partitionOf: name(whole) }),
      needs: kind === 'index' ? [...belongs, ...earlier] : earlier,
      ...(late === null ? {} : { late: late.map((id) => name(id % drafts.length)) }),
      more: [[`more ${index}`, facet, later.map((id) => name(id % drafts.length))]],
    };
  });
  return catalogOf(given);
});

const anySelection = fc.record({
  tables: fc.array(fc.constantFrom('o0', 'o1', 'o?', 'o1*', 'o2|o3')),
  excludeTables: fc.array(fc.constantFrom('o0', 'o4', 'o?', 'o9|o8'), { maxLength: 1 }),
  owner: fc.boolean(),
  privileges: fc.boolean(),
});

const relations = new Set(['table', 'view', 'sequence']);

function matched(object: CatalogObject, texts: readonly string[]): boolean {
  return relations.has(object.kind) && texts.some((text) => parsePattern(text).name.test(object.name));
}

test('a selection is a catalog, in order, without strangers, and says what it lacks', () => {
  fc.assert(
    fc.property(anyCatalog, anySelection, (catalog, { tables: wanted, excludeTables, owner, privileges }) => {
      const tables = wanted.filter((text) => catalog.objects.some((object) => matched(object, [text])));
      const selection = {
        tables: tables.map((text) => parsePattern(text)),
        excludeTables: excludeTables.map((text) => parsePattern(text)),
        omissions: new Set([...(owner ? [] : ['owner' as const]), ...(privileges ? [] : ['privileges' as const])]),
      };
      const { catalog: selected, leftOut } = selectSteps(catalog, selection);
      selected.objects.forEach((object, id) => {
        expect(object.id).toBe(id);
      });
      selected.steps.forEach((step, id) => {
        expect(step.id).toBe(id);
        expect(selected.objects[step.object]).toBeDefined();
        for (const need of step.needs) expect(need).toBeLessThan(id);
        expect(owner || step.facet !== 'owner').toBe(true);
        expect(privileges || step.facet !== 'privilege').toBe(true);
      });
      for (const { object } of selected.tables) expect(selected.objects[object]?.kind).toBe('table');

      const byName = new Map(catalog.objects.map((object) => [`a.${object.name}`, object]));
      const ancestors = (object: CatalogObject): CatalogObject[] => {
        const above = catalog.objects[object.partitionOf ?? -1];
        return above === undefined ? [object] : [object, ...ancestors(above)];
      };
      const isIn = new Set(namesOf(selected));
      for (const name of isIn) {
        const object = byName.get(name);
        if (object === undefined || (object.kind !== 'table' && object.kind !== 'view')) continue;
        expect(matched(object, excludeTables)).toBe(false);
        if (tables.length > 0) expect(ancestors(object).some((above) => matched(above, tables))).toBe(true);
      }
      for (const object of catalog.objects) {
        const asked = tables.length === 0 || matched(object, tables);
        const name = `a.${object.name}`;
        if (!asked || object.parent !== undefined || ancestors(object).some((above) => matched(above, excludeTables))) continue;
        expect(isIn.has(name) || leftOut.some((out) => out.name === name)).toBe(true);
      }
      if (tables.length === 0 && excludeTables.length === 0) expect(leftOut).toEqual([]);
      // Selecting again changes nothing, where all came along that was asked for.
      const again = tables.every((text) => selected.objects.some((object) => matched(object, [text])));
      if (again && leftOut.length === 0) expect(selectSteps(selected, selection).catalog).toEqual(selected);
    }),
    { numRuns: 1000 },
  );
});
