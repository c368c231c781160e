// The sections of pg_dump (--section, --schema-only, --data-only) of a catalog: which steps are in, and whether rows are. Pure.
import type { Catalog, Section, Step } from '../model/catalog.js';

export const allSections: readonly Section[] = ['pre-data', 'data', 'post-data'];

/** Leaves out the steps of other sections, and what was needed of them: it is there already, or comes later. A view is only refreshed
 *  where there are rows: not where its tables are made without them. Objects stay, also those that nothing is done to. */
export function cutSections(catalog: Catalog, sections: ReadonlySet<Section>): Catalog {
  if (allSections.every((section) => sections.has(section))) return catalog;
  const refreshes = sections.has('data') || !sections.has('pre-data');
  const steps = catalog.steps.filter(({ section, facet }) => sections.has(section) && (facet !== 'refresh' || refreshes));
  const { database, ...rest } = catalog;
  const made = sections.has('pre-data') && database !== undefined;
  return { ...rest, steps: steps.length === catalog.steps.length ? steps : renumberSteps(steps), ...(made ? { database } : {}) };
}

/** Ids and needs of a catalog's steps after some were left out. */
export function renumberSteps(steps: readonly Step[]): Step[] {
  const ids = new Map(steps.map(({ id }, index) => [id, index]));
  const known = (id: number): number[] => {
    const found = ids.get(id);
    return found === undefined ? [] : [found];
  };
  return steps.map((step, id) => {
    const { id: _its, needs, completes, ...rest } = step;
    const completed = completes === undefined ? [] : known(completes);
    return { id, needs: needs.flatMap(known), ...(completed[0] === undefined ? {} : { completes: completed[0] }), ...rest };
  });
}

/** As a manifest has it, which calls both halves of the schema together by one word. */
export type ContentSection = 'schema' | Section;

export function contentSections(sections: ReadonlySet<Section>): readonly ContentSection[] {
  const schema = sections.has('pre-data') && sections.has('post-data');
  return [
    ...(schema ? ['schema' as const] : []),
    ...allSections.filter((section) => sections.has(section) && (section === 'data' || !schema)),
  ];
}

/** The sections that such a list stands for. */
export function sectionsOf(contents: readonly ContentSection[]): ReadonlySet<Section> {
  return new Set(contents.flatMap((content): readonly Section[] => (content === 'schema' ? ['pre-data', 'post-data'] : [content])));
}
