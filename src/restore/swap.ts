// Puts a restored database into the place of another one. The new one is made beside it as `<name>__restoring`; then one transaction
// renames both and moves comment, owner and settings along, so that at every moment, whatever is killed, `<name>` is the old database or
// the whole new one. What a former run left behind is known by its comment. Loading is not done here.
import { TidemarkError } from '../model/errors.js';
import { propertyStatements, readProperties } from '../pg/database-properties.js';
import { quoteIdentifier, quoteLiteral } from '../pg/quote.js';
import { openSession, type Session } from '../pg/session.js';
import { type ConnectionSettings, withDatabase } from '../pg/settings.js';
import { dropDatabase } from './database.js';
import { waitForDisk } from './durable.js';
import { restoreError } from './restore-error.js';
import { inspectTarget } from './target.js';

export interface SwapNames {
  readonly database: string;
  readonly staging: string;
  readonly replaced: string;
}

/** NAMEDATALEN - 1: a longer name would be cut off by the server, and be another database's. */
const nameBytes = 63;

/** @throws TidemarkError USAGE where the names get too long */
export function swapNames(database: string): SwapNames {
  const staging = `${database}__restoring`;
  if (Buffer.byteLength(staging) > nameBytes) {
    throw new TidemarkError('USAGE', `swap database ${database}: ${staging} is longer than the ${nameBytes} bytes that a name can have`, {
      hint: 'restore into a new database and rename it yourself',
    });
  }
  return { database, staging, replaced: `${database}__replaced` };
}

const stagingComment = 'tidemark: a restore into this database was begun and has not ended';
const replacedComment = 'tidemark: replaced by a restore; can be dropped';

/** Marks a database that was just made as one of ours. */
export async function commentStaging(session: Session, { staging }: SwapNames): Promise<void> {
  await session.query(`COMMENT ON DATABASE ${quoteIdentifier(staging)} IS ${quoteLiteral(stagingComment)}`);
}

interface Leftover {
  readonly datname: string;
  readonly comment: string | null;
  readonly datconnlimit: number;
}

/** How long the lock of another swap is waited for: the server may take a moment to end the session of one that was killed. */
const lockPatience = '5s';

/** One swap of a database at a time, from any machine: an advisory lock of the maintenance session, gone with it.
 *  @throws TidemarkError TARGET_IN_USE */
export async function lockSwap(session: Session, { database }: SwapNames): Promise<void> {
  await session.query(`SET lock_timeout = '${lockPatience}'`);
  try {
    await session.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [`tidemark swap ${database}`]);
  } catch (error) {
    if (!(error instanceof TidemarkError) || error.code !== 'LOCK_TIMEOUT') throw error;
    throw new TidemarkError('TARGET_IN_USE', `swap database ${database}: another restore is swapping it`, {
      hint: 'wait for its end',
      cause: error,
    });
  } finally {
    await session.query('SET lock_timeout = 0');
  }
}

/** Databases of a former run that are to be dropped before this one.
 *  @throws TidemarkError TARGET_NOT_EMPTY where a database of that name is somebody else's */
export async function findLeftovers(session: Session, names: SwapNames, connection: ConnectionSettings): Promise<readonly string[]> {
  const rows = await session.query<Leftover>(
    `SELECT datname, shobj_description(oid, 'pg_database') AS comment, datconnlimit FROM pg_database WHERE datname = ANY ($1) ORDER BY datname`,
    [[names.staging, names.replaced]],
  );
  for (const { datname, comment, datconnlimit } of rows) {
    if (comment === (datname === names.staging ? stagingComment : replacedComment)) continue;
    // -2: a DROP or CREATE DATABASE was interrupted; nobody can use it any more.
    if (datconnlimit === -2) continue;
    // Between CREATE DATABASE and COMMENT it has no comment yet, and nothing in it.
    if (comment === null && datname === names.staging && (await isEmpty(withDatabase(connection, datname)))) continue;
    throw new TidemarkError('TARGET_NOT_EMPTY', `swap database ${names.database}: there is a database ${datname} that no restore made`, {
      hint: `rename or drop ${datname} first`,
    });
  }
  return rows.map(({ datname }) => datname);
}

async function isEmpty(connection: ConnectionSettings): Promise<boolean> {
  await using session = await openSession(connection, { use: 'read', applicationName: 'tidemark restore inspect' });
  const { marked, objects } = await inspectTarget(session);
  return marked !== undefined || objects.length === 0;
}

/** Names what else is connected to the database, or would keep it from being dropped: a rename needs it alone.
 *  @throws TidemarkError TARGET_IN_USE; with `force` only for what cannot be ended */
