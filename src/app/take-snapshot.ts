// The use case "take a snapshot": one view of the database, its schema and rows read in that view, one archive. This page is the order
// of the phases; each phase has a file of its own.

import { serializeCatalog } from '../archive/catalog-schema.js';
import { totalsOf } from '../archive/layout.js';
import { ArchiveWriter, type WrittenArchive } from '../archive/writer.js';
import type { Codec } from '../frame/codec.js';
import { catalogMember, globalsMember, postDataMember, preDataMember } from '../frame/member-names.js';
import { loadCodec } from '../frame/zstd.js';
import { encodeText } from '../model/byte-text.js';
import { formatVersion, type Manifest, type TableEntry } from '../model/manifest.js';
import type { Position } from '../model/position.js';
import { toolVersion } from '../model/tool-version.js';
import type { Session } from '../pg/session.js';
import { emitSection } from '../schema/emit.js';
import { emitGlobals } from '../schema/globals/emit.js';
import { contentSections } from '../selection/sections.js';
import { readSource } from '../snapshot/source.js';
import { withFilters } from './read-filters.js';
import { settleSealing } from './seal/settle-sealing.js';
import { announce, bytesToRead, inAttempts, type Sight, withSight } from './sight.js';
import { readRows } from './snapshot-data.js';
import { chunkBytes, planSnapshot, type SnapshotOptions, type SnapshotPlan } from './snapshot-options.js';
import { endingWith, openOutput, type SnapshotOutput } from './snapshot-output.js';
import type { SnapshotSchema } from './snapshot-schema.js';

export interface SnapshotResult {
  /** Path of the archive; undefined where it went to a stream. */
  readonly file: string | undefined;
  /** Bytes and SHA-256 of the archive. */
  readonly bytes: bigint;
  readonly sha256: string;
  readonly manifest: Manifest;
  readonly durationMs: number;
  /** Id of the key that signed it. */
  readonly signedBy?: string;
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
  const sealing = await settleSealing(file, options);
  const result = await snapshotInto(() => openOutput(file, sealing), options);
  const signedBy = sealing.signKey?.id;
  return { file: typeof file === 'string' ? file : undefined, ...result, ...(signedBy === undefined ? {} : { signedBy }) };
}

/** The same for whoever has an output of its own. It is opened anew for each attempt.
 *  @throws TidemarkError with the codes of docs/errors.md */
export async function snapshotInto(
  open: () => Promise<SnapshotOutput>,
  options: Omit<SnapshotOptions, 'file'>,
): Promise<Omit<SnapshotResult, 'file' | 'signedBy'>> {
  const plan = planSnapshot(await withFilters(options));
  const started = performance.now();
  const codec = await loadCodec();
  const { result, attempts } = await inAttempts(plan, open, (whole, output) =>
    readAndWrite(whole, { codec, output: endingWith(whole.signal, output) }),
  );
  const { bytes, sha256 } = result.archive;
  return { bytes, sha256, manifest: result.manifest, durationMs: performance.now() - started, attempts };
}

/** Schema and manifest are well within it, but for databases of a hundred thousand tables. */
const smallBytes = 1n << 28n;

interface Tools {
  readonly codec: Codec;
  readonly output: SnapshotOutput;
}

async function readAndWrite(plan: SnapshotPlan, { codec, output }: Tools): Promise<{ manifest: Manifest; archive: WrittenArchive }> {
  return withSight(plan, output, (sight) => write(plan, { codec, output, sight }));
}

async function write(
  plan: SnapshotPlan,
  { codec, output, sight }: Tools & { readonly sight: Sight },
): Promise<{ manifest: Manifest; archive: WrittenArchive }> {
  const { emit, signal } = plan;
  const { control, pool, position, schema } = sight;
  await output.begin({ position, bytes: bytesToRead(schema) + smallBytes });
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
  const manifest = await describe(control, { plan, position, schema, tables, members });
  const archive = await writer.finish(manifest);
  await pool.close();
  await control.query('COMMIT');
  signal?.throwIfAborted();
  await output.finish(archive, manifest);
  return { manifest, archive };
}

/** Values of sequences belong to the data, and come with what runs after the rows. */
function afterRows({ catalog }: SnapshotSchema): string {
  return `${emitSection(catalog, 'data')}\n${emitSection(catalog, 'post-data')}`;
}

interface Described {
  readonly plan: SnapshotPlan;
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
