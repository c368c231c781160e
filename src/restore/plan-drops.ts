// What a restore takes away first, as statements: objects that it is going to make again (`--clean`), rows that it replaces (`--truncate`).
// Pure. In which order objects can be dropped is drop-order.ts's.
import { type Catalog, type CatalogObject, isTable } from '../model/catalog.js';
import { qualifiedName, quoteIdentifier } from '../pg/quote.js';
import { dropOrder } from './drop-order.js';
import { largeObjectGroups, unlinkSql } from './large-objects.js';

/** A statement that is not a step of the catalog, and the object that it is for (messages name it). */
export interface Statement {
  readonly object: CatalogObject;
  readonly text: string;
}

/** What has a definition in this catalog is dropped, in the opposite order of its making; foreign keys before all else, since they may go
 *  in circles. As in pg_restore nothing is dropped that depends on these objects without being one of them (no CASCADE). */
export function planDrops(
  catalog: Catalog,
  { ifExists, present, data = true }: { readonly ifExists: boolean; readonly present: ReadonlySet<number>; readonly data?: boolean },
): readonly Statement[] {
  const when = ifExists ? 'IF EXISTS ' : '';
  const made = new Set(catalog.steps.filter(({ facet }) => facet === 'definition').map(({ object }) => object));
  const objects = dropOrder(
    catalog,
    catalog.objects.filter(({ id }) => made.has(id) && !present.has(id)),
  );
  const keys = objects.flatMap((object): Statement[] => {
    const table = object.parent === undefined ? undefined : catalog.objects[object.parent];
    if (object.kind !== 'foreign key' || table === undefined || object.drop !== undefined) return [];
    const text = `ALTER TABLE ${when}${qualifiedName(table.schema, table.name)} DROP CONSTRAINT ${when}${quoteIdentifier(object.name)}`;
    return [{ object, text }];
  });
  const rest = objects.flatMap((object): Statement[] => (object.drop === undefined ? [] : [{ object, text: dropSql(object.drop, when) }]));
  const blobs = data ? largeObjectGroups(catalog) : [];
  return [...keys, ...rest, ...blobs.map((object): Statement => ({ object, text: unlinkSql(object.oids, { ifExists }) }))];
}

/** `TABLE "s"."t"` -> `DROP TABLE IF EXISTS "s"."t"`. IF EXISTS goes between the object's type and its name, which begins with the first
 *  quote or, for a cast, parenthesis; for a transform and a user mapping before FOR. */
export function dropSql(drop: string, when: string): string {
  const at = drop.search(/FOR |["(]/);
  return at < 0 || when === '' ? `DROP ${drop}` : `DROP ${drop.slice(0, at)}${when}${drop.slice(at)}`;
}

/** One statement for all tables: TRUNCATE then allows foreign keys among them, and refuses those from outside. Of tables of
 *  extensions only the user's rows go. Large objects are replaced by those of the archive with the same OIDs. */
export function planTruncate(catalog: Catalog, whole: readonly string[] = []): readonly Statement[] {
  const withRows = catalog.tables.filter((table) => table.withoutData === undefined && isTable(table));
  const tables = withRows.filter(({ extensionCondition }) => extensionCondition === undefined);
  const object = catalog.objects[tables[0]?.object ?? -1];
  const configuration = withRows.flatMap(({ object, schema, name, extensionCondition }): Statement[] => {
    const owner = catalog.objects[object];
    if (extensionCondition === undefined || owner === undefined) return [];
    return [{ object: owner, text: `DELETE FROM ONLY ${qualifiedName(schema, name)} ${extensionCondition}`.trimEnd() }];
  });
  const names = [...tables.map(({ schema, name }) => `ONLY ${qualifiedName(schema, name)}`), ...whole];
  const blobs = largeObjectGroups(catalog).map((group) => ({ object: group, text: unlinkSql(group.oids, { ifExists: true }) }));
  return [...(object === undefined ? [] : [{ object, text: `TRUNCATE TABLE ${names.join(', ')}` }]), ...configuration, ...blobs];
}
