// From what was asked for and what the target is like to the plan of a restore. Only looks: everything that can be known to go wrong
// is found here, before the first change, and a dry run ends here.
import { type Catalog, type CatalogTable, type DatabaseProperties, isTable, type Section } from '../model/catalog.js';
import { TidemarkError } from '../model/errors.js';
import type { SourceInfo } from '../model/manifest.js';
import { propertyStatements, readProperties, rolesOf } from '../pg/database-properties.js';
import { qualifiedName } from '../pg/quote.js';
import type { Session } from '../pg/session.js';
import { checkEncoding, checkPrerequisites, checkPresent, extensionsOf, versionNotices } from '../restore/check.js';
import { checkColumns } from '../restore/columns.js';
import { type DatabaseLocale, databaseExists, openMaintenance, readLocale } from '../restore/database.js';
import { inForeignKeyOrder, maySetAsideTriggers } from '../restore/foreign-keys.js';
import { comingWith, type GlobalsReport } from '../restore/globals.js';
import { largeObjectGroups, refuseTakenOids } from '../restore/large-objects.js';
import { partitionedByThese } from '../restore/partitioned.js';
import { loadTarget, type Plan, type PlanOptions, planContents } from '../restore/plan.js';
import { findPresent } from '../restore/present.js';
import type { Sessions } from '../restore/sessions.js';
import { firstWithStatistics, type StatisticsPlace } from '../restore/statistics.js';
import { checkUnused, findLeftovers, lockSwap, type SwapNames, swapNames } from '../restore/swap.js';
import { inspectTarget, type TargetState } from '../restore/target.js';
import { decideWay } from '../restore/way.js';
import { choose } from '../selection/choose.js';
import { sectionsOf } from '../selection/sections.js';
import { planGlobalsOn } from './restore-globals.js';
import type { RestoreSettings } from './restore-options.js';
import type { RestoreSource } from './restore-source.js';

export interface RestorePlan {
  readonly plan: Plan;
  /** The database that has the contents in the end. */
  readonly database: string;
  /** The one that they are put into: another one where it is to be swapped. */
  readonly contents: string;
  readonly maintenance?: Session;
  readonly locale?: DatabaseLocale;
  readonly tablespace?: string;
  readonly names?: SwapNames;
  readonly globals?: GlobalsReport;
}

export interface Given {
  readonly source: RestoreSource;
  readonly catalog: Catalog;
  readonly sessions: Sessions;
}

/** And what the restore makes on the server before everything else. */
interface GivenGlobals extends Given {
  readonly coming: { readonly roles: ReadonlySet<string>; readonly tablespaces: ReadonlySet<string> };
}

/** @throws TidemarkError TARGET_NOT_EMPTY, TARGET_MISMATCH, TARGET_IN_USE, CONNECTION_*, ... */
export async function planRestore(settings: RestoreSettings, given: Given): Promise<RestorePlan> {
  if (!settings.globals) return planWay(settings, { ...given, coming: { roles: new Set(), tablespaces: new Set() } });
  const { sessions, catalog } = given;
  const { connection, create, swap } = settings;
  const { database } = connection;
  const session = create || swap ? sessions.adopt(await openMaintenance(connection, database, sessions)) : await sessions.open(database);
  const globals = await planGlobalsOn(session, catalog.globals);
  await sessions.close(session);
  const { left } = globals.report;
  notices(
    settings,
    left.map(({ name, reason }) => `globals: ${name} is left as it is: ${reason}`),
  );
  const planned = await planWay(settings, { ...given, coming: comingWith(globals) });
  return { ...planned, plan: [globals, ...planned.plan], globals: globals.report };
}

async function planWay(settings: RestoreSettings, given: GivenGlobals): Promise<RestorePlan> {
  if (settings.swap) return planSwap(settings, given);
  if (settings.create) return planCreate(settings, given);
  return planInto(settings, { ...given, database: settings.connection.database });
}

/** Into `<database>__restoring`, then in place of `<database>`. */
async function planSwap(settings: RestoreSettings, { source, catalog, sessions, coming }: GivenGlobals): Promise<RestorePlan> {
  const { database } = settings.connection;
  const names = swapNames(database);
  const maintenance = sessions.adopt(await openMaintenance(settings.connection, database, sessions));
  await lockSwap(maintenance, names);
  const leftovers = await findLeftovers(maintenance, names, settings.connection);
  const old = await readProperties(maintenance, database);
  await checkUnused(maintenance, names, settings);
  await check(maintenance, { source, catalog, settings, coming });
  const locale =
    (settings.untrusted ? undefined : source.manifest?.source) ??
    (await readLocale(maintenance, database)) ??
    (await readLocale(maintenance, 'template1'));
  const plan: Plan = [
    ...leftovers.map((name) => ({ action: 'drop database' as const, database: name, force: true })),
    { action: 'create database', database: names.staging, staging: true },
    ...fresh(catalog, contentsOf(settings, source), maintenance),
    { action: 'swap', from: names.staging, to: database },
  ];
  return {
    plan,
    database,
    contents: names.staging,
    maintenance,
    ...(locale === undefined ? {} : { locale }),
    ...(old?.tablespace == null || settings.contents.omissions?.has('tablespaces') ? {} : { tablespace: old.tablespace }),
    names,
  };
}

