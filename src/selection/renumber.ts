// A catalog of some of another one's objects and steps, with ids that are indexes again.
import type { Catalog, CatalogObject, Step } from '../model/catalog.js';

interface Kept {
  /** In the order of their ids, as are the steps. Every kept step's object and needs are kept. */
  readonly objects: readonly CatalogObject[];
  readonly steps: readonly Step[];
}

/** References from an object to one that is not kept are dropped. */
export function renumber(catalog: Catalog, { objects, steps }: Kept): Catalog {
  const objectIds = new Map(objects.map((object, index) => [object.id, index]));
  const stepIds = new Map(steps.map((step, index) => [step.id, index]));
  return {
    ...catalog,
    objects: objects.map(({ id: _its, parent, partitionOf, inherits, ...object }, id) => ({
      id,
      ...optionalList('inherits', objectIds, inherits),
      ...optional('parent', objectIds, parent),
      ...optional('partitionOf', objectIds, partitionOf),
      ...(object.drop === undefined && parent !== undefined && !objectIds.has(parent) ? dropAlone(object) : {}),
      ...object,
    })),
    steps: steps.map(({ id: _its, object, needs, completes, ...step }, id) => ({
      id,
      object: present(objectIds, object),
      needs: needs.map((need) => present(stepIds, need)),
      ...optional('completes', stepIds, completes),
      ...step,
    })),
    tables: catalog.tables.flatMap(({ object: its, loadInto, ...table }) => {
      const object = objectIds.get(its);
      return object === undefined ? [] : [{ object, ...optional('loadInto', objectIds, loadInto), ...table }];
    }),
  };
}

function present(ids: ReadonlyMap<number, number>, id: number): number {
  const found = ids.get(id);
  if (found === undefined) throw new Error(`renumber a catalog: ${id} is needed and not kept`);
  return found;
}

function optional<Name extends string>(name: Name, ids: ReadonlyMap<number, number>, id: number | undefined): { [K in Name]?: number } {
  const found = id === undefined ? undefined : ids.get(id);
  return (found === undefined ? {} : { [name]: found }) as { [K in Name]?: number };
}

/** Those of a list that are kept; nothing where none is. */
function optionalList<Name extends string>(
  name: Name,
  ids: ReadonlyMap<number, number>,
  list: readonly number[] = [],
): { [K in Name]?: readonly number[] } {
  const found: readonly number[] = list.flatMap((id) => ids.get(id) ?? []);
  return (found.length === 0 ? {} : { [name]: found }) as { [K in Name]?: typeof found };
}

/** A sequence that is there without the table it belonged to is dropped by itself; nothing else outlives its parent. */
function dropAlone({ kind, schema, name }: Pick<CatalogObject, 'kind' | 'schema' | 'name'>): { drop?: string } {
  if (kind !== 'sequence' || schema === undefined) return {};
  return { drop: `SEQUENCE ${[schema, name].map((part) => `"${part.replaceAll('"', '""')}"`).join('.')}` };
}
