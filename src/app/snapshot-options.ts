// The options of a snapshot as a caller gives them, and as they are once checked and filled up.
import { availableParallelism } from 'node:os';
import type { Writable } from 'node:stream';
import type { CopyFormat } from '../model/catalog.js';
import { TidemarkError } from '../model/errors.js';
import type { EventListener } from '../model/events.js';
import type { ConnectionSettings } from '../pg/settings.js';
import { type Pattern, parsePattern, parseSchemaPattern } from '../selection/pattern.js';
import type { PositionQueries } from '../snapshot/position-queries.js';
import { connectionOf, type Database } from './connection.js';

export interface SnapshotOptions extends PositionQueries {
  /** The database to read; default: DATABASE_URL, then the PG* variables and .pgpass. */
  readonly database?: Database;
  /** Path of the archive, or a stream that takes it in order (then there are no sidecars; it is for its owner to end). */
  readonly file: string | Writable;
  /** Worker threads, each with a connection of its own; the control connection comes on top. Default: processors, at most 4. */
  readonly jobs?: number;
  /** zstd level, -7 to 22 without 0. Default 3. */
  readonly compressLevel?: number;
  /** 'auto' (default): binary for tables of types whose binary form is the same on every server, else text.
   *  'binary': all tables, for servers of the same version; a column that cannot travel so is an error. */
  readonly copyFormat?: CopyFormat | 'auto';
  /** Patterns as in psql and pg_dump: tables, or schemas, to take along or to leave out. */
  readonly tables?: readonly string[];
  readonly excludeTables?: readonly string[];
  readonly excludeTableData?: readonly string[];
  readonly schemas?: readonly string[];
  readonly excludeSchemas?: readonly string[];
  readonly schemaOnly?: boolean;
  readonly dataOnly?: boolean;
  readonly noOwner?: boolean;
  readonly noPrivileges?: boolean;
  /** How long a table lock may be waited for, in ms; readers that come after us wait as long at most. 0: for ever. Default 10 s. */
  readonly lockTimeoutMs?: number;
  /** The transaction is given up when it gets older than this, in ms: an old one keeps the server from cleaning up. Default: never. */
  readonly maxAgeMs?: number;
  /** Goes on without objects of kinds that are not known, and lists them in the manifest. */
  readonly skipUnsupported?: boolean;
  /** How often to start over when DDL came in between. Default 5 attempts. */
  readonly attempts?: number;
  readonly onEvent?: EventListener;
  readonly signal?: AbortSignal;
}

/** Raw bytes at which a chunk is closed. */
export const chunkBytes = 4 << 20;

export interface SnapshotPlan {
  readonly connection: ConnectionSettings;
  readonly jobs: number;
  readonly compressLevel: number;
  readonly copyFormat: CopyFormat | 'auto';
  readonly patterns: {
    readonly tables: readonly Pattern[];
    readonly excludeTables: readonly Pattern[];
    readonly schemas: readonly Pattern[];
    readonly excludeSchemas: readonly Pattern[];
  };
  readonly excludeTableData: readonly Pattern[];
  /** What was asked for, for the manifest. */
  readonly selection: Readonly<Record<string, readonly string[]>>;
  readonly sections: readonly ('schema' | 'data')[];
  readonly owner: boolean;
  readonly privileges: boolean;
  readonly lockTimeoutMs: number;
  readonly maxAgeMs: number | undefined;
  readonly skipUnsupported: boolean;
  readonly attempts: number;
  readonly position: PositionQueries;
  readonly emit: EventListener;
  readonly signal: AbortSignal | undefined;
}

/** Checks the options. @throws TidemarkError USAGE with one sentence for the first that cannot be */
export function planSnapshot(options: Omit<SnapshotOptions, 'file'>): SnapshotPlan {
  const { jobs = Math.min(availableParallelism(), 4), compressLevel = 3, lockTimeoutMs = 10_000, maxAgeMs, attempts = 5 } = options;
  refuse(!Number.isInteger(jobs) || jobs < 1 || jobs > 256, 'jobs must be a whole number from 1 to 256');
  refuse(
    !Number.isInteger(compressLevel) || compressLevel < -7 || compressLevel > 22 || compressLevel === 0,
    'the compression level must be a whole number from 1 to 22, or from -7 to -1',
  );
  refuse(!(lockTimeoutMs >= 0) || lockTimeoutMs > 2 ** 31 - 1, 'the lock timeout must not be negative');
  refuse(maxAgeMs !== undefined && !(maxAgeMs > 0), 'the maximum age must be greater than zero');
  refuse(!Number.isInteger(attempts) || attempts < 1, 'attempts must be a whole number from 1');
  refuse(options.schemaOnly === true && options.dataOnly === true, 'schema-only and data-only exclude each other');
  refuse(options.height !== undefined && options.heightQuery !== undefined, 'height and height query exclude each other');
  refuse(
    options.height !== undefined && (options.height < 0n || options.height >= 10n ** 19n),
    'the height must have 1 to 19 digits and no sign',
  );
  const connection = connectionOf(options.database);
  const { database } = connection;
  const asked = {
    table: options.tables,
    excludeTable: options.excludeTables,
    excludeTableData: options.excludeTableData,
    schema: options.schemas,
    excludeSchema: options.excludeSchemas,
  };
  const tables = (texts: readonly string[] = []): Pattern[] => texts.map((text) => parsePattern(text, { database }));
  const schemas = (texts: readonly string[] = []): Pattern[] => texts.map((text) => parseSchemaPattern(text, { database }));
  return {
    connection,
    jobs,
    compressLevel,
    copyFormat: options.copyFormat ?? 'auto',
    patterns: {
      tables: tables(options.tables),
      excludeTables: tables(options.excludeTables),
      schemas: schemas(options.schemas),
      excludeSchemas: schemas(options.excludeSchemas),
    },
    excludeTableData: tables(options.excludeTableData),
    selection: Object.fromEntries(Object.entries(asked).flatMap(([name, texts]) => (texts?.length ? [[name, texts]] : []))),
    sections: options.schemaOnly ? ['schema'] : options.dataOnly ? ['data'] : ['schema', 'data'],
    owner: !options.noOwner,
    privileges: !options.noPrivileges,
    lockTimeoutMs,
    maxAgeMs,
    skipUnsupported: options.skipUnsupported ?? false,
    attempts,
    position: {
      ...(options.height === undefined ? {} : { height: options.height }),
      ...(options.heightQuery === undefined ? {} : { heightQuery: options.heightQuery }),
      ...(options.hashQuery === undefined ? {} : { hashQuery: options.hashQuery }),
      ...(options.streamsQuery === undefined ? {} : { streamsQuery: options.streamsQuery }),
    },
    emit: options.onEvent ?? (() => undefined),
    signal: options.signal,
  };
}

function refuse(wrong: boolean, why: string): void {
  if (wrong) throw new TidemarkError('USAGE', `take a snapshot: ${why}`);
}
