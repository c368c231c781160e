// The plan of a restore with `create`.
import type { DatabaseProperties } from '../../model/catalog.js';
import { TidemarkError } from '../../model/errors.js';
import { propertyStatements, rolesOf } from '../../pg/database-properties.js';
import type { Session } from '../../pg/session.js';
import { checkPresent } from '../../restore/check.js';
import { databaseExists, openMaintenance } from '../../restore/database.js';
import type { Plan } from '../../restore/plan.js';
import type { Sessions } from '../../restore/sessions.js';
import { inspectTarget, type TargetState } from '../../restore/target.js';
import { refusePart } from '../../restore/way.js';
import type { RestoreSettings } from './options.js';
import { check, contentsOf, fresh, notices } from './plan-contents.js';
import { planInto } from './plan-into.js';
import type { GivenGlobals, RestorePlan } from './plan-types.js';

/** Into the database that the archive names, made anew. One that an interrupted restore left is dropped. */
export async function planCreate(settings: RestoreSettings, given: GivenGlobals): Promise<RestorePlan> {
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
  if (state !== undefined && state.marked === undefined && state.objects.length === 0) {
    await checkRoles(maintenance, properties, coming.roles);
    const into = await planInto(settings, { ...given, database });
    return { ...into, plan: beforeUnmark(into.plan, finish), maintenance };
  }
  if (state?.marked !== undefined) {
    refusePart({ database, scope: settings.scope }, state.marked);
  } else if (state !== undefined) {
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
