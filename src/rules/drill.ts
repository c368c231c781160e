// When a restore drill is due: by time since the newest drill of any snapshot, with the same rules as snapshots. Pure.
import type { DrillRecord } from '../model/stored-snapshot.js';
import { judge, type Verdict } from './judge.js';
import type { CronRule, TimeRule } from './rule.js';

/** A good snapshot as this decision sees it. */
export interface Drilled {
  readonly drill?: Pick<DrillRecord, 'at'>;
}

/** Failed drills count as drills: a server that is away is not asked again at every look. One that found damage does not, as its snapshot is
 *  no good one any more: the next snapshot's turn comes at once. */
export function drillDue(rule: TimeRule | CronRule, snapshots: readonly Drilled[], now: Date): Verdict {
  if (snapshots.length === 0) return { rule, due: false, reason: 'there is no good snapshot to try' };
  const times = snapshots.flatMap(({ drill }) => (drill === undefined ? [] : [drill.at.getTime()]));
  if (times.length === 0) return { rule, due: true, reason: 'no snapshot has been tried yet' };
  const last = new Date(Math.max(...times));
  if (now < last) return { rule, due: true, reason: `the clock was put back before the last drill (${last.toISOString()})` };
  return judge(rule, { at: last, lsn: 0n }, { at: now, lsn: 0n });
}
