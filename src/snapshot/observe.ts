// Where a database stands now, for those who decide whether a snapshot is due: the same position that a snapshot records, without one.

import type { Position } from '../model/position.js';
import { parseLsn } from '../pg/lsn.js';
import type { Session } from '../pg/session.js';
import { readCounters } from './counters.js';
import { type PositionQueries, readPosition } from './position-queries.js';

/** A query that waits behind a lock must not keep its caller from looking again. */
const timeoutMs = 30_000;

/** Reads the position in one short transaction that changes nothing; gives up after half a minute.
 *  @throws TidemarkError POSITION_INVALID, CONNECTION_LOST, SERVER_ERROR */
export async function observePosition(session: Session, queries: PositionQueries): Promise<Position> {
  await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    await session.query(`SET LOCAL statement_timeout = ${timeoutMs}`);
    const { at, lsn } = await session.one<{ at: Date; lsn: string }>(`
      SELECT clock_timestamp() AS at,
             CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END::text AS lsn`);
    return { at, lsn: parseLsn(lsn), ...(await readPosition(session, queries)), ...(await readCounters(session)) };
  } finally {
    await session.query('ROLLBACK').catch(() => undefined);
  }
}
