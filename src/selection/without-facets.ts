// Takes steps out of a catalog that other steps may need only for the order (--no-owner, --no-privileges), and closes the gaps.
import type { Catalog, Facet, Step } from '../model/catalog.js';
import { renumber } from './renumber.js';

/** The catalog without the steps of those facets: whatever needed one of them needs what that one needed. Objects that had nothing
 *  but such steps go, too. */
export function withoutFacets(catalog: Catalog, facets: ReadonlySet<Facet>): Catalog {
  if (!catalog.steps.some((step) => facets.has(step.facet))) return catalog;
  // A need has a smaller id than its step, so what replaces it is known already.
  const stead: (readonly number[])[] = [];
  const kept: Step[] = [];
  for (const step of catalog.steps) {
    const needs = [...new Set(step.needs.flatMap((need) => stead[need] ?? []))].sort((a, b) => a - b);
    stead.push(facets.has(step.facet) ? needs : [step.id]);
    if (!facets.has(step.facet)) kept.push({ ...step, needs });
  }
  const had = new Set(catalog.steps.map((step) => step.object));
  const have = new Set(kept.map((step) => step.object));
  const objects = catalog.objects.filter(({ id }) => have.has(id) || !had.has(id));
  return renumber(catalog, { objects, steps: kept });
}
