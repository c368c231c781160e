// How a session beside the control session takes the same view, and what it says where somebody stands between the two.
import { TidemarkError } from '../model/errors.js';
import { sqlstateOf } from '../pg/errors.js';
import { quoteLiteral } from '../pg/quote.js';
import type { Session } from '../pg/session.js';

/** How long it waits for a lock that the control session has: no longer than whoever is in between may need to give up. */
const relockTimeoutMs = 1000;

/** Opens a transaction in the view that was exported. */
export async function importSnapshot(session: Pick<Session, 'query'>, snapshotId: string): Promise<void> {
  await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  await session.query(`SET TRANSACTION SNAPSHOT ${quoteLiteral(snapshotId)}`);
  // The control session has all locks that are asked for here. Who waits for an exclusive one waits for that session, and we would wait
  // behind them: a deadlock that the server cannot see.
  await session.query(`SET LOCAL lock_timeout = ${relockTimeoutMs}`);
}

/** What is to be told where a lock was not to be had within that time; undefined for other errors. */
export function inTheWay(what: string, error: unknown): TidemarkError | undefined {
  if (sqlstateOf(error) !== '55P03') return undefined;
  return new TidemarkError('CONCURRENT_DDL', `lock ${what} for reading: another session waits to change or truncate a table`, {
    cause: error,
    hint: 'run the snapshot when no migration is under way',
  });
}
