// The scratch database of a restore drill, and those that crashed drills have left on the server. A drill holds a lock on the name of its
// database as long as it works: one that nobody holds the lock of is a leftover.
import { randomBytes } from 'node:crypto';
import { TidemarkError } from '../../model/errors.js';
import type { EventListener } from '../../model/events.js';
import { sqlstateOf } from '../../pg/errors.js';
import { quoteIdentifier, quoteLiteral } from '../../pg/quote.js';
import type { Session } from '../../pg/session.js';
import { type ConnectionSettings, withDatabase } from '../../pg/settings.js';
import { createDatabase, type DatabaseLocale } from '../../restore/database.js';
import { openSomewhere } from '../maintenance-session.js';
import { dropDatabase } from '../scratch-database.js';

const prefix = 'tidemark_drill_';
const comment = 'tidemark: the scratch database of a restore drill; can be dropped';
const lockOf = 'hashtextextended($1, 0)';

export interface DrillDatabase {
  readonly connection: ConnectionSettings;
  /** Drops it, whatever became of the drill's other sessions. A failure is a notice: the next drill on the server drops it. */
  drop(): Promise<void>;
}

export interface DrillServer {
  readonly server: ConnectionSettings;
  /** That of the source. */
  readonly locale: DatabaseLocale;
  readonly emit: EventListener;
  readonly signal: AbortSignal;
}

/** Drops what crashed drills left, and makes a database of the source's encoding and locale.
 *  @throws TidemarkError RESTORE_FAILED where the role may not make databases, CONNECTION_*, ... */
export async function makeDrillDatabase({ server, locale, emit, signal }: DrillServer): Promise<DrillDatabase> {
  const session = await openSomewhere(server, { applicationName: 'tidemark drill', signal });
  const name = `${prefix}${randomBytes(8).toString('hex')}`;
  const drop = async (): Promise<void> => {
    await dropDatabase(server, name).catch((error: Error) => {
      emit({ type: 'notice', message: `the scratch database ${name} stays until the next drill: ${error.message}` });
    });
    await session.close();
  };
  try {
    await dropLeftovers(session, emit);
    await session.query(`SELECT pg_advisory_lock(${lockOf})`, [name]);
    await create(session, { name, locale, emit });
    await session.query(`COMMENT ON DATABASE ${quoteIdentifier(name)} IS ${quoteLiteral(comment)}`);
  } catch (error) {
    await drop();
    throw error;
  }
  return { connection: withDatabase(server, name), drop };
}

/** A locale that the server does not have, or not in this encoding; an ICU that it was not built with. */
const localeProblems: ReadonlySet<string | undefined> = new Set(['22023', '42704', '0A000']);

async function create(
  session: Session,
  { name, locale, emit }: { readonly name: string; readonly locale: DatabaseLocale; readonly emit: EventListener },
): Promise<void> {
  try {
    await createDatabase(session, { name, locale });
  } catch (error) {
    if (!(error instanceof TidemarkError) || !localeProblems.has(sqlstateOf(error))) throw error;
    emit({
      type: 'notice',
      message: `the server cannot make a database like the source (${error.message}): it is tried in one of its own`,
    });
    await session.query(`CREATE DATABASE ${quoteIdentifier(name)} TEMPLATE template0`);
  }
}

/** Only what is proven to be ours: by name, comment and owner; nobody is connected, and no drill holds its lock. Between CREATE and COMMENT
 *  there is no comment yet. */
async function dropLeftovers(session: Session, emit: EventListener): Promise<void> {
  const rows = await session.query<{ name: string }>(
    `SELECT datname AS name FROM pg_database d
      WHERE datname ~ '^${prefix}[0-9a-f]{16}$' AND pg_has_role(datdba, 'USAGE')
        AND coalesce(shobj_description(oid, 'pg_database'), $1) = $1
        AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid) ORDER BY datname`,
    [comment],
  );
  for (const { name } of rows) {
    const { free } = await session.one<{ free: boolean }>(`SELECT pg_try_advisory_lock(${lockOf}) AS free`, [name]);
    if (!free) continue;
    try {
      await session.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(name)}`);
      emit({ type: 'notice', message: `dropped ${name}, which a drill that crashed had left` });
    } catch (error) {
      emit({ type: 'notice', message: `the database ${name} of a drill that crashed stays: ${(error as Error).message}` });
    } finally {
      await session.query(`SELECT pg_advisory_unlock(${lockOf})`, [name]);
    }
  }
}
