// The database that clones are copies of: restored once from an archive, however many processes ask for it, and closed to everybody
// then, for the server copies no database that somebody is connected to.
import { TidemarkError } from '../../model/errors.js';
import { lockKey } from '../../pg/advisory-lock.js';
import { quoteIdentifier, quoteLiteral } from '../../pg/quote.js';
import type { Session } from '../../pg/session.js';
import { type ConnectionSettings, withDatabase } from '../../pg/settings.js';
import { dropDatabase } from '../../restore/database.js';
import { isTemplateName } from './names.js';

/** Nobody has asked for a template for so long: it is dropped. */
const unusedDays = 7;

const commentStart = 'tidemark: template of a snapshot for tests, last asked for on ';

export interface Template {
  readonly name: string;
  /** Settings of any database of the server. */
  readonly server: ConnectionSettings;
  /** Puts the contents into a database of that name, which is not there, or was left behind unfinished. */
  fill(database: ConnectionSettings): Promise<void>;
}

/** Makes the template where there is none yet, and keeps it from being dropped for as long as the session lives.
 *  @throws what `fill` throws; the database is dropped then */
export async function ensureTemplate(session: Session, { name, server, fill }: Template): Promise<void> {
  await session.query('SELECT pg_advisory_lock_shared($1::bigint)', [useKey(name)]);
  if (!(await isReady(session, name))) {
    // One makes it, the others wait.
    await session.query('SELECT pg_advisory_lock($1::bigint)', [makeKey(name)]);
    try {
      if (!(await isReady(session, name))) await make(session, { name, server, fill });
    } finally {
      await session.query('SELECT pg_advisory_unlock($1::bigint)', [makeKey(name)]).catch(() => undefined);
    }
  }
  await noteUse(session, name);
}

async function make(session: Session, { name, server, fill }: Template): Promise<void> {
  try {
    await fill(withDatabase(server, name));
  } catch (error) {
    await dropDatabase(session, name, { force: true }).catch(() => undefined);
    throw error;
  }
  await session.query(`ALTER DATABASE ${quoteIdentifier(name)} WITH ALLOW_CONNECTIONS false IS_TEMPLATE true`);
  // Whoever is still in it would keep it from being copied.
  await session.query('SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1', [name]);
}

/** What makes it ready is the last thing that is done to it, in one statement. */
async function isReady(session: Session, name: string): Promise<boolean> {
  return (await session.query('SELECT FROM pg_database WHERE datname = $1 AND datistemplate AND NOT datallowconn', [name])).length > 0;
}

/** By the server's clock, once a day. */
async function noteUse(session: Session, name: string): Promise<void> {
  const { comment } = await session.one<{ comment: string }>(`SELECT ${quoteLiteral(commentStart)} || current_date AS comment`);
  const said = await session.query(`SELECT FROM pg_database WHERE datname = $1 AND shobj_description(oid, 'pg_database') = $2`, [
    name,
    comment,
  ]);
  if (said.length > 0) return;
  await session.query(`COMMENT ON DATABASE ${quoteIdentifier(name)} IS ${quoteLiteral(comment)}`).catch(leaveAlone);
}

/** Drops templates that nobody has asked for for a week, and nobody uses. */
export async function dropUnusedTemplates(session: Session): Promise<void> {
  const old = await session.query<{ datname: string }>(
    `SELECT datname FROM pg_database
      WHERE datname LIKE 'tidemark\\_template\\_%' AND datistemplate AND pg_has_role(datdba, 'USAGE')
        AND shobj_description(oid, 'pg_database') ~ ('^' || $1 || '[0-9]{4}-[0-9]{2}-[0-9]{2}$')
        AND right(shobj_description(oid, 'pg_database'), 10)::date < current_date - ${unusedDays}`,
    [commentStart],
  );
  for (const { datname } of old) {
    if (!isTemplateName(datname)) continue;
    const { free } = await session.one<{ free: boolean }>('SELECT pg_try_advisory_lock($1::bigint) AS free', [useKey(datname)]);
    if (!free) continue;
    try {
      await dropDatabase(session, datname, { force: false });
    } catch (error) {
      leaveAlone(error);
    } finally {
      await session.query('SELECT pg_advisory_unlock($1::bigint)', [useKey(datname)]);
    }
  }
}

/** Somebody does the same now, or may and we may not. */
function leaveAlone(error: unknown): void {
  if (!(error instanceof TidemarkError) || error.details.sqlstate === undefined) throw error;
}

/** Held in common by all who use it, alone by who drops it. */
function useKey(name: string): string {
  return String(lockKey(`testing template ${name}`));
}

/** Held alone by who makes it. */
function makeKey(name: string): string {
  return String(lockKey(`testing template ${name} is made`));
}
