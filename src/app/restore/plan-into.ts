// The plan of a restore into a database that is there: a new or empty one, or one that has something already.
import { type Catalog, type CatalogTable, isTable } from '../../model/catalog.js';
import { qualifiedName } from '../../pg/quote.js';
import type { Session } from '../../pg/session.js';
import { checkEncoding, extensionsOf } from '../../restore/check.js';
import { checkColumns } from '../../restore/columns.js';
import { inForeignKeyOrder, maySetAsideTriggers } from '../../restore/foreign-keys.js';
import { largeObjectGroups, refuseTakenOids } from '../../restore/large-objects.js';
import { partitionedByThese } from '../../restore/partitioned.js';
import { loadTarget, type Plan, type PlanOptions, planContents } from '../../restore/plan.js';
import { findPresent } from '../../restore/present.js';
import { inspectTarget } from '../../restore/target.js';
import { decideWay } from '../../restore/way.js';
import { choose } from '../../selection/choose.js';
import type { RestoreSettings } from './options.js';
import { check, contentsOf, fresh, notices, statisticsOn } from './plan-contents.js';
import type { GivenGlobals, RestorePlan } from './plan-types.js';

/** Into a database that is there. */
export async function planInto(settings: RestoreSettings, given: GivenGlobals & { database: string }): Promise<RestorePlan> {
  const { sessions, database } = given;
  const session = await sessions.open(database);
  const planned = await planOn(session, settings, given);
  sessions.putBack(database, session);
  return planned;
}

async function planOn(
  session: Session,
  settings: RestoreSettings,
  { source, catalog, coming, database }: GivenGlobals & { database: string },
): Promise<RestorePlan> {
  const contents = contentsOf(settings, source);
  const way = decideWay({ database, schema: contents.schema, scope: settings.scope }, await inspectTarget(session));
  await check(session, { source, catalog, settings, coming });
  const target = await session.one<{ encoding: string }>(
    'SELECT pg_encoding_to_char(encoding) AS encoding FROM pg_database WHERE datname = current_database()',
  );
  // From a pipe, UTF-8 may fit into what the target has.
  const encoding = source.manifest?.source.encoding ?? catalog.rowEncoding;
  if (encoding !== undefined) notices(settings, checkEncoding(encoding, target.encoding));
  if (way === 'existing') return { plan: await existing(session, { catalog, contents, settings }), database, contents: database };
  const { clean: _nothingToDrop, ...rest } = contents;
  const wipe: Plan = way === 'wipe' ? [{ action: 'wipe', extensions: extensionsOf(catalog) }] : [];
  const [mark, ...filled] = fresh(catalog, rest, session);
  const plan = way === 'wipe' ? [...wipe, ...filled] : [...(mark ? [mark] : []), ...filled];
  return { plan, database, contents: database };
}

interface Into {
  readonly catalog: Catalog;
  readonly contents: PlanOptions;
  readonly settings: RestoreSettings;
}

async function existing(session: Session, { catalog, contents, settings }: Into): Promise<Plan> {
  if (contents.data && !contents.clean && !contents.truncate) await refuseTakenOids(session, largeObjectGroups(catalog));
  const intoTables = contents.data && !contents.schema;
  const loaded = intoTables ? catalog.tables.filter(({ withoutData }) => withoutData === undefined) : [];
  const tables = loaded.filter(isTable);
  const others = loaded.filter((table) => !isTable(table));
  const targetOf = (table: CatalogTable): CatalogTable => loadTarget(catalog, table);
  await checkColumns(session, tables.map(targetOf));
  // Through its partitioned table a row may land in a partition that is not in the archive: its foreign keys are checked as it comes.
  const triggersAside = intoTables && !settings.contents.loadViaPartitionRoot && (await maySetAsideTriggers(session));
  const order = triggersAside ? tables : await inOrder(session, tables, targetOf);
  const into = intoTables ? { triggersAside, order: [...order, ...others] } : undefined;
  const truncateWhole = contents.truncate ? await partitionedByThese(session, tables) : [];
  const present = settings.selected ? await findPresent(session, catalog, notChosen(catalog, settings)) : undefined;
  const options = {
    ...contents,
    ...statisticsOn(session, 'temporary'),
    ...(into === undefined ? {} : { into }),
    truncateWhole,
    ...(present === undefined ? {} : { present }),
  };
  return [{ action: 'begin' }, ...planContents(catalog, options), { action: 'commit' }];
}

/** The tables in the order that the foreign keys of those they are loaded into want. */
async function inOrder(
  session: Session,
  tables: readonly CatalogTable[],
  targetOf: (table: CatalogTable) => CatalogTable,
): Promise<readonly CatalogTable[]> {
  const targets = await inForeignKeyOrder(session, tables.map(targetOf));
  const places = new Map(targets.map(({ schema, name }, place) => [qualifiedName(schema, name), place]));
  const placeOf = (table: CatalogTable): number => {
    const { schema, name } = targetOf(table);
    return places.get(qualifiedName(schema, name)) ?? 0;
  };
  return tables.toSorted((a, b) => placeOf(a) - placeOf(b));
}

/** What the chosen objects only need, and schemas: choosing one means what is in it. */
function notChosen(catalog: Catalog, { contents }: RestoreSettings): Catalog['objects'] {
  const standing = choose(catalog, contents);
  return catalog.objects.filter(({ id, kind }) => kind === 'schema' || standing[id] !== 'chosen');
}
