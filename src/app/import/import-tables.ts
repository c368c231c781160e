// The use case "import tables": the files of an export into tables that are there, in one transaction. This page is the order of the phases;
// files are source.ts's, the target's side is in src/restore/import-*.ts.
import { randomBytes } from 'node:crypto';
import { loadCodec } from '../../frame/zstd.js';
import { TidemarkError } from '../../model/errors.js';
import type { ExportedTable, ExportManifest } from '../../model/export.js';
import type { Position } from '../../model/position.js';
import { qualifiedName } from '../../pg/quote.js';
import type { Session } from '../../pg/session.js';
import { inForeignKeyOrder } from '../../restore/foreign-keys.js';
import { importError, importRows } from '../../restore/import-rows.js';
import { setSequences } from '../../restore/import-sequences.js';
import { findTargets, type Target, truncateSql, type WantedTarget } from '../../restore/import-target.js';
import { partitionedByThese } from '../../restore/partitioned.js';
import { Sessions } from '../../restore/sessions.js';
import { abortReason } from '../abort.js';
import { refuse } from '../common-options.js';
import { chooseExported, type ImportOptions, type ImportSettings, settleImport } from './options.js';
import { type ExportSource, openExport, readExport, readRowsOf, verifyFile } from './source.js';

export type { ImportOptions } from './options.js';

export interface ImportResult {
  readonly database: string;
  readonly tables: number;
  readonly rows: bigint;
  /** Bytes of COPY data that were sent. */
  readonly rawBytes: bigint;
  /** Sequences of serial and identity columns that were set. */
  readonly sequences: number;
  readonly durationMs: number;
  /** Where the source stood when the export was made. */
  readonly position: Position;
}

/** Loads an export, or some tables of it, into tables that are there.
 *
 *  Every file's SHA-256 is checked before the first row is sent. All is one transaction: on any failure the target is as it was. Columns go by
 *  name; the target may have more, which get their defaults. Row counts are those of the server, compared with the manifest.
 *  @throws TidemarkError TARGET_MISMATCH, RESTORE_FAILED naming table, file and line, LOCK_TIMEOUT, ARCHIVE_*, PATTERN_UNMATCHED, CONNECTION_*,
 *  ABORTED, USAGE */
export async function importTables(options: ImportOptions): Promise<ImportResult> {
  const settings = settleImport(options);
  const { connection, emit, directory, store } = settings;
  const started = performance.now();
  const stop = new AbortController();
  const signal = settings.signal ? AbortSignal.any([settings.signal, stop.signal]) : stop.signal;
  await using source = await openExport(directory, { store, signal });
  const manifest = await readExport(source);
  const chosen = chooseExported(manifest, settings);
  const { encoding } = manifest;
  const applicationName = `tidemark import ${randomBytes(4).toString('hex')}`;
  const sessions = new Sessions({ connection, applicationName, encodings: { text: encoding, rows: encoding }, jobs: 1, signal });
  const work: Work = { settings, source, manifest, chosen, signal, state: 'as it was' };
  try {
    emit({ type: 'phase', phase: 'verify' });
    for (const table of chosen) await verifyFile(source, table, signal);
    emit({ type: 'phase', phase: 'connect' });
    const session = await sessions.open(connection.database);
    const sequences = await load(session, work);
    await sessions[Symbol.asyncDispose]();
    const { rows, rawBytes } = totalsOf(chosen);
    const durationMs = performance.now() - started;
    return { database: connection.database, tables: chosen.length, rows, rawBytes, sequences, durationMs, position: manifest.position };
  } catch (error) {
    stop.abort();
    await sessions.end([connection.database, 'postgres', 'template1']);
    throw withState(abortReason(settings.signal) ?? error, work);
  }
}

interface Work {
  readonly settings: ImportSettings;
  readonly source: ExportSource;
  readonly manifest: ExportManifest;
  readonly chosen: readonly ExportedTable[];
  readonly signal: AbortSignal;
  /** Of the target, after a failure. */
  state: 'as it was' | 'unknown' | 'complete';
}

interface Load {
  readonly table: ExportedTable;
  readonly target: Target;
}

/** @returns how many sequences were set */
async function load(session: Session, work: Work): Promise<number> {
  const { settings, manifest, chosen } = work;
  const { emit, lockTimeoutMs, truncate } = settings;
  await session.query('BEGIN');
  await session.query(`SET LOCAL lock_timeout = ${Math.trunc(lockTimeoutMs)}`);
  const targets = await findTargets(session, wantedOf(work));
  const loads = await inOrder(
    session,
    chosen.map((table, i) => ({ table, target: targets[i] as Target })),
  );
  refuseShared(loads);
  const { rows, rawBytes } = totalsOf(chosen);
  emit({ type: 'plan', tables: chosen.length, rows, bytes: rawBytes, exact: true });
  if (truncate && loads.length > 0) await truncateAll(session, targets);

  emit({ type: 'phase', phase: 'rows' });
  await session.query('SET CONSTRAINTS ALL DEFERRED');
  await importAll(session, loads, work);
  // What was put off fails now, and not at COMMIT, when sequences are set already.
  await session.query('SET CONSTRAINTS ALL IMMEDIATE').catch((error: unknown) => {
    throw importError(error, { what: 'rows: check what was deferred' });
  });
  if (settings.analyze && loads.length > 0) {
    emit({ type: 'phase', phase: 'analyze' });
    await session.query(`ANALYZE ${namesOf(targets).join(', ')}`);
  }
  const sequences = settings.sequences ? await setAll(session, loads, { manifest, truncate }) : 0;
  work.state = 'unknown';
  await session.query('COMMIT');
  work.state = 'complete';
  return sequences;
}

