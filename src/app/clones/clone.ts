// Copies of a template: the server copies its files, which takes as long as writing them.
import { setTimeout } from 'node:timers/promises';
import { TidemarkError } from '../../model/errors.js';
import { sqlstateOf } from '../../pg/errors.js';
import { quoteIdentifier } from '../../pg/quote.js';
import type { Session } from '../../pg/session.js';
import { dropDatabase } from '../../restore/database.js';

/** Copying files beats writing all pages through the write-ahead log, which is the default since 15.
 *  https://www.postgresql.org/docs/current/sql-createdatabase.html#CREATE-DATABASE-STRATEGY */
export async function createClone(session: Session, name: string, template: string): Promise<void> {
  const strategy = session.version >= 150000 ? ' STRATEGY FILE_COPY' : '';
  try {
    await session.query(`CREATE DATABASE ${quoteIdentifier(name)} TEMPLATE ${quoteIdentifier(template)}${strategy}`);
  } catch (error) {
    throw cloneError(error, name, template);
  }
}

/** How long sessions that are about to end are waited for, and how often it is looked. */
const [usualPatienceMs, everyMs] = [300, 5];

/** Drops it. A pool that was closed has told the server so, but the server may not have heard it yet: a session that is cut off then has
 *  an error to tell, and nobody who listens. So those who stay are cut off only after a while. */
export async function dropClone(session: Session, name: string, patienceMs = usualPatienceMs): Promise<void> {
  const end = performance.now() + patienceMs;
  while ((await isInUse(session, name)) && performance.now() < end) await setTimeout(everyMs);
  await dropDatabase(session, name, { force: true });
}

async function isInUse(session: Session, name: string): Promise<boolean> {
  return (await session.query(`SELECT FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'`, [name])).length > 0;
}

/** The same database as at the beginning. */
export async function resetClone(session: Session, name: string, template: string): Promise<void> {
  await dropClone(session, name);
  await createClone(session, name, template);
}

function cloneError(error: unknown, name: string, template: string): unknown {
  const hints: Readonly<Record<string, string>> = {
    '42501': 'the role needs CREATEDB: ALTER ROLE ... CREATEDB',
    '3D000': 'somebody has dropped it: ask for the snapshot again',
    '53100': 'the disk of the server is full: drop databases that are not needed any more',
  };
  const hint = hints[sqlstateOf(error) ?? ''];
  if (!(error instanceof TidemarkError) || hint === undefined) return error;
  return new TidemarkError(error.code, `clone database ${template} as ${name}: ${error.message}`, {
    cause: error,
    details: error.details,
    hint,
  });
}
