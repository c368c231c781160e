// The use case "take a snapshot": one view of the database, its schema and rows read in that view, one archive. This page is the order
// of the phases; each phase has a file of its own.

import { serializeCatalog } from '../archive/catalog-schema.js';
import { totalsOf } from '../archive/layout.js';
import { ArchiveWriter, type WrittenArchive } from '../archive/writer.js';
import type { Codec } from '../frame/codec.js';
import { catalogMember, globalsMember, postDataMember, preDataMember } from '../frame/member-names.js';
import { loadCodec } from '../frame/zstd.js';
import { encodeText } from '../model/byte-text.js';
import { TidemarkError } from '../model/errors.js';
import { formatVersion, type Manifest, type TableEntry } from '../model/manifest.js';
import type { Position } from '../model/position.js';
import { toolVersion } from '../model/tool-version.js';
import { isUntranslatable } from '../pg/errors.js';
import { qualifiedName } from '../pg/quote.js';
import { openSession, type Session } from '../pg/session.js';
import { isMarked, markerSchema } from '../restore/marker.js';
import { emitSection } from '../schema/emit.js';
import { emitGlobals } from '../schema/globals/emit.js';
import { contentSections } from '../selection/sections.js';
import { readCounters } from '../snapshot/counters.js';
import { readPosition } from '../snapshot/position-queries.js';
import { readSource } from '../snapshot/source.js';
import { openView, type View } from '../snapshot/view.js';
import { WorkerPool } from '../snapshot/worker-pool.js';
import { abortReason, withAge } from './abort.js';
import { chooseTables } from './choose-tables.js';
import { warnOfValues, withStatistics } from './planner-statistics.js';
import { withFilters } from './read-filters.js';
import { readRows } from './snapshot-data.js';
import { chunkBytes, planSnapshot, type SnapshotOptions, type SnapshotPlan } from './snapshot-options.js';
import { endingWith, openOutput, type SnapshotOutput } from './snapshot-output.js';
import { readSchema, type SnapshotSchema } from './snapshot-schema.js';

export interface SnapshotResult {
  /** Path of the archive; undefined where it went to a stream. */
  readonly file: string | undefined;
  /** Bytes and SHA-256 of the archive. */
  readonly bytes: bigint;
  readonly sha256: string;
  readonly manifest: Manifest;
  readonly durationMs: number;
  /** 1, or more when DDL came in between and it was started over. */
  readonly attempts: number;
}

/** Takes a consistent snapshot of a database into one archive.
 *
 *  The database is only read, in one REPEATABLE READ READ ONLY transaction that all workers share; every table is locked ACCESS SHARE
 *  (TRUNCATE and ALTER wait). A file appears under its name only when it is whole and on disk, with `<file>.manifest.json` and
 *  `<file>.sha256` beside it. On any failure nothing is left: no file, no session.
 *  @throws TidemarkError with the codes of docs/errors.md */
export async function takeSnapshot({ file, ...options }: SnapshotOptions): Promise<SnapshotResult> {
  const result = await snapshotInto(() => openOutput(file), options);
  return { file: typeof file === 'string' ? file : undefined, ...result };
}

/** The same for whoever has an output of its own. It is opened anew for each attempt.
 *  @throws TidemarkError with the codes of docs/errors.md */
export async function snapshotInto(
  open: () => Promise<SnapshotOutput>,
  options: Omit<SnapshotOptions, 'file'>,
): Promise<Omit<SnapshotResult, 'file'>> {
  let plan = planSnapshot(await withFilters(options));
  const started = performance.now();
  const codec = await loadCodec();
  for (let attempt = 1; ; attempt += 1) {
    await using output = await open();
    try {
      const { manifest, archive } = await attemptSnapshot(plan, { codec, output });
      const { bytes, sha256 } = archive;
      return { bytes, sha256, manifest, durationMs: performance.now() - started, attempts: attempt };
    } catch (error) {
      if (error instanceof TidemarkError && output.untouched && plan.encoding === undefined && isUntranslatable(error)) {
        plan = { ...plan, encoding: 'own' };
        plan.emit({ type: 'retry', attempt, reason: `${error.message}: names and definitions are read in the encoding of the database` });
        continue;
      }
      const again = error instanceof TidemarkError && error.code === 'CONCURRENT_DDL' && output.untouched && attempt < plan.attempts;
      if (!again) throw error;
      plan.emit({ type: 'retry', attempt, reason: error.message });
    }
  }
}

interface Tools {
  readonly codec: Codec;
  readonly output: SnapshotOutput;
}

async function attemptSnapshot(whole: SnapshotPlan, tools: Tools): Promise<{ manifest: Manifest; archive: WrittenArchive }> {
  using age = withAge(whole.signal, whole.maxAgeMs);
  const plan: SnapshotPlan = { ...whole, signal: age.signal };
  try {
    return await readAndWrite(plan, { ...tools, output: endingWith(age.signal, tools.output) });
  } catch (error) {
    throw abortReason(age.signal) ?? error;
  }
}