function wantedOf({ settings, manifest, chosen }: Work): readonly WantedTarget[] {
  const { schemaOf, viaRoot } = settings;
  return chosen.map(({ schema, name, partitionOf, columns }) => {
    // The target may have other partitions.
    const place = viaRoot && partitionOf !== undefined ? partitionOf : { schema, name };
    return {
      schema: schemaOf(place.schema),
      name: place.name,
      viaRoot,
      columns: columns.map((column) => ({ ...column, type: typeIn(column.type, schemaOf) })),
      sameTypes: manifest.copyFormat === 'binary',
    };
  });
}

/** `"old"."mood"[]` -> `"new"."mood"[]`: types of the user come along with their tables. */
function typeIn(type: string, schemaOf: ImportSettings['schemaOf']): string {
  const schema = /^"((?:[^"]|"")*)"\./.exec(type);
  if (schema === null) return type;
  return `${qualifiedName(null, schemaOf((schema[1] ?? '').replaceAll('""', '"')))}.${type.slice(schema[0].length)}`;
}

/** Two tables of the export in one: only partitions may do that. */
function refuseShared(loads: readonly Load[]): void {
  const taken = new Map<string, ExportedTable>();
  for (const { table, target } of loads) {
    const name = `${target.schema}.${target.name}`;
    const other = taken.get(name);
    refuse(
      other !== undefined && !target.partitioned,
      `import: ${other?.schema}.${other?.name} and ${table.schema}.${table.name} would both go into ${name}`,
    );
    taken.set(name, table);
  }
}

/** Tables that others refer to first. A partitioned table is filled when its partitions are. */
async function inOrder(session: Session, loads: readonly Load[]): Promise<readonly Load[]> {
  const nodes = new Map<string, { readonly schema: string; readonly name: string; readonly loads: Load[] }>();
  const node = ({ schema, name }: { readonly schema: string; readonly name: string }) => {
    const key = JSON.stringify([schema, name]);
    const found = nodes.get(key) ?? { schema, name, loads: [] };
    nodes.set(key, found);
    return found;
  };
  for (const one of loads) node(one.target).loads.push(one);
  const within = loads.flatMap(({ target }) => (target.root === undefined ? [] : [[node(target.root), node(target)] as const]));
  const ordered = await inForeignKeyOrder(session, [...nodes.values()], within);
  return ordered.flatMap((one) => one.loads);
}

async function truncateAll(session: Session, targets: readonly Target[]): Promise<void> {
  const whole = await partitionedByThese(session, targets);
  await session.query(truncateSql(targets, whole)).catch((error: unknown) => {
    throw importError(error, { what: 'rows: truncate the tables' });
  });
}

async function importAll(session: Session, loads: readonly Load[], { settings, source, manifest, signal }: Work): Promise<void> {
  const { emit } = settings;
  const codec = await loadCodec();
  let done = { rows: 0n, rawBytes: 0n, compressedBytes: 0n };
  await session.carryRows(manifest.encoding);
  for (const { table, target } of loads) {
    signal.throwIfAborted();
    const { columns, file, rows, rawBytes, bytes } = table;
    const { schema, name } = target;
    const body = readRowsOf(codec, source, table);
    await importRows(session, { schema, name, columns, format: manifest.copyFormat, file, rows, body });
    done = { rows: done.rows + rows, rawBytes: done.rawBytes + rawBytes, compressedBytes: done.compressedBytes + bytes };
    emit({ type: 'progress', ...done });
    emit({ type: 'table', schema, name, rows, rawBytes });
  }
  await session.carryRows();
}

async function setAll(
  session: Session,
  loads: readonly Load[],
  { manifest, truncate }: { readonly manifest: ExportManifest; readonly truncate: boolean },
): Promise<number> {
  const wanted = manifest.sequences.flatMap(({ schema, table, ...stand }) => {
    const one = loads.find(({ table: loaded }) => loaded.schema === schema && loaded.name === table);
    if (one !== undefined) return [{ schema: one.target.schema, table: one.target.name, ...stand }];
    const part = loads.find(({ table: { partitionOf } }) => partitionOf?.schema === schema && partitionOf.name === table);
    const root = part?.target.partitioned ? part.target : part?.target.root;
    return root === undefined ? [] : [{ schema: root.schema, table: root.name, ...stand }];
  });
  return setSequences(session, wanted, truncate);
}

function namesOf(targets: readonly Target[]): readonly string[] {
  return [...new Set(targets.map(({ schema, name }) => qualifiedName(schema, name)))];
}

function totalsOf(tables: readonly ExportedTable[]): { readonly rows: bigint; readonly rawBytes: bigint } {
  return tables.reduce((sum, { rows, rawBytes }) => ({ rows: sum.rows + rows, rawBytes: sum.rawBytes + rawBytes }), {
    rows: 0n,
    rawBytes: 0n,
  });
}

/** The same error, which also says what became of the target. */
function withState(error: unknown, { state, settings }: Work): unknown {
  const failure = error instanceof TidemarkError ? error : new TidemarkError('INTERNAL', String(error), { cause: error });
  const { code, message, hint, details, cause } = failure;
  const { database } = settings.connection;
  const said = state === 'unknown' ? `whether database ${database} has the rows is not known` : `database ${database} is ${state}`;
  return new TidemarkError(code, `${message}; ${said}`, { details, cause: cause ?? failure, ...(hint === undefined ? {} : { hint }) });
}
