// What a session of a restore has for making indexes: memory, and parallel workers. Any role may set both.
import type { Session } from '../../pg/session.js';
import { leastMaintenanceKilobytes, maintenanceKilobytes } from './choose.js';
import { recordName } from './record.js';

export interface MaintenanceOptions {
  /** How many sessions work at once. */
  readonly jobs: number;
  readonly tune: boolean;
}

/** Parallel workers of a single session that makes one index after the other. The server has 2 by default. */
const workersOfOne = 4;

/** Never less than the server has it.
 *  @returns whether the session sees that server settings are tuned */
export async function setMaintenance(session: Session, { jobs, tune }: MaintenanceOptions): Promise<boolean> {
  const kilobytes = tune ? await tunedKilobytes(session, jobs) : leastMaintenanceKilobytes;
  const { tuned } = await session.one<{ tuned: boolean }>(
    `SELECT set_config('maintenance_work_mem', greatest(pg_size_bytes(current_setting('maintenance_work_mem')) / 1024, $1::int8)::text || 'kB', false),
            coalesce(current_setting('${recordName}', true), '') <> '' AS tuned`,
    [String(kilobytes)],
  );
  // Parallel workers of one CREATE INDEX would compete with the other sessions for the same processors.
  if (jobs > 1) await session.query('SET max_parallel_maintenance_workers = 0');
  else if (tune) await session.query(moreWorkers);
  return tuned;
}

const moreWorkers = `
  SELECT set_config('max_parallel_maintenance_workers', greatest(own.setting::int, least(all_of.setting::int, ${workersOfOne}))::text, false)
    FROM pg_settings own, pg_settings all_of
   WHERE own.name = 'max_parallel_maintenance_workers' AND all_of.name = 'max_parallel_workers'`;

async function tunedKilobytes(session: Session, jobs: number): Promise<bigint> {
  const { buffers, cache } = await session.one<{ buffers: string; cache: string | null }>(`
    SELECT pg_size_bytes(current_setting('shared_buffers'))::text AS buffers,
           (SELECT pg_size_bytes(current_setting(name)) FROM pg_settings WHERE name = 'effective_cache_size' AND source <> 'default')::text AS cache`);
  return maintenanceKilobytes({ sharedBuffers: BigInt(buffers), effectiveCacheSize: cache === null ? null : BigInt(cache) }, jobs);
}
