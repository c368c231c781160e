// Names the object that a failed statement was for, and gives the hint that fits the server's SQLSTATE. Errors that are not the
// server's (a lost connection, a corrupt archive) pass as they are.
import type { CatalogObject } from '../model/catalog.js';
import { TidemarkError } from '../model/errors.js';
import { isServerError, sqlstateOf } from '../pg/errors.js';

/** `table public.events`, for messages: names as they are, not quoted. */
export function describeObject({ kind, schema, name }: Pick<CatalogObject, 'kind' | 'schema' | 'name'>): string {
  return `${kind.replaceAll('-', ' ')} ${schema === undefined ? name : `${schema}.${name}`}`;
}

const exists = 'restore into an empty database, or drop first with --clean, or only replace the rows with --truncate';
const encoding = "the target's encoding does not have this: restore into a database with the encoding of the source";
const privilege = 'restore as the owner or as a superuser, or leave owners and privileges out with --no-owner --no-privileges';

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const hints: Readonly<Record<string, string>> = {
  '42P06': exists,
  '42P07': exists,
  '42710': exists,
  '42723': exists,
  '42501': privilege,
  '2BP01': 'objects that are not in the archive depend on it: drop them first, or restore into a new database',
  '42P01': 'it is missing on the target: with --clean add --if-exists; with --data-only create it first',
  '3F000': 'the schema is missing on the target: create it, or choose it, too (--schema)',
  '42704': 'something that it needs is missing on the target: a role, type, extension or operator class',
  '58P01': 'install the extension or library on the target server',
  '0A000': 'the target server does not support this: see that it is not older than the source, and what it was built with',
  '22P05': encoding,
  '22021': encoding,
  '23505': 'rows with the same key are there already: replace them with --truncate',
  '23503': 'a row that is referred to is missing: restore that table, too',
  '25001': 'a subscription with a replication slot is dropped outside of transactions: drop it first, or use --no-subscriptions',
  '53100': 'the disk of the target server is full',
  '23505-refresh':
    'its query gives rows now that its unique index refuses: leave it unpopulated with --exclude-table-data, and refresh it later',
  refresh: 'its query fails on these rows: leave it unpopulated with --exclude-table-data, and refresh it later',
  missing: 'it is not there to be dropped: add --if-exists',
  label: 'let the target server load the provider of the label, or leave labels out with --no-security-labels',
  tablespace: "make its directory on the target server, empty and of the server's own account, or go without with --no-tablespaces",
  role: 'roles are made by superusers; one with CREATEROLE can give the attributes, and grant the memberships, that it has itself',
  '0A000-truncate': 'a table that is not chosen refers to it by a foreign key: choose that one, too',
};

/** The same SQLSTATE asks for something else in a DROP, a TRUNCATE, a REFRESH or of a label. */
function situation(sqlstate: string, what: string): string {
  if (what.startsWith('security label of ')) return 'label';
  if (what.startsWith('tablespace ')) return 'tablespace';
  if (/^(role|settings of all roles|membership of|privileges on parameter)\b/.test(what) && sqlstate === '42501') return 'role';
  if (what.startsWith('refresh of ')) return sqlstate === '23505' ? '23505-refresh' : 'refresh';
  if (what.endsWith('(truncate)') && sqlstate === '0A000') return '0A000-truncate';
  return what.endsWith('(drop)') && ['42704', '42P01', '42883', '3F000'].includes(sqlstate) ? 'missing' : sqlstate;
}

/** What the server says of the place in a COPY, without the values that it quotes. */
function rowOf(context = ''): string {
  const line = /^COPY .*, line (\d+)(?:, column |: "|$)/ms.exec(context)?.[1];
  return line === undefined ? '' : ` (row ${line} of a chunk)`;
}

/** @param what as in "restore ${what}: failed" */
export function restoreError(error: unknown, what: string): TidemarkError {
  if (!(error instanceof TidemarkError)) {
    return new TidemarkError('RESTORE_FAILED', `restore ${what}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  const sqlstate = sqlstateOf(error);
  if (sqlstate === undefined || error.code === 'CONNECTION_LOST') return error;
  const said = isServerError(error.cause) ? `${error.cause.message}${rowOf(error.cause.where)}` : error.message;
  const hint = hints[situation(sqlstate, what)] ?? error.hint;
  return new TidemarkError('RESTORE_FAILED', `restore ${what}: ${said}`, {
    cause: error.cause,
    details: error.details,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** The same error without the text of the statement, which may hold a password. */
export function withoutStatement(error: unknown): unknown {
  if (!(error instanceof TidemarkError)) return error;
  const { statement: _confidential, ...details } = error.details;
  return new TidemarkError(error.code, error.message, {
    details,
    cause: error.cause,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  });
}