export async function checkUnused(session: Session, { database }: SwapNames, { force }: { readonly force: boolean }): Promise<void> {
  const rows = await session.query<{ what: string; endable: boolean }>(
    `SELECT 'session ' || pid || ' of ' || usename || CASE WHEN application_name <> '' THEN ' (' || application_name || ')' ELSE '' END AS what,
            true AS endable
       FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid() AND backend_type IN ('client backend', 'walsender')
     UNION ALL SELECT 'prepared transaction ' || gid, false FROM pg_prepared_xacts WHERE database = $1
     UNION ALL SELECT 'replication slot ' || slot_name, false FROM pg_replication_slots WHERE database = $1
     UNION ALL SELECT 'subscription ' || subname, false
       FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = $1`,
    [database],
  );
  const blocking = rows.filter(({ endable }) => !(force && endable));
  if (blocking.length === 0) return;
  const some = blocking.slice(0, 5).map(({ what }) => what);
  throw inUse(database, `${some.join(', ')}${blocking.length > some.length ? `, ${blocking.length - some.length} more` : ''}`, {
    endable: blocking.every(({ endable }) => endable),
  });
}

function inUse(database: string, what: string, { endable, cause }: { endable: boolean; cause?: unknown }): TidemarkError {
  return new TidemarkError('TARGET_IN_USE', `swap database ${database}: it is in use: ${what}`, {
    hint: endable ? 'stop the applications that use it, or end their sessions with --force' : 'drop them first',
    cause,
  });
}

export interface SwapOptions {
  /** Ends the sessions on the old database. */
  readonly force: boolean;
  /** A second session beside the one that renames. */
  readonly helper: Session;
}

/** The swap itself. Afterwards the old database, if there was one, is called `<name>__replaced`.
 *  @returns whether there was one
 *  @throws TidemarkError TARGET_IN_USE: then nothing was changed */
export async function swapDatabases(session: Session, names: SwapNames, { force, helper }: SwapOptions): Promise<boolean> {
  const { database, staging, replaced } = names;
  const old = await readProperties(session, database);
  if (old !== undefined) await checkUnused(session, names, { force });
  const statements = [
    // The switch must have reached the disk before the old database is dropped.
    waitForDisk,
    ...(old === undefined
      ? []
      : [rename(database, replaced), `COMMENT ON DATABASE ${quoteIdentifier(replaced)} IS ${quoteLiteral(replacedComment)}`]),
    rename(staging, database),
    ...(old === undefined ? [`COMMENT ON DATABASE ${quoteIdentifier(database)} IS NULL`] : propertyStatements(database, old)),
  ];
  await session.query('BEGIN');
  try {
    for (const statement of statements) {
      // While a rename waits for others to go (5 s at most), it holds a lock that lets nobody new in: what is ended then stays away,
      // and there is no need for ALLOW_CONNECTIONS false, which would outlive us if we were killed.
      await (force ? endingOthers(helper, database, session.query(statement)) : session.query(statement));
    }
    await session.query('COMMIT');
  } catch (error) {
    await session.query('ROLLBACK').catch(() => undefined);
    if (error instanceof TidemarkError && error.details.sqlstate === '55006')
      throw inUse(database, 'others are connected to it', { endable: true, cause: error });
    throw restoreError(error, `database ${database} (swap)`);
  }
  return old !== undefined;
}

function rename(from: string, to: string): string {
  return `ALTER DATABASE ${quoteIdentifier(from)} RENAME TO ${quoteIdentifier(to)}`;
}

async function endingOthers<T>(helper: Session, database: string, work: Promise<T>): Promise<T> {
  let over = false;
  const ended = work.finally(() => {
    over = true;
  });
  ended.catch(() => undefined);
  while (!over) {
    await helper.query(
      `SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity
        WHERE datname = $1 AND pid <> pg_backend_pid() AND backend_type IN ('client backend', 'walsender')`,
      [database],
    );
    await Promise.race([ended, helper.query('SELECT pg_sleep(0.05)')]);
  }
  return ended;
}

/** How often to begin with dropping: the server ends the sessions there, and gives up where one of them has not gone after five seconds,
 *  which a busy machine may take. */
const dropAttempts = 3;

/** Drops the old database. The swap is done: a failure is only worth a notice, the next swap tries again.
 *  @returns the notice, if any */
export async function dropReplaced(session: Session, { replaced }: SwapNames): Promise<string | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await dropDatabase(session, replaced, { force: true });
      return undefined;
    } catch (error) {
      if (attempt < dropAttempts && error instanceof TidemarkError && error.code === 'TARGET_IN_USE') continue;
      return `the old database stays as ${replaced}: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
}
