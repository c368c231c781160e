// Reads the schema for a snapshot and cuts it to what the options ask for. Catalog functions see the catalogs of now, not of our view:
// so the catalogs of the view are compared with those that another session sees after, and a difference means a fresh start.

import { tableDirectory } from '../../frame/member-names.js';
import type { Catalog, CatalogObject, CatalogTable } from '../../model/catalog.js';
import { TidemarkError } from '../../model/errors.js';
import type { LeftOut } from '../../model/manifest.js';
import { readProperties } from '../../pg/database-properties.js';
import type { Session } from '../../pg/session.js';
import { sameDefinitions } from '../../schema/fingerprint.js';
import { type IntrospectedSchema, putTogether, readCatalogs, readServer } from '../../schema/introspect.js';
import { key } from '../../schema/kind.js';
import { configurationKey } from '../../schema/kinds/extension-configuration.js';
import { largeObjectsKey } from '../../schema/kinds/large-object.js';
import { selectContents } from '../../selection/contents.js';
import { refuseUnfitForBinary } from '../../snapshot/binary-fitness.js';
import { chooseFormat } from '../../snapshot/copy-format.js';
import { type LargeObjectRange, largeObjectTable, readLargeObjectSizes, splitLargeObjects } from '../../snapshot/large-objects.js';
import type { DescribedTable } from '../../snapshot/tables.js';
import type { View } from '../../snapshot/view.js';
import { foreignRowsLeftOut } from './foreign-rows.js';
import type { SnapshotPlan } from './options.js';
import { globalsOf } from './read-globals.js';

export interface SnapshotSchema {
  readonly catalog: Catalog;
  readonly leftOut: readonly LeftOut[];
  /** The tables of `catalog.tables` whose rows are to be read, each with what the server says of it. */
  readonly toRead: readonly { readonly table: CatalogTable; readonly described: DescribedTable }[];
  /** What stands for the large objects in `catalog.tables`, and how they are read; absent where there are none, or none are wanted. */
  readonly largeObjects?: { readonly table: CatalogTable; readonly ranges: readonly LargeObjectRange[] };
  /** The same for the planner's statistics: lists of OIDs of tables, and the server's version. */
  readonly statistics?: { readonly table: CatalogTable; readonly ranges: readonly (readonly number[])[]; readonly version: number };
}

interface SchemaReading {
  readonly plan: SnapshotPlan;
  /** What the tables are like, once that is known. */
  readonly view: Promise<View>;
  /** Another session, once it is in no transaction. */
  readonly check: Promise<Session>;
}

/** @param control in the view
 *  @throws TidemarkError CONCURRENT_DDL when the catalogs changed while they were read; UNSUPPORTED_OBJECT,
 *  also for a column that cannot travel in binary where that is asked for; PERMISSION_DENIED for the value of a chosen sequence */
export async function readSchema(control: Session, { plan, view: viewed, check }: SchemaReading): Promise<SnapshotSchema> {
  // The server has them by the time that the schema is put together.
  const [globals, database, whole, view] = await Promise.all([
    globalsOf(control, plan),
    readDatabase(control),
    readWhole(control, { plan, check }),
    viewed,
  ]);
  /** By directory. */
  const described = new Map<string, DescribedTable>();
  const tables: CatalogTable[] = [];
  for (const table of view.tables) {
    const object = whole.ids.get(table.extension === null ? key('pg_class', table.oid) : configurationKey(table.oid));
    if (object === undefined || (table.relkind !== 'r' && table.relkind !== 'f')) continue;
    const read = tableOf(table, plan);
    described.set(read.directory, table);
    const loadInto = table.hashedByOid === null ? undefined : whole.ids.get(key('pg_class', table.hashedByOid));
    tables.push({ object, ...read, ...(loadInto === undefined ? {} : { loadInto }) });
  }
  tables.push(...largeObjectsOf(whole, plan));
  const { catalog, leftOut } = selectContents(
    { objects: whole.objects, steps: whole.steps, tables, ...encodingsOf(control), ...database, ...globals.part },
    plan.contents,
  );
  if (plan.contents.sections.has('data')) refuseUnread(whole, catalog);
  const { objects, ids } = whole;
  const patterns = plan.foreignServers;
  const withRows = plan.contents.sections.has('data');
  const foreign = withRows ? await foreignRowsLeftOut(control, { chosen: catalog, objects, ids, patterns }) : [];
  const allLeftOut = [...whole.leftOut, ...leftOut, ...partOf(whole, catalog), ...foreign];
  if (allLeftOut.length === 0) refuseSilence({ view, catalog, described });
  const told = [...allLeftOut, ...globals.leftOut];
  const schema = planReading({ catalog, leftOut: told }, { view, plan, described });
  if (plan.copyFormat === 'binary') {
    await refuseUnfitForBinary(
      control,
      schema.toRead.map((table) => table.described.oid),
    );
  }
  const pieces = schema.catalog.tables.find(isLargeObjects);
  if (pieces === undefined) return schema;
  return { ...schema, largeObjects: { table: pieces, ranges: splitLargeObjects(await readLargeObjectSizes(control)) } };
}

