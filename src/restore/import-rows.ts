// One file of rows into one table of the target, and what is said where that fails: table, file, line.
import type { Column } from '../model/catalog.js';
import { TidemarkError } from '../model/errors.js';
import type { ExportFormat } from '../model/export.js';
import { copyIn } from '../pg/copy-in.js';
import { isServerError, sqlstateOf } from '../pg/errors.js';
import { qualifiedName, quoteIdentifier } from '../pg/quote.js';
import type { Session } from '../pg/session.js';

export interface Import {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly Column[];
  readonly format: ExportFormat;
  /** For messages. */
  readonly file: string;
  /** As the manifest has it. */
  readonly rows: bigint;
  readonly body: AsyncIterable<Uint8Array>;
}

/** @throws TidemarkError RESTORE_FAILED naming table, file and line; what `body` throws; CONNECTION_LOST */
export async function importRows(session: Session, { file, rows, body, ...into }: Import): Promise<void> {
  let copied: bigint;
  try {
    copied = await copyIn(session, importSql(into, session.version), body);
  } catch (error) {
    throw importError(error, { what: `rows of ${into.schema}.${into.name} from ${file}`, row: into.format === 'binary' ? 'row' : 'line' });
  }
  if (copied !== rows) {
    throw new TidemarkError(
      'RESTORE_FAILED',
      `import rows of ${into.schema}.${into.name} from ${file}: there are ${rows}, the server took ${copied}`,
      { hint: 'look for a trigger or rule on the table that swallows rows' },
    );
  }
}

/** From 15 on the server compares the names in the header line. */
export function importSql(
  { schema, name, columns, format }: Pick<Import, 'schema' | 'name' | 'columns' | 'format'>,
  version: number,
): string {
  const list = columns.length === 0 ? '' : ` (${columns.map((column) => quoteIdentifier(column.name)).join(', ')})`;
  const header = version >= 150000 && columns.length > 0 ? 'HEADER MATCH' : 'HEADER';
  return `COPY ${qualifiedName(schema, name)}${list} FROM STDIN (FORMAT ${format}${format === 'csv' ? `, ${header}` : ''})`;
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const hints: Readonly<Record<string, string>> = {
  '23503':
    'a row that is referred to is missing: import that table, too; foreign keys that go in a circle have to be DEFERRABLE while rows are imported',
  '23505': 'rows with the same key are there already: replace them with --truncate',
  '42501': 'import as the owner of the tables or as a superuser',
  '0A000': 'a table that is not imported refers to one that is: import that one, too',
  '55P03': 'another session holds a lock on one of the tables (see pg_locks); wait for it, or raise --lock-wait-timeout',
};

/** The server's error with what was attempted; others as they are.
 *  @param row what a line of the file is called */
export function importError(error: unknown, { what, row = 'line' }: { readonly what: string; readonly row?: string }): unknown {
  if (!(error instanceof TidemarkError) || error.code === 'CONNECTION_LOST') return error;
  const sqlstate = sqlstateOf(error);
  if (sqlstate === undefined || !isServerError(error.cause)) return error;
  const { message, where } = error.cause;
  const hint = hints[sqlstate] ?? error.hint;
  return new TidemarkError(sqlstate === '55P03' ? 'LOCK_TIMEOUT' : 'RESTORE_FAILED', `import ${what}${placeOf(where, row)}: ${message}`, {
    cause: error.cause,
    details: error.details,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** What the server says of the place in a COPY, without the values that it quotes. */
function placeOf(where: string | undefined, row: string): string {
  const found = /^COPY [^\n]*?, line (\d+)(?:, column ([^\n:]+))?/m.exec(where ?? '');
  if (found === null) return '';
  return `, ${row} ${found[1]}${found[2] === undefined ? '' : `, column ${found[2]}`}`;
}
