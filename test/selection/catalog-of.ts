// Small catalogs for tests of the selection, written by name: what an object is, what it needs, and what else is done to it.
import type { Catalog, CatalogObject, Facet, Step } from '#dist/model/catalog.js';

export interface Given {
  readonly kind: string;
  /** `schema.name`, or `name` alone. */
  readonly name: string;
  readonly parent?: string;
  readonly partitionOf?: string;
  readonly inherits?: readonly string[];
  /** Names of the objects whose definition its definition needs. Null: no definition, as its parent's statement makes it. */
  readonly needs?: readonly string[] | null;
  /** Further steps: what they do, and which objects they need besides their own. */
  readonly more?: readonly (readonly [statement: string, facet: Facet, needs?: readonly string[]])[];
  /** The definition's second part, and what it needs. */
  readonly late?: readonly string[];
}

/** Definitions in the order given, then all further steps. */
export function catalogOf(given: readonly Given[]): Catalog {
  const ids = new Map(given.map(({ name }, id) => [name, id]));
  const idOf = (name: string): number => {
    const id = ids.get(name);
    if (id === undefined) throw new Error(`the test names ${name}, which is not in its catalog`);
    return id;
  };
  const objects = given.map(({ kind, name, parent, partitionOf, inherits }, id): CatalogObject => {
    const [first = '', second] = name.split('.');
    return {
      id,
      kind,
      ...(second === undefined ? { name: first } : { schema: first, name: second }),
      ...(parent === undefined ? { drop: `${kind} ${name}` } : { parent: idOf(parent) }),
      ...(partitionOf === undefined ? {} : { partitionOf: idOf(partitionOf) }),
      ...(inherits === undefined ? {} : { inherits: inherits.map(idOf) }),
    };
  });
  const steps: Step[] = [];
  const made = new Map<string, number>();
  const needed = (names: readonly string[]) => names.flatMap((name) => made.get(name) ?? []).sort((a, b) => a - b);
  const add = (step: Omit<Step, 'id' | 'section'>) => steps.push({ id: steps.length, section: 'pre-data', ...step }) - 1;
  given.forEach(({ name, needs = [] }, object) => {
    if (needs === null) return;
    made.set(name, add({ object, facet: 'definition', statements: [`make ${name}`], needs: needed(needs) }));
  });
  given.forEach(({ name, more = [], late }, object) => {
    const own = made.get(name);
    if (late !== undefined && own !== undefined) {
      add({ object, facet: 'definition', statements: [`finish ${name}`], needs: needed([name, ...late]), completes: own });
    }
    for (const [statement, facet, needs = []] of more) add({ object, facet, statements: [statement], needs: needed([name, ...needs]) });
  });
  const tables = objects.flatMap(({ id, kind, schema = '', name }) =>
    kind === 'table' ? [{ object: id, directory: `data/${id}-${schema}.${name}`, schema, name, columns: [], format: 'text' as const }] : [],
  );
  return { objects, steps, tables };
}

/** `schema.name` of every object, in order. */
export function namesOf({ objects }: Catalog): string[] {
  return objects.map(({ schema, name }) => (schema === undefined ? name : `${schema}.${name}`));
}