/** By itself, so that nobody holds what the server said once it is put together: that is most of what a schema of many objects takes. */
async function readWhole(control: Session, { plan, check }: Omit<SchemaReading, 'view'>): Promise<IntrospectedSchema> {
  const server = { ...(await readServer(control)), secrets: plan.secrets };
  // Only here: a second session to read on would wait, where a deparse function locks its table, behind an ALTER that waits for us.
  const read = await readCatalogs(control, { server, skipUnsupported: plan.skipUnsupported });
  // The server answers while we put together what was read.
  const same = sameDefinitions(control, await check, server);
  same.catch(() => undefined);
  const whole = putTogether(read);
  if (await same) return whole;
  throw new TidemarkError('CONCURRENT_DDL', 'read the schema: definitions changed while they were read', {
    hint: 'run the snapshot when no migration is under way',
  });
}

function isLargeObjects({ largeObjects }: CatalogTable): boolean {
  return largeObjects !== undefined;
}

/** What stands for all large objects, where there are any. */
function largeObjectsOf({ objects, ids }: IntrospectedSchema, { copyFormat }: SnapshotPlan): readonly CatalogTable[] {
  const object = ids.get(largeObjectsKey);
  if (object === undefined) return [];
  const groups = objects.flatMap(({ parent, oids }) => (parent === object && oids ? oids : []));
  const count = groups.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  return [largeObjectTable({ object, count, format: copyFormat === 'text' ? 'text' : 'binary' })];
}

/** Encodings that are not UTF-8. Workers read rows in that of the database. */
export function encodingsOf({ encoding, serverEncoding }: Session): Pick<Catalog, 'textEncoding' | 'rowEncoding'> {
  return {
    ...(encoding === 'UTF8' ? {} : { textEncoding: encoding }),
    ...(serverEncoding === 'UTF8' ? {} : { rowEncoding: serverEncoding }),
  };
}

/** What belongs to the database itself. Between here and the server, a pooler may have another name for it. */
async function readDatabase(session: Session): Promise<Pick<Catalog, 'database'>> {
  const { name } = await session.one<{ name: string }>('SELECT current_database() AS name');
  const database = await readProperties(session, name);
  return database === undefined ? {} : { database };
}

/** Every table that was chosen by name is in, or something was said to be left out: losing one without a word is the worst we could do. */
function refuseSilence({ view, catalog, described }: Omit<Cutting, 'plan'> & { readonly catalog: Catalog }): void {
  const present = new Set(catalog.tables.map(({ directory }) => described.get(directory)));
  // Those of extensions come with them: whether one is in is decided later.
  const lost = view.tables.find((table) => table.relkind !== 'p' && table.extension === null && !present.has(table));
  if (lost) throw new TidemarkError('INTERNAL', `read the schema: table ${lost.schema}.${lost.name} was chosen, and is not in it`);
}

/** What could not be read is no matter while nobody wants its object. */
function refuseUnread({ objects, failures }: IntrospectedSchema, chosen: Catalog): void {
  if (failures.size === 0) return;
  const names = new Set(chosen.objects.map(identity));
  for (const [id, failure] of failures) {
    const object = objects[id];
    if (object && names.has(identity(object))) throw failure;
  }
}

/** What stays away of the objects that the catalog makes. */
function partOf({ objects, partial }: IntrospectedSchema, chosen: Catalog): readonly LeftOut[] {
  if (partial.size === 0) return [];
  const made = new Set(chosen.steps.map(({ object }) => object));
  const names = new Set(chosen.objects.filter(({ id }) => made.has(id)).map(identity));
  return [...partial].flatMap(([id, leftOut]) => (names.has(identity(objects[id] as CatalogObject)) ? leftOut : []));
}

function identity({ kind, schema, name }: CatalogObject): string {
  return JSON.stringify([kind, schema, name]);
}

/** What the catalog has of a table, as far as the server's description says it. */
export function tableOf(
  { oid, schema, name, columns, extension }: DescribedTable,
  { copyFormat }: Pick<SnapshotPlan, 'copyFormat'>,
): Omit<CatalogTable, 'object'> {
  return {
    directory: tableDirectory({ oid, schema, name }),
    schema,
    name,
    columns: columns.map(({ name: column, type }) => ({ name: column, type })),
    format: chooseFormat(copyFormat, columns),
    ...(extension === null ? {} : { extensionCondition: extension.condition }),
  };
}

interface Cutting {
  readonly view: View;
  readonly plan: SnapshotPlan;
  readonly described: ReadonlyMap<string, DescribedTable>;
}

/** Says which rows are to be read, and why others are not. */
function planReading(
  { catalog, leftOut }: { catalog: Catalog; leftOut: readonly LeftOut[] },
  { view, plan, described }: Cutting,
): SnapshotSchema {
  const toRead: { table: CatalogTable; described: DescribedTable }[] = [];
  const tables = catalog.tables.map((table): CatalogTable => {
    if (isLargeObjects(table)) return table;
    const source = described.get(table.directory) as DescribedTable;
    const withoutData = !plan.contents.sections.has('data')
      ? 'schema-only'
      : (table.withoutData ?? (source.unlogged && view.inRecovery ? 'unlogged-on-standby' : undefined));
    if (withoutData !== undefined) return { ...table, withoutData };
    toRead.push({ table, described: source });
    return table;
  });
  return { catalog: { ...catalog, tables }, leftOut, toRead };
}
