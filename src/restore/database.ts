// Makes and drops whole databases, over a session to another one: --create, and the new database of --swap. What goes into them is not
// known here, and neither is how one takes the place of another (swap.ts).
import { TidemarkError } from '../model/errors.js';
import type { SourceInfo } from '../model/manifest.js';
import { quoteIdentifier, quoteLiteral } from '../pg/quote.js';
import { openSession, type Session } from '../pg/session.js';
import { type ConnectionSettings, withDatabase } from '../pg/settings.js';
import { restoreError } from './restore-error.js';

/** Encoding and locale of a database. */
export type DatabaseLocale = Pick<SourceInfo, 'encoding' | 'collate' | 'ctype' | 'localeProvider' | 'locale' | 'icuRules'>;

export interface CreateDatabase {
  readonly name: string;
  readonly locale: DatabaseLocale;
  /** Name of a tablespace; default: the server's. */
  readonly tablespace?: string;
}

/** Always from template0, which nobody has added anything to and which takes any encoding and locale.
 *  https://www.postgresql.org/docs/current/sql-createdatabase.html */
export function createDatabaseSql({ name, locale, tablespace }: CreateDatabase, version: number): string {
  const parts = ['TEMPLATE "template0"', `ENCODING ${quoteLiteral(locale.encoding)}`];
  // LOCALE_PROVIDER came with 15; before, everything was libc's.
  if (version >= 150000) parts.push(`LOCALE_PROVIDER ${quoteIdentifier(locale.localeProvider)}`);
  parts.push(`LC_COLLATE ${quoteLiteral(locale.collate)}`, `LC_CTYPE ${quoteLiteral(locale.ctype)}`);
  if (locale.locale !== null && locale.localeProvider === 'icu') parts.push(`ICU_LOCALE ${quoteLiteral(locale.locale)}`);
  if (locale.locale !== null && locale.localeProvider === 'builtin') parts.push(`BUILTIN_LOCALE ${quoteLiteral(locale.locale)}`);
  if (locale.icuRules !== null) parts.push(`ICU_RULES ${quoteLiteral(locale.icuRules)}`);
  // That of template0: said, it would be a privilege that roles which may make databases do not have.
  if (tablespace !== undefined && tablespace !== 'pg_default') parts.push(`TABLESPACE ${quoteIdentifier(tablespace)}`);
  return `CREATE DATABASE ${quoteIdentifier(name)} ${parts.join(' ')}`;
}

/** @throws TidemarkError RESTORE_FAILED where it exists, the role may not, or the server does not have the locale */
export async function createDatabase(session: Session, database: CreateDatabase): Promise<void> {
  try {
    await session.query(createDatabaseSql(database, session.version));
  } catch (error) {
    throw restoreError(error, `database ${database.name} (create)`);
  }
}

/** Runs statements about a database as a whole. @throws TidemarkError RESTORE_FAILED */
export async function setProperties(session: Session, name: string, statements: readonly string[]): Promise<void> {
  try {
    for (const statement of statements) await session.query(statement);
  } catch (error) {
    throw restoreError(error, `properties of database ${name}`);
  }
}

/** Drops a database with what is connected to it cut off, where `force` says so; a missing one is no error.
 *  @throws TidemarkError TARGET_IN_USE */
export async function dropDatabase(session: Session, name: string, { force }: { readonly force: boolean }): Promise<void> {
  const database = quoteIdentifier(name);
  const templates = await session.query('SELECT FROM pg_database WHERE datname = $1 AND datistemplate', [name]);
  const template = (is: boolean) => session.query(`ALTER DATABASE ${database} WITH IS_TEMPLATE ${is}`);
  try {
    // The server drops no template.
    if (templates.length > 0) await template(false);
    await session.query(`DROP DATABASE IF EXISTS ${database}${force ? ' WITH (FORCE)' : ''}`);
  } catch (error) {
    if (templates.length > 0) await template(true).catch(() => undefined);
    if (error instanceof TidemarkError && error.details.sqlstate === '55006') {
      throw new TidemarkError('TARGET_IN_USE', `drop database ${name}: others are connected to it`, {
        hint: 'stop the applications that use it, then run again',
        cause: error,
      });
    }
    throw restoreError(error, `database ${name} (drop)`);
  }
}

export async function databaseExists(session: Session, name: string): Promise<boolean> {
  return (await session.query('SELECT 1 FROM pg_database WHERE datname = $1', [name])).length > 0;
}

/** Encoding and locale of a database that is there; undefined where it is not. Columns were renamed in 15 and 17, so the row is read
 *  as json. */
export async function readLocale(session: Session, name: string): Promise<DatabaseLocale | undefined> {
  const rows = await session.query<{ encoding: string; row: Readonly<Record<string, string | null>> }>(
    'SELECT pg_encoding_to_char(encoding) AS encoding, to_json(d) AS row FROM pg_database d WHERE datname = $1',
    [name],
  );
  const found = rows[0];
  if (found === undefined) return undefined;
  const { row, encoding } = found;
  const provider = { i: 'icu', b: 'builtin' }[row.datlocprovider ?? 'c'] ?? 'libc';
  return {
    encoding,
    collate: row.datcollate ?? 'C',
    ctype: row.datctype ?? 'C',
    localeProvider: provider,
    locale: row.datlocale ?? row.daticulocale ?? null,
    icuRules: row.daticurules ?? null,
  };
}

/** A session to another database of the same server, from which `name` can be made, renamed and dropped: postgres, or template1.
 *  @throws TidemarkError as `openSession` */
export async function openMaintenance(
  connection: ConnectionSettings,
  name: string,
  { applicationName, signal }: { readonly applicationName: string; readonly signal: AbortSignal },
): Promise<Session> {
  const open = (database: string) => openSession(withDatabase(connection, database), { use: 'write', applicationName, signal });
  if (name === 'postgres') return open('template1');
  try {
    return await open('postgres');
  } catch (error) {
    if (error instanceof TidemarkError && (error.code === 'DATABASE_MISSING' || error.details.sqlstate === '42501'))
      return open('template1');
    throw error;
  }
}