/** Into the database that the archive names, made anew. One that an interrupted restore left is dropped. */
async function planCreate(settings: RestoreSettings, given: GivenGlobals): Promise<RestorePlan> {
  const { source, catalog, sessions, coming } = given;
  const info = source.manifest?.source;
  if (info === undefined) throw new TidemarkError('INTERNAL', 'restore: --create without a manifest');
  const { database } = info;
  const maintenance = sessions.adopt(await openMaintenance(settings.connection, database, sessions));
  const exists = await databaseExists(maintenance, database);
  const state = exists && settings.clean === undefined ? await inspect(sessions, database) : undefined;
  const { database: properties } = catalog;
  const finish: Plan =
    properties === undefined ? [] : [{ action: 'database properties', statements: propertyStatements(database, properties) }];
  if (state !== undefined && !state.marked && state.objects.length === 0) {
    await checkRoles(maintenance, properties, coming.roles);
    const into = await planInto(settings, { ...given, database });
    return { ...into, plan: beforeUnmark(into.plan, finish), maintenance };
  }
  if (state !== undefined && !state.marked) {
    throw new TidemarkError(
      'TARGET_NOT_EMPTY',
      `create database ${database}: it exists and is not empty (${state.objects.join(', ')}, ...)`,
      {
        hint: 'drop it first with --clean, or restore in place of it with --swap',
      },
    );
  }
  if (!exists && settings.clean !== undefined && !settings.clean.ifExists) {
    throw new TidemarkError('DATABASE_MISSING', `drop database ${database}: there is no such database`, { hint: 'add --if-exists' });
  }
  await check(maintenance, { source, catalog, settings, coming });
  await checkRoles(maintenance, properties, coming.roles);
  const tablespace = await tablespaceOf(maintenance, { properties, settings, coming: coming.tablespaces });
  const plan: Plan = [
    ...(exists ? [{ action: 'drop database' as const, database, force: false }] : []),
    { action: 'create database', database, staging: false },
    ...beforeUnmark(fresh(catalog, contentsOf({ ...settings, clean: undefined }, source), maintenance), finish),
  ];
  return { plan, database, contents: database, maintenance, locale: info, ...(tablespace === undefined ? {} : { tablespace }) };
}

async function checkRoles(session: Session, properties: DatabaseProperties | undefined, coming: ReadonlySet<string>): Promise<void> {
  if (properties === undefined) return;
  await checkPresent(session, { roles: rolesOf(properties).filter((role) => !coming.has(role)), extensions: [] });
}

/** The source's, where the target has it. */
async function tablespaceOf(
  session: Session,
  { properties, settings, coming }: { properties: DatabaseProperties | undefined; settings: RestoreSettings; coming: ReadonlySet<string> },
): Promise<string | undefined> {
  const tablespace = properties?.tablespace;
  if (tablespace == null) return undefined;
  if (coming.has(tablespace)) return tablespace;
  if ((await session.query('SELECT 1 FROM pg_tablespace WHERE spcname = $1', [tablespace])).length > 0) return tablespace;
  notices(settings, [`the target server has no tablespace ${tablespace}: the database is made in its default one`]);
  return undefined;
}

/** Settings of a database bite every new session: they come last. */
function beforeUnmark(plan: Plan, actions: Plan): Plan {
  const at = plan.findLastIndex(({ action }) => action === 'unmark' || action === 'commit');
  return [...plan.slice(0, at), ...actions, ...plan.slice(at)];
}

async function inspect(sessions: Sessions, database: string): Promise<TargetState> {
  const session = await sessions.open(database);
  const state = await inspectTarget(session);
  await sessions.close(session);
  return state;
}

/** Into a database that is there. */
async function planInto(
  settings: RestoreSettings,
  { source, catalog, sessions, coming, database }: GivenGlobals & { database: string },
): Promise<RestorePlan> {
  const session = await sessions.open(database);
  try {
    const contents = contentsOf(settings, source);
    const { clean, selected } = settings;
    const way = decideWay({ database, schema: contents.schema, clean: clean !== undefined, selected }, await inspectTarget(session));
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
  } finally {
    await sessions.close(session);
  }
}

/** What of schema and rows is wanted and there. */
function contentsOf(settings: RestoreSettings, source: RestoreSource): PlanOptions {
  const { manifest } = source;
  const { sections } = settings.contents;
  const there = manifest === undefined ? sections : sectionsOf(manifest.settings.sections);
  const has = (section: Section): boolean => sections.has(section) && there.has(section);
  const tables = new Map(manifest?.tables.map((table) => [table.directory, table]));
  return {
    schema: has('pre-data'),
    postData: has('post-data'),
    data: has('data'),
    analyze: settings.analyze,
    ...(settings.clean === undefined ? {} : { clean: settings.clean }),
    truncate: settings.truncate,
    ...(manifest === undefined ? {} : { rowsOf: ({ directory }) => tables.get(directory) }),
  };
}

function fresh(catalog: Catalog, contents: PlanOptions, target: Session): Plan {
  const options = { ...contents, holdAutovacuum: true, ...statisticsOn(target, 'marked') };
  return [{ action: 'mark' }, ...planContents(catalog, options), { action: 'unmark' }];
}

function statisticsOn({ version }: Session, statistics: StatisticsPlace): Pick<PlanOptions, 'statistics'> {
  return version >= firstWithStatistics ? { statistics } : {};
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

async function check(
  session: Session,
  { source, catalog, settings, coming }: Omit<GivenGlobals, 'sessions'> & { settings: RestoreSettings },
): Promise<void> {
  await checkPrerequisites(session, catalog, coming.roles);
  if (session.version < firstWithStatistics && catalog.tables.some(({ statistics }) => statistics === true)) {
    const then = settings.analyze ? 'ANALYZE gathers them' : 'the planner has none';
    notices(settings, [
      `the target server is older than ${firstWithStatistics / 10_000}, and cannot take the archive's statistics: ${then}`,
    ]);
  }
  const info: SourceInfo | undefined = source.manifest?.source;
  if (info !== undefined) notices(settings, versionNotices(info, session.version));
}

function notices({ emit }: RestoreSettings, messages: readonly string[]): void {
  for (const message of messages) emit({ type: 'notice', message });
}
