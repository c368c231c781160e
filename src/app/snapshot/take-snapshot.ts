// The use case "take a snapshot": one view of the database, its schema and rows read in that view, one archive. This page is the order
// of the phases; each phase has a file of its own.
import { setImmediate } from 'node:timers/promises';
import { serializeCatalog } from '../../archive/catalog-schema.js';
import { totalsOf } from '../../archive/layout.js';
import { ArchiveWriter } from '../../archive/writer.js';
import type { Codec } from '../../frame/codec.js';
import { catalogMember, globalsMember, postDataMember, preDataMember } from '../../frame/member-names.js';
import { loadCodec } from '../../frame/zstd.js';
import { formatVersion, type Manifest, type StoredMember, type TableEntry } from '../../model/manifest.js';
import { refuseUnknownOptions } from '../../model/option-names.js';
import type { Position } from '../../model/position.js';
import { toolVersion } from '../../model/tool-version.js';
import { isOnThisMachine } from '../../pg/same-machine.js';
import type { Session } from '../../pg/session.js';
import { emitSection } from '../../schema/emit.js';
import { emitGlobals } from '../../schema/globals/emit.js';
import { contentSections } from '../../selection/sections.js';
import { usualLevel } from '../../snapshot/choose-level.js';
import { readSource } from '../../snapshot/source.js';
import { withFilters } from '../read-filters.js';
import { type SealedArchive, type Sealing, type SealingSink, sealingSink } from '../seal/seal-archive.js';
import { checkPlace, settleSealing } from '../seal/settle-sealing.js';
import { BaseOnce, type SnapshotBase } from './base.js';
import { type CompletedPartitions, isDurable, lookAtPartitions } from './completed-partitions.js';
import { planSnapshot, type SnapshotOptions, type SnapshotPlan, snapshotOptionNames } from './options.js';
import { endingWith, openOutput, type SnapshotOutput } from './output.js';
import type { Readable } from './plan-ranges.js';
import { tablesReadEarly } from './read-early.js';
import { readRows } from './read-rows.js';
import type { SnapshotSchema } from './schema.js';
import { type SettledLevel, settleRows, withoutSamples } from './settle-rows.js';
import { announce, bytesToRead, type FixedView, inAttempts, seeAll, withView } from './sight.js';

export interface SnapshotResult {
  /** Path of the archive; undefined where it went to a stream. */
  readonly file: string | undefined;
  /** Bytes and SHA-256 of the archive, as it was written: of the encrypted one. */
  readonly bytes: bigint;
  readonly sha256: string;
  readonly manifest: Manifest;
  readonly durationMs: number;
  /** Id of the key that signed it. */
  readonly signedBy?: string;
  /** How many it was encrypted to. */
  readonly recipients?: number;
  /** 1, or more when DDL came in between and it was started over. */
  readonly attempts: number;
}

/** Takes a consistent snapshot of a database into one archive.
 *
 *  The database is only read, in one REPEATABLE READ READ ONLY transaction that all workers share; every table is locked ACCESS SHARE
 *  (TRUNCATE and ALTER wait). A file appears under its name only when it is whole and on disk, with `<file>.manifest.json` and
 *  `<file>.sha256` beside it. On any failure nothing is left: no file, no session.
 *  @throws TidemarkError with the codes of docs/errors.md */
export async function takeSnapshot(given: SnapshotOptions): Promise<SnapshotResult> {
  refuseUnknownOptions(given, snapshotOptionNames, 'take a snapshot');
  const { file, ...options } = given;
  const sealing = await settleSealing(options);
  checkPlace(file, sealing);
  const result = await snapshotInto(() => openOutput(file), options, sealing);
  return { file: typeof file === 'string' ? file : undefined, ...result };
}

/** The same for whoever has an output of its own. It is opened anew for each attempt.
 *  @throws TidemarkError with the codes of docs/errors.md */
export async function snapshotInto(
  open: (sealing: Sealing) => Promise<SnapshotOutput>,
  options: Omit<SnapshotOptions, 'file'>,
  settled?: Sealing,
): Promise<Omit<SnapshotResult, 'file'>> {
  const plan = planSnapshot(await withFilters(options));
  const sealing = settled ?? (await settleSealing(options));
  const started = performance.now();
  const codec = await loadCodec();
  const { completed } = options;
  const base = new BaseOnce(completed, plan.signal);
  const { result, attempts } = await inAttempts(
    plan,
    () => open(sealing),
    async (whole, output) =>
      readAndWrite(whole, { codec, sealing, base: await base.open(output.place), output: endingWith(whole.signal, output) }),
  ).finally(() => base[Symbol.asyncDispose]());
  const { bytes, sha256 } = result.archive;
  const signedBy = sealing.signKey?.id;
  const recipients = sealing.recipients?.length;
  return {
    bytes,
    sha256,
    manifest: result.manifest,
    durationMs: performance.now() - started,
    attempts,
    ...(signedBy && { signedBy }),
    ...(recipients && { recipients }),
  };
}

/** Schema and manifest are well within it, but for databases of a hundred thousand tables. */
const smallBytes = 1n << 28n;

interface Tools {
  readonly codec: Codec;
  readonly output: SnapshotOutput;
  readonly sealing: Sealing;
  readonly base: SnapshotBase | undefined;
}

