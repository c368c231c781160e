// The plan of a restore with `swap`.
import { readProperties } from '../../pg/database-properties.js';
import { openMaintenance, readLocale } from '../../restore/database.js';
import type { Plan } from '../../restore/plan.js';
import { checkUnused, findLeftovers, lockSwap, swapNames } from '../../restore/swap.js';
import type { RestoreSettings } from './options.js';
import { check, contentsOf, fresh } from './plan-contents.js';
import type { GivenGlobals, RestorePlan } from './plan-types.js';

/** Into `<database>__restoring`, then in place of `<database>`. */
export async function planSwap(settings: RestoreSettings, { source, catalog, sessions, coming }: GivenGlobals): Promise<RestorePlan> {
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
