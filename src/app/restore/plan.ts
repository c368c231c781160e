// From what was asked for and what the target is like to the plan of a restore. Only looks: everything that can be known to go wrong
// is found here, before the first change, and a dry run ends here.
import { openMaintenance } from '../../restore/database.js';
import { comingWith } from '../../restore/globals.js';
import { planGlobalsOn } from './globals.js';
import type { RestoreSettings } from './options.js';
import { notices } from './plan-contents.js';
import { planCreate } from './plan-create.js';
import { planInto } from './plan-into.js';
import { planSwap } from './plan-swap.js';
import type { Given, GivenGlobals, RestorePlan } from './plan-types.js';

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