async function readAndWrite(plan: SnapshotPlan, tools: Tools): Promise<{ manifest: Manifest; archive: SealedArchive }> {
  return withView(plan, tools.output, (fixed) => write(plan, { ...tools, fixed, early: tablesReadEarly(fixed.view, plan) }));
}

interface InView extends Tools {
  readonly fixed: FixedView;
  /** Their rows are read while the schema is. */
  readonly early: Readable['toRead'];
}

async function write(plan: SnapshotPlan, tools: InView): Promise<{ manifest: Manifest; archive: SealedArchive }> {
  const { signal } = plan;
  const { output, fixed } = tools;
  const { control, position, view, chunkBytes } = fixed;
  const settling = settle(plan, tools);
  const begun = settling.then(async ({ writer, schema }) => ({ writer, schema, members: await writeBeginning(writer, schema, plan) }));
  begun.catch(() => undefined);
  const reading = readRows(plan, { attached: fixed.attached, early: tools.early, settling, begun });
  reading.catch(() => undefined);
  const { schema, settled, writer, sink, describeTables } = await settling;
  // Nothing can be published without the control session, which holds locks: no reason to read on for hours until it is used again.
  const [{ members }, read] = await Promise.race([Promise.all([begun, reading]), control.lost]);
  // What the workers took is free for what is left to do.
  const [postData] = await Promise.all([writer.addMember(postDataMember, afterRows(schema)), fixed.attached.then((pool) => pool.close())]);
  members.push(postData);

  plan.emit({ type: 'phase', phase: 'publish' });
  const durable = plan.completedOnce.length === 0 || (await isDurable(control, view));
  if (!durable)
    plan.emit({ type: 'notice', message: 'the next snapshot exports completed partitions again: not all of the view is on disk yet' });
  const manifest = await describe(control, { plan, settled, chunkBytes, position, schema, ...describeTables(read, durable), members });
  const archive = await sink.seal(await writer.finish(manifest));
  await control.query('COMMIT');
  signal?.throwIfAborted();
  await output.finish(archive, manifest);
  return { manifest, archive };
}

interface Settled {
  readonly schema: SnapshotSchema;
  readonly settled: SettledLevel;
  readonly writer: ArchiveWriter;
  readonly sink: SealingSink;
  readonly describeTables: CompletedPartitions['describe'];
}

/** Reads the schema, and settles how rows travel and where they go. */
async function settle(plan: SnapshotPlan, { codec, output, sealing, base, fixed, early }: InView): Promise<Settled> {
  const { emit } = plan;
  const sight = await seeAll(fixed, plan);
  const { schema: chosen, describe: describeTables } = await lookAtPartitions(plan, sight, base);
  await output.begin({ position: fixed.position, bytes: bytesToRead(chosen) + smallBytes });
  const sink = await sealingSink(output, sealing);
  const writer = new ArchiveWriter({ sink, codec, level: plan.compressLevel === 'auto' ? usualLevel : plan.compressLevel });

  emit({ type: 'phase', phase: 'rows' });
  announce(chosen, plan);
  const { schema, settled } =
    early.length > 0
      ? { schema: chosen, settled: withoutSamples(plan) }
      : await Promise.race([settleRows(chosen, plan, { pool: sight.pool, here: isOnThisMachine(fixed.control) }), fixed.control.lost]);
  return { schema, settled, writer, sink, describeTables };
}

/** What comes before the rows. The workers are at work by then, and of a large schema this is some time. */
async function writeBeginning(writer: ArchiveWriter, { catalog }: SnapshotSchema, { contents }: SnapshotPlan): Promise<StoredMember[]> {
  await setImmediate();
  const members = [await writer.addMember(catalogMember, serializeCatalog(catalog))];
  if (catalog.globals !== undefined) members.push(await writer.addMember(globalsMember, emitGlobals(catalog)));
  if (contents.sections.has('pre-data')) members.push(await writer.addMember(preDataMember, emitSection(catalog, 'pre-data')));
  return members;
}

/** Values of sequences belong to the data, and come with what runs after the rows. */
function afterRows({ catalog }: SnapshotSchema): string {
  return `${emitSection(catalog, 'data')}\n${emitSection(catalog, 'post-data')}`;
}

interface Described {
  readonly plan: SnapshotPlan;
  readonly settled: SettledLevel;
  readonly chunkBytes: number;
  readonly position: Position;
  readonly schema: SnapshotSchema;
  readonly tables: readonly TableEntry[];
  readonly archives?: Manifest['archives'];
  readonly members: Manifest['schema'];
}

async function describe(
  control: Session,
  { plan, settled, chunkBytes, position, schema, tables, archives, members }: Described,
): Promise<Manifest> {
  return {
    format: 'tidemark',
    formatVersion,
    toolVersion,
    source: await readSource(control),
    position,
    settings: {
      jobs: plan.jobs,
      compressLevel: settled.level,
      ...(settled.choice && { compression: settled.choice }),
      chunkBytes,
      sections: contentSections(plan.contents.sections),
      selection: plan.asked,
    },
    schema: members,
    tables,
    ...(archives && { archives }),
    leftOut: schema.leftOut,
    totals: totalsOf(tables),
  };
}
