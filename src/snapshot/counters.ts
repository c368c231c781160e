// What the server has counted in this database: rows changed and transactions committed, for rules that go by them. Sessions report to
// these counters about once a second, and a crash or pg_stat_reset() sets them back to zero.
// https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-DATABASE-VIEW
import type { Session } from '../pg/session.js';

export interface Counters {
  /** Rows inserted, updated and deleted, in catalogs, too. */
  readonly changes?: bigint;
  readonly commits?: bigint;
}

/** Empty on a standby, which does not count what its primary does. */
export async function readCounters(session: Session): Promise<Counters> {
  const { counted, changes, commits } = await session.one<{ counted: boolean; changes: string; commits: string }>(`
    SELECT NOT pg_is_in_recovery() AS counted, (tup_inserted + tup_updated + tup_deleted)::text AS changes, xact_commit::text AS commits
      FROM pg_stat_database WHERE datname = current_database()`);
  return counted ? { changes: BigInt(changes), commits: BigInt(commits) } : {};
}
