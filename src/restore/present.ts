// Objects that were not asked for but come along because chosen ones need them (a schema, a type, a function of a default): into a
// database that has them already they are not made again. Whether they are the same there is not looked at.
import type { Catalog, CatalogObject } from '../model/catalog.js';
import type { Session } from '../pg/session.js';

/** How the server finds an object by the text of its DROP statement, which has exactly the form that these functions read. */
const lookups: readonly (readonly [word: string, lookup: string])[] = [
  ['SCHEMA', 'to_regnamespace'],
  ['TYPE', 'to_regtype'],
  ['DOMAIN', 'to_regtype'],
  ['FUNCTION', 'to_regprocedure'],
  ['PROCEDURE', 'to_regprocedure'],
  ['SEQUENCE', 'to_regclass'],
  ['COLLATION', 'to_regcollation'],
];

/** Of these objects the ones that the target has, by id. */
export async function findPresent(session: Session, catalog: Catalog, candidates: readonly CatalogObject[]): Promise<ReadonlySet<number>> {
  const present = new Set<number>();
  for (const [word, lookup] of lookups) {
    const objects = candidates.filter(({ drop }) => drop?.startsWith(`${word} `));
    if (objects.length === 0) continue;
    const rows = await session.query<{ found: boolean }>(
      `SELECT ${lookup}(name) IS NOT NULL AS found FROM unnest($1::text[]) WITH ORDINALITY AS wanted (name, place) ORDER BY place`,
      [objects.map(({ drop }) => drop?.slice(word.length + 1))],
    );
    for (const [at, { id }] of objects.entries()) if (rows[at]?.found) present.add(id);
  }
  // What belongs to one of them is there with it.
  for (const object of catalog.objects) if (object.parent !== undefined && present.has(object.parent)) present.add(object.id);
  return present;
}
