// The options of a restore as a caller gives them, and as they are once checked and filled up.
import { availableParallelism } from 'node:os';
import { TidemarkError } from '../model/errors.js';
import type { EventListener } from '../model/events.js';
import type { ConnectionSettings } from '../pg/settings.js';
import { type Pattern, parsePattern, parseSchemaPattern } from '../selection/pattern.js';
import { connectionOf, type Database } from './connection.js';

export interface RestoreOptions {
  /** Path of the archive, or its bytes in order (from a pipe; in the middle of a restore nobody can look at its end). */
  readonly file: string | AsyncIterable<Uint8Array>;
  /** The database to restore into; default: DATABASE_URL, then the PG* variables and .pgpass. */
  readonly database?: Database;
  /** Connections that work at once. Default: processors, at most 4. An existing database is restored into by one alone. */
  readonly jobs?: number;
  /** Patterns as in psql and pg_restore: only these tables, or schemas. */
  readonly tables?: readonly string[];
  readonly schemas?: readonly string[];
  readonly schemaOnly?: boolean;
  readonly dataOnly?: boolean;
  readonly noOwner?: boolean;
  readonly noPrivileges?: boolean;
  /** Drops what the archive has before it is made anew; missing objects are an error unless `ifExists`. */
  readonly clean?: boolean;
  readonly ifExists?: boolean;
  /** Makes the database that the archive names; `database` is only connected to for that. With `clean` it is dropped first. */
  readonly create?: boolean;
  /** Replaces the rows of tables that are there already. */
  readonly truncate?: boolean;
  /** Only says what would be done. */
  readonly dryRun?: boolean;
  /** Restores into `<database>__restoring`, which takes the place of the database once it is complete. */
  readonly swap?: boolean;
  /** With `swap`: ends the sessions on the database. */
  readonly force?: boolean;
  readonly onEvent?: EventListener;
  readonly signal?: AbortSignal;
}

export interface RestoreSettings {
  readonly file: string | AsyncIterable<Uint8Array>;
  readonly connection: ConnectionSettings;
  readonly jobs: number;
  readonly patterns: { readonly tables: readonly Pattern[]; readonly schemas: readonly Pattern[] };
  /** True where the patterns choose less than all. */
  readonly selected: boolean;
  readonly schema: boolean;
  readonly data: boolean;
  readonly owner: boolean;
  readonly privileges: boolean;
  readonly clean: { readonly ifExists: boolean } | undefined;
  readonly create: boolean;
  readonly truncate: boolean;
  readonly dryRun: boolean;
  readonly swap: boolean;
  readonly force: boolean;
  readonly emit: EventListener;
  readonly signal: AbortSignal | undefined;
}

/** Pairs that contradict each other. */
const exclusive: readonly (readonly [one: keyof RestoreOptions, other: keyof RestoreOptions])[] = [
  ['schemaOnly', 'dataOnly'],
  ['schemaOnly', 'truncate'],
  ['clean', 'dataOnly'],
  ['clean', 'truncate'],
  ['create', 'dataOnly'],
  ['create', 'truncate'],
  ['create', 'swap'],
  ['swap', 'clean'],
  ['swap', 'dataOnly'],
  ['swap', 'truncate'],
  ['swap', 'tables'],
  ['swap', 'schemas'],
];

/** Checks the options. @throws TidemarkError USAGE with one sentence for the first that cannot be */
export function settleRestore(options: RestoreOptions): RestoreSettings {
  const { jobs = Math.min(availableParallelism(), 4), tables = [], schemas = [] } = options;
  refuse(!Number.isInteger(jobs) || jobs < 1 || jobs > 256, 'jobs must be a whole number from 1 to 256');
  for (const [one, other] of exclusive)
    refuse(isGiven(options, one) && isGiven(options, other), `${word(one)} and ${word(other)} exclude each other`);
  refuse(options.ifExists === true && !options.clean, 'if-exists needs clean');
  refuse(options.force === true && !options.swap, 'force needs swap');
  const piped = typeof options.file !== 'string';
  refuse(piped && options.create === true, 'create needs a file: from a pipe the name and encoding of the database come last');
  refuse(piped && options.dryRun === true, 'a dry run needs a file: a pipe could not be read again');
  const connection = connectionOf(options.database);
  // With --create the archive's database is not the one that the connection names.
  const database = options.create ? {} : { database: connection.database };
  const truncate = options.truncate ?? false;
  return {
    file: options.file,
    connection,
    jobs,
    patterns: {
      tables: tables.map((text) => parsePattern(text, database)),
      schemas: schemas.map((text) => parseSchemaPattern(text, database)),
    },
    selected: tables.length + schemas.length > 0,
    schema: !options.dataOnly && !truncate,
    data: !options.schemaOnly,
    owner: !options.noOwner,
    privileges: !options.noPrivileges,
    clean: options.clean ? { ifExists: options.ifExists ?? false } : undefined,
    create: options.create ?? false,
    truncate,
    dryRun: options.dryRun ?? false,
    swap: options.swap ?? false,
    force: options.force ?? false,
    emit: options.onEvent ?? (() => undefined),
    signal: options.signal,
  };
}

function isGiven(options: RestoreOptions, name: keyof RestoreOptions): boolean {
  const value = options[name];
  return Array.isArray(value) ? value.length > 0 : value === true;
}

/** `schemaOnly` -> `schema-only`, as on the command line. */
function word(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function refuse(wrong: boolean, why: string): void {
  if (wrong) throw new TidemarkError('USAGE', `restore: ${why}`);
}
