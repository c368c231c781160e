// The order in which objects can be dropped: pure. It is the opposite of the order of their making, but for what was made in two parts:
// a view's stub is made before the things that its query needs. What is dropped, and by which statements, is plan-drops.ts's.
import type { Catalog, CatalogObject } from '../model/catalog.js';

/** Sorts objects so that each comes before what it needs. Of objects that need each other none can be dropped alone; they come in the
 *  opposite order of their making.
 *  @param objects with a definition in the catalog */
export function dropOrder(catalog: Catalog, objects: readonly CatalogObject[]): readonly CatalogObject[] {
  const made = new Map<number, number>();
  for (const { facet, object, id } of catalog.steps) if (facet === 'definition' && !made.has(object)) made.set(object, id);
  const place = (id: number): number => made.get(id) ?? 0;
  const users = new Map<number, Set<number>>();
  const needs = new Map<number, Set<number>>();
  const add = (user: number, need: number): void => {
    needs.set(user, (needs.get(user) ?? new Set()).add(need));
    users.set(need, (users.get(need) ?? new Set()).add(user));
  };
  const edges = catalog.steps
    .filter(({ facet }) => facet === 'definition')
    .flatMap((step) => step.needs.map((need) => [step.object, catalog.steps[need]?.object ?? step.object] as const));
  for (const [user, need] of edges) if (place(need) < place(user)) add(user, need);
  // What was made earlier than what it needs.
  for (const [user, need] of edges) if (place(need) > place(user) && !reaches(needs, { from: need, to: user })) add(user, need);

  const wanted = new Map(objects.map((object) => [object.id, object]));
  const seen = new Set<number>();
  const sorted: CatalogObject[] = [];
  const visit = (id: number): void => {
    if (seen.has(id)) return;
    seen.add(id);
    const before = [...(users.get(id) ?? [])].sort((a, b) => place(b) - place(a));
    before.forEach(visit);
    const object = wanted.get(id);
    if (object) sorted.push(object);
  };
  for (const { id } of [...objects].sort((a, b) => place(b.id) - place(a.id))) visit(id);
  return sorted;
}

function reaches(needs: ReadonlyMap<number, ReadonlySet<number>>, { from, to }: { readonly from: number; readonly to: number }): boolean {
  const open = [from];
  const seen = new Set(open);
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (at === to) return true;
    for (const need of needs.get(at) ?? []) {
      if (seen.has(need)) continue;
      seen.add(need);
      open.push(need);
    }
  }
  return false;
}
