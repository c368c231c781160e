// What the plans of all ways share: what of schema and rows is wanted and there, the steps for a new database, and what the target must have.
import { type Catalog, isTable, type Section, takesStatistics } from '../../model/catalog.js';
import type { SourceInfo } from '../../model/manifest.js';
import type { Session } from '../../pg/session.js';
import { checkPrerequisites, versionNotices } from '../../restore/check.js';
import { type Plan, type PlanOptions, planContents } from '../../restore/plan.js';
import type { StatisticsPlace } from '../../restore/statistics.js';
import { sectionsOf } from '../../selection/sections.js';
import type { RestoreSettings } from './options.js';
import type { GivenGlobals } from './plan-types.js';
import type { RestoreSource } from './source.js';

/** What of schema and rows is wanted and there. */
export function contentsOf(settings: RestoreSettings, source: RestoreSource): PlanOptions {
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
    archived: source.catalog.tables,
    ...(manifest === undefined ? {} : { rowsOf: ({ directory }) => tables.get(directory) }),
  };
}

export function fresh(catalog: Catalog, contents: PlanOptions, target: Session): Plan {
  const options = { ...contents, holdAutovacuum: true, ...statisticsOn(target, 'marked') };
  return [{ action: 'mark' }, ...planContents(catalog, options), { action: 'unmark' }];
}

export function statisticsOn({ version }: Session, statistics: StatisticsPlace): Pick<PlanOptions, 'statistics'> {
  return version >= takesStatistics ? { statistics } : {};
}

export async function check(
  session: Session,
  { source, catalog, settings, coming }: Omit<GivenGlobals, 'sessions'> & { settings: RestoreSettings },
): Promise<void> {
  await checkPrerequisites(session, catalog, coming.roles);
  if (session.version < takesStatistics && haveOnlyStatistics(catalog, settings)) {
    const then = settings.analyze ? 'ANALYZE gathers those of the rows that are restored' : 'the planner has none';
    notices(settings, [`the target server is older than ${takesStatistics / 10_000}, and cannot take the archive's statistics: ${then}`]);
  }
  const info: SourceInfo | undefined = source.manifest?.source;
  if (info !== undefined) notices(settings, versionNotices(info, session.version));
}

/** Something comes along that ANALYZE would not find out again. */
function haveOnlyStatistics({ tables }: Catalog, { analyze }: RestoreSettings): boolean {
  const there = tables.some(({ statistics }) => statistics === true);
  return there && (!analyze || tables.some((table) => isTable(table) && table.withoutData !== undefined));
}

export function notices({ emit }: RestoreSettings, messages: readonly string[]): void {
  for (const message of messages) emit({ type: 'notice', message });
}
