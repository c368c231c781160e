// Which steps can run when only some objects may be there, and what the chosen ones need. It knows objects and needs; what was
// asked for, and by which pattern, is select.ts's.
import type { Catalog, CatalogObject, Step } from '../model/catalog.js';

/** The sub-objects of each object. */
function childrenOf(catalog: Catalog): readonly (readonly CatalogObject[])[] {
  const children = catalog.objects.map((): CatalogObject[] => []);
  for (const object of catalog.objects) if (object.parent !== undefined) children[object.parent]?.push(object);
  return children;
}

/** What may become of an object. 'chosen': asked for. 'pullable': taken when something that is in needs it. */
export type Standing = 'chosen' | 'pullable' | 'unselected' | 'excluded';

/** Why a step is not in: a step that it cannot do without, or null where its own object is not to be there. */
export type Block = Step | null;

export interface Reach {
  /** Objects that are in, by id. Their steps are in where `blocked` does not have them. */
  readonly objects: ReadonlySet<number>;
  /** Steps that cannot run, whether or not their object is in. */
  readonly blocked: ReadonlyMap<Step, Block>;
}

/** The step that makes each object, by object id; absent where its parent's statement makes it, or the server itself did. */
export function definitions(catalog: Catalog): readonly (Step | undefined)[] {
  const first = new Map<number, Step>();
  for (const step of catalog.steps) if (step.facet === 'definition' && !first.has(step.object)) first.set(step.object, step);
  return catalog.objects.map(({ id }) => first.get(id));
}

/** Takes the chosen objects, then what their steps need, and so on; leaves out every step that needs what cannot be there. */
export function reach(catalog: Catalog, standing: readonly Standing[]): Reach {
  const made = definitions(catalog);
  const blocked = findBlocked(catalog, standing, made);
  const steps = catalog.objects.map((): Step[] => []);
  for (const step of catalog.steps) if (!blocked.has(step)) steps[step.object]?.push(step);
  const children = childrenOf(catalog);
  const objects = new Set<number>();
  const waiting: CatalogObject[] = catalog.objects.filter(({ id }) => standing[id] === 'chosen');
  for (let object = waiting.pop(); object !== undefined; object = waiting.pop()) {
    if (objects.has(object.id)) continue;
    objects.add(object.id);
    // A sequence can be there without the table that it belongs to, nothing else can.
    const parent = object.parent === undefined ? undefined : catalog.objects[object.parent];
    if (parent !== undefined && allowed(standing[parent.id])) waiting.push(parent);
    const definition = made[object.id];
    const canCome = definition === undefined || !blocked.has(definition);
    if (canCome) waiting.push(...(children[object.id] ?? []).filter(({ id }) => allowed(standing[id])));
    for (const step of steps[object.id] ?? []) {
      for (const need of step.needs) {
        const needed = catalog.objects[catalog.steps[need]?.object ?? -1];
        if (needed !== undefined) waiting.push(needed);
      }
    }
  }
  // Nothing says that an expression uses a cast between its types, so every cast comes whose types and function are there.
  const isThere = (need: number): boolean => objects.has(catalog.steps[need]?.object ?? -1);
  for (const { id, kind } of catalog.objects) {
    const definition = made[id];
    const canCome = kind === 'cast' && allowed(standing[id]) && definition !== undefined && !blocked.has(definition);
    if (canCome && definition.needs.every(isThere)) objects.add(id);
  }
  return { objects, blocked };
}

function allowed(standing: Standing | undefined): boolean {
  return standing === 'chosen' || standing === 'pullable';
}

function findBlocked(catalog: Catalog, standing: readonly Standing[], made: readonly (Step | undefined)[]): Map<Step, Block> {
  const dependents = catalog.steps.map((): Step[] => []);
  for (const step of catalog.steps) {
    for (const need of step.needs) dependents[need]?.push(step);
    const definition = made[step.object];
    if (definition !== undefined && definition !== step) dependents[definition.id]?.push(step);
    // Of a definition in two parts neither is of use alone: a view's stub without its query would be another view.
    const early = step.completes === undefined ? undefined : catalog.steps[step.completes];
    if (early !== undefined) dependents[step.id]?.push(early);
  }
  const blocked = new Map<Step, Block>();
  for (const step of catalog.steps) if (!allowed(standing[step.object])) blocked.set(step, null);
  // A Map gives entries that are added while it is walked, too.
  for (const step of blocked.keys()) {
    for (const dependent of dependents[step.id] ?? []) if (!blocked.has(dependent)) blocked.set(dependent, step);
  }
  return blocked;
}