async function readAndWrite(plan: SnapshotPlan, { codec, output }: Tools): Promise<{ manifest: Manifest; archive: WrittenArchive }> {
  const { connection, emit, signal } = plan;
  emit({ type: 'phase', phase: 'connect' });
  await using control = await openSession(connection, { use: 'read', encoding: plan.encoding, applicationName: 'tidemark', signal });
  // The threads start up and connect while the control session locks tables and reads the schema.
  await using workers = startWorkers(plan, output);

  emit({ type: 'phase', phase: 'lock' });
  const view = await openView(control, {
    choose: (relations, schemas) => chooseTables(relations, schemas, { ...plan.contents, foreignServers: plan.foreignServers }),
    lockTimeoutMs: plan.lockTimeoutMs,
    rows: true,
  });
  if (await isMarked(control)) throw halfRestored(connection.database);
  const attached = workers.pool.then((pool) => pool.attach(view.snapshotId, namesOf(view)));
  attached.catch(() => undefined);
  const position = { at: view.at, lsn: view.lsn, ...(await readPosition(control, plan.position)), ...(await readCounters(control)) };

  emit({ type: 'phase', phase: 'schema' });
  const read = await readSchema(control, view, plan);
  const schema = plan.statistics ? await withStatistics(control, read) : read;
  await attached;
  const pool = await workers.pool;
  for (const object of schema.leftOut) emit({ type: 'left-out', object });
  warnOfValues(schema, emit);
  const writer = new ArchiveWriter({ sink: output, codec, level: plan.compressLevel });
  const members = [await writer.addMember(catalogMember, encodeText(serializeCatalog(schema.catalog)))];
  if (schema.catalog.globals !== undefined) members.push(await writer.addMember(globalsMember, encodeText(emitGlobals(schema.catalog))));
  if (plan.contents.sections.has('pre-data'))
    members.push(await writer.addMember(preDataMember, encodeText(emitSection(schema.catalog, 'pre-data'))));

  emit({ type: 'phase', phase: 'rows' });
  announce(schema, plan);
  // Nothing can be published without the control session, which holds locks: no reason to read on for hours until it is used again.
  const tables = await Promise.race([readRows(schema, { pool, writer, emit }), control.lost]);
  members.push(await writer.addMember(postDataMember, encodeText(afterRows(schema))));

  emit({ type: 'phase', phase: 'publish' });
  const manifest = await describe(control, { plan, view, position, schema, tables, members });
  const archive = await writer.finish(manifest);
  await pool.close();
  await control.query('COMMIT');
  signal?.throwIfAborted();
  await output.finish(archive, manifest);
  return { manifest, archive };
}

/** The workers as they come up; disposing of them ends also those that are still starting. */
function startWorkers(plan: SnapshotPlan, output: SnapshotOutput): AsyncDisposable & { readonly pool: Promise<WorkerPool> } {
  const { connection, encoding, compressLevel, contents, jobs, signal } = plan;
  const { spoolPrefix, keepsBytes } = output;
  const foreignTables = plan.foreignServers.length > 0;
  const settings = { connection, encoding, compressLevel, chunkBytes, window: 3, spoolPrefix, framesComeBack: !keepsBytes, foreignTables };
  const pool = WorkerPool.start(contents.sections.has('data') ? jobs : 0, settings, signal);
  const ended = pool.then(
    (started) => () => started[Symbol.asyncDispose](),
    () => async () => undefined,
  );
  return { pool, [Symbol.asyncDispose]: async () => (await ended)() };
}

/** The tables that rows may be read of. */
function namesOf({ tables }: View): readonly string[] {
  return tables.filter(({ relkind }) => relkind === 'r').map(({ schema, name }) => qualifiedName(schema, name));
}

/** Values of sequences belong to the data, and come with what runs after the rows. */
function afterRows({ catalog }: SnapshotSchema): string {
  return `${emitSection(catalog, 'data')}\n${emitSection(catalog, 'post-data')}`;
}

function announce({ toRead, largeObjects }: SnapshotSchema, { emit }: SnapshotPlan): void {
  const rows = toRead.reduce((sum, { described }) => sum + BigInt(Math.max(0, Math.round(described.estimatedRows))), 0n);
  const blobs = (largeObjects?.ranges ?? []).reduce((sum, range) => sum + range.bytes, 0n);
  const bytes = toRead.reduce((sum, { described }) => sum + described.bytes, blobs);
  emit({ type: 'plan', tables: toRead.length, rows, bytes, exact: false });
}

interface Described {
  readonly plan: SnapshotPlan;
  readonly view: View;
  readonly position: Position;
  readonly schema: SnapshotSchema;
  readonly tables: readonly TableEntry[];
  readonly members: Manifest['schema'];
}

async function describe(control: Session, { plan, position, schema, tables, members }: Described): Promise<Manifest> {
  return {
    format: 'tidemark',
    formatVersion,
    toolVersion,
    source: await readSource(control),
    position,
    settings: {
      jobs: plan.jobs,
      compressLevel: plan.compressLevel,
      chunkBytes,
      sections: contentSections(plan.contents.sections),
      selection: plan.asked,
    },
    schema: members,
    tables,
    leftOut: schema.leftOut,
    totals: totalsOf(tables),
  };
}

/** Told in the view itself: a restore makes its mark before everything else, and takes it away after everything else. */
function halfRestored(database: string): TidemarkError {
  return new TidemarkError('TARGET_MISMATCH', `take a snapshot of database ${database}: a restore into it has not ended`, {
    hint: `wait for its end; one that was killed is to be run again (schema ${markerSchema} marks the database as incomplete)`,
  });
}
