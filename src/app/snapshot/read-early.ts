// Which rows are read while the schema still is: the server and the workers have little to do then, and of many small tables or a small
// database the schema takes most of the time. Pure.
import type { View } from '../../snapshot/view.js';
import type { SnapshotPlan } from './options.js';
import type { Readable } from './plan-ranges.js';
import { tableOf } from './schema.js';
import { needsNoSamples } from './settle-rows.js';
import { bytesSeen } from './sight.js';

/** The tables that are read like that: those whose rows come along in any case, in a form that is known already. */
export function tablesReadEarly(view: View, plan: SnapshotPlan): Readable['toRead'] {
  const { contents, copyFormat, completedOnce } = plan;
  const settled = needsNoSamples(view.tables, bytesSeen(view)) && completedOnce.length === 0 && copyFormat !== 'binary';
  if (!settled || !contents.sections.has('data') || contents.excludeTableData.length > 0) return [];
  const tables = view.tables.filter(
    ({ relkind, extension, unlogged }) => relkind === 'r' && extension === null && !(unlogged && view.inRecovery),
  );
  return tables.map((described) => ({ table: tableOf(described, plan), described }));
}
