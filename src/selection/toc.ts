// The entries of an archive's table of contents, as lines: what is done to which object. The list that a restore prints (--list) and the
// one that it is given (--use-list) have this one form. Pure; in which order they come is restore/list.ts's matter.
import type { Catalog, CatalogObject, CatalogTable, Facet, Step } from '../model/catalog.js';
import { TidemarkError } from '../model/errors.js';
import { printable } from '../model/printable.js';
import { renumber } from './renumber.js';

/** What is done to an object: one of its facets, or its rows are loaded. Several steps of one facet are one entry. */
export interface TocEntry {
  readonly what: Facet | 'rows';
  readonly kind: string;
  /** `schema.name`; of a sub-object behind the name of what it belongs to: `app.events: events_pkey`. */
  readonly name: string;
}

export function entryOfStep({ objects }: Pick<Catalog, 'objects'>, { object, facet }: Step): TocEntry {
  return entry(objects, object, facet);
}

export function entryOfRows({ objects }: Pick<Catalog, 'objects'>, { object }: CatalogTable): TocEntry {
  return entry(objects, object, 'rows');
}

function entry(objects: readonly CatalogObject[], id: number, what: TocEntry['what']): TocEntry {
  const object = objects[id];
  if (object === undefined) throw new TidemarkError('INTERNAL', `list the contents: there is no object ${id}`);
  return { what, kind: object.kind, name: objectName(objects, object) };
}

/** `schema.name`; of a sub-object behind the name of what it belongs to: `app.events: events_pkey`. No other of its kind has the same. */
export function objectName(objects: readonly CatalogObject[], { schema, name, parent }: CatalogObject, hasMore = false): string {
  const above = parent === undefined ? undefined : objects[parent];
  if (above !== undefined) return `${objectName(objects, above, true)}: ${name}`;
  const own = hasMore ? delimited(name, /[":]/) : name;
  return schema === undefined ? own : `${delimited(schema, /[".]/)}.${own}`;
}

/** In double quotes where it has what would end it: no two objects have the same name. */
function delimited(name: string, ends: RegExp): string {
  return ends.test(name) ? `"${name.replaceAll('"', '""')}"` : name;
}

/** `definition\ttable\tapp.events`: backslashes, tabs and all control characters of names are escaped, so that it is one line of three
 *  fields, and stands for one entry. */
export function entryText({ what, kind, name }: TocEntry): string {
  return [what, kind, name.replaceAll('\\', '\\\\')].map(printable).join('\t');
}

/** The catalog with those of its entries that a list still has: lines of `phase\tENTRY`, more fields behind them, `;` before what is left
 *  out. Their order is not looked at.
 *  @param name of the list, for messages
 *  @throws TidemarkError USAGE for a line that is no entry of this archive */
export function keepListed(catalog: Catalog, { text, name }: { readonly text: string; readonly name: string }): Catalog {
  const known = new Set([
    ...catalog.steps.map((step) => entryText(entryOfStep(catalog, step))),
    ...catalog.tables.map((table) => entryText(entryOfRows(catalog, table))),
  ]);
  const listed = new Set<string>();
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(;|$)/.test(line)) continue;
    const found = line.split('\t').slice(1, 4).join('\t');
    if (!known.has(found)) {
      throw new TidemarkError('USAGE', `read the list ${name}, line ${at + 1}: the archive has no such entry: ${printable(line)}`, {
        hint: 'take the lines as --list prints them for this archive, and put ; before those to leave out',
      });
    }
    listed.add(found);
  }
  return keep(catalog, listed);
}

/** Objects stay: rows can be loaded into a table that is there already. */
function keep(catalog: Catalog, listed: ReadonlySet<string>): Catalog {
  const stead: (readonly number[])[] = [];
  const steps: Step[] = [];
  for (const step of catalog.steps) {
    const needs = [...new Set(step.needs.flatMap((need) => stead[need] ?? []))].sort((a, b) => a - b);
    const kept = listed.has(entryText(entryOfStep(catalog, step)));
    stead.push(kept ? [step.id] : needs);
    if (kept) steps.push({ ...step, needs });
  }
  const tables = catalog.tables.map((table): CatalogTable => {
    const kept = table.withoutData !== undefined || listed.has(entryText(entryOfRows(catalog, table)));
    return kept ? table : { ...table, withoutData: 'excluded' };
  });
  return renumber({ ...catalog, tables }, { objects: catalog.objects, steps });
}
