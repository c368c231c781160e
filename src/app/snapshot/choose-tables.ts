// Which tables a snapshot locks and reads, by the patterns of its options. The same decision is taken for the whole schema once it has
// been introspected; this one comes before the locks, on names alone.
import type { Catalog, CatalogObject } from '../../model/catalog.js';
import { choose, choosesAll, type Patterns } from '../../selection/choose.js';
import type { Pattern } from '../../selection/pattern.js';
import type { ListedRelation } from '../../snapshot/tables.js';

const kinds: Readonly<Record<ListedRelation['relkind'], string>> = {
  r: 'table',
  p: 'table',
  v: 'view',
  m: 'materialized view',
  S: 'sequence',
  f: 'foreign table',
};

/** The tables with rows or partitions among `relations` that the patterns choose, foreign tables of these servers among them.
 *  @throws TidemarkError PATTERN_UNMATCHED for a pattern that matches nothing */
export function chooseTables(
  relations: readonly ListedRelation[],
  schemas: readonly string[],
  { foreignServers = [], ...patterns }: Patterns & { readonly foreignServers?: readonly Pattern[] },
): readonly ListedRelation[] {
  const isRead = ({ relkind, server }: ListedRelation): boolean =>
    relkind === 'r' || relkind === 'p' || (server !== null && foreignServers.some(({ name }) => name.test(server)));
  if (choosesAll({ objects: [] }, patterns)) return relations.filter(isRead);
  const ids = new Map(relations.map(({ oid }, id) => [oid, id]));
  const objects: CatalogObject[] = relations.map(({ relkind, schema, name, partitionOf, inherits }, id) => {
    const parent = partitionOf === null ? undefined : ids.get(partitionOf);
    const above = inherits.flatMap((oid) => ids.get(oid) ?? []);
    return { id, kind: kinds[relkind], schema, name, inherits: above, ...(parent === undefined ? {} : { partitionOf: parent }) };
  });
  const extensions = new Map<string, number>();
  for (const [id, { extension, relkind }] of relations.entries()) {
    const object = objects[id];
    if (extension === null || object === undefined) continue;
    const parent = extensions.get(extension.name) ?? objects.length;
    if (parent === objects.length) objects.push({ id: parent, kind: 'extension', name: extension.name });
    extensions.set(extension.name, parent);
    objects[id] = { ...object, kind: relkind === 'S' ? 'extension sequence' : 'extension table', parent };
  }
  for (const name of schemas) objects.push({ id: objects.length, kind: 'schema', name });
  const catalog: Catalog = { objects, steps: [], tables: [] };
  // Only extensions that have tables with rows of the user are listed: others may be what a pattern means.
  const listed = (patterns.extensions ?? []).filter(({ name }) => [...extensions.keys()].some((known) => name.test(known)));
  const standings = choose(catalog, { ...patterns, extensions: listed });
  return relations.filter((relation, id) => isRead(relation) && standings[id] === 'chosen');
}
