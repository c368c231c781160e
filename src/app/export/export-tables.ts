// The use case "export tables": the rows of a database in one view, one compressed file a table that other programs read, with manifest
// and checksums. This page is the order of the phases; the view is that of a snapshot (snapshot/sight.ts), the files are rows.ts's.
import { createHash } from 'node:crypto';
import { serializeExport, serializeSums } from '../../archive/export-manifest.js';
import { exportAfterFile, exportManifestFile, exportSchemaFile, exportSumsFile } from '../../archive/export-names.js';
import type { Codec } from '../../frame/codec.js';
import { loadCodec } from '../../frame/zstd.js';
import { encodeText } from '../../model/byte-text.js';
import { type ExportedFile, type ExportFormat, type ExportManifest, exportFormatVersion } from '../../model/export.js';
import type { LeftOut } from '../../model/manifest.js';
import { refuseUnknownOptions } from '../../model/option-names.js';
import { toolVersion } from '../../model/tool-version.js';
import { emitSection } from '../../schema/emit.js';
import { usualLevel } from '../../snapshot/choose-level.js';
import { readSource } from '../../snapshot/source.js';
import type { DescribedTable } from '../../snapshot/tables.js';
import type { View } from '../../snapshot/view.js';
import { withFilters } from '../read-filters.js';
import type { SnapshotPlan } from '../snapshot/options.js';
import type { SnapshotSchema } from '../snapshot/schema.js';
import { announce, inAttempts, type Sight, withSight } from '../snapshot/sight.js';
import { type ExportOptions, exportOptionNames, planExport } from './options.js';
import { type ExportOutput, openExportOutput, writeText } from './output.js';
import { exportRows, type PlannedFile, planFiles, type WrittenRows } from './rows.js';
import { readSequences } from './sequences.js';

export type { ExportOptions } from './options.js';

export interface ExportResult {
  /** Path of the folder, or where the store is. */
  readonly directory: string;
  readonly manifest: ExportManifest;
  readonly durationMs: number;
  /** 1, or more when DDL came in between and it was started over. */
  readonly attempts: number;
}

/** Exports tables into a folder or a store: `<schema>.<table>.csv.zst` for each, `schema.sql` and `schema-after.sql`, `manifest.json`, `SHA256SUMS`.
 *
 *  The database is only read, in one view as for a snapshot. The folder appears under its name only when all of it is on disk; in a store the
 *  manifest comes last, and without it there is no export. On any failure nothing is left: no folder, no object, no session.
 *  @throws TidemarkError with the codes of docs/errors.md */
export async function exportTables(options: ExportOptions): Promise<ExportResult> {
  refuseUnknownOptions(options, exportOptionNames, 'export');
  const { plan, directory, store, format } = planExport(await withFilters(options));
  const started = performance.now();
  const codec = await loadCodec();
  const { emit, signal } = plan;
  const notice = (message: string): void => emit({ type: 'notice', message });
  const { result, attempts } = await inAttempts(
    plan,
    () => openExportOutput(directory, { store, notice, signal }),
    async (whole, output) => {
      const { spoolPrefix, keepsBytes, location } = output;
      const manifest = await withSight(whole, { spoolPrefix, keepsBytes, bare: true }, (sight) =>
        write(whole, { output, codec, format, sight }),
      );
      return { manifest, location };
    },
  );
  return { directory: result.location, manifest: result.manifest, durationMs: performance.now() - started, attempts };
}

interface Tools {
  readonly output: ExportOutput;
  readonly codec: Codec;
  readonly format: ExportFormat;
  readonly sight: Sight;
}

async function write(plan: SnapshotPlan, { output, codec, format, sight }: Tools): Promise<ExportManifest> {
  const { control, pool, view, position, schema } = sight;
  const { emit, signal, jobs, compressLevel } = plan;
  const level = compressLevel === 'auto' ? usualLevel : compressLevel;
  const files = planFiles(schema, view.tables, format);
  const sequences = await readSequences(control, { catalog: schema.catalog, tables: ownersOf(files, view) });
  const leftOut = [...schema.leftOut, ...extensionTables(schema)];
  for (const object of extensionTables(schema)) emit({ type: 'left-out', object });

  const before = emitSection(schema.catalog, 'pre-data');
  const after = `${emitSection(schema.catalog, 'data')}\n${emitSection(schema.catalog, 'post-data')}`;
  const fixed = [exportSchemaFile, exportAfterFile, exportSumsFile, exportManifestFile];
  await output.announce([...fixed, ...files.map(({ file }) => file)]);
  const ddl = [await writeFile(output, exportSchemaFile, before), await writeFile(output, exportAfterFile, after)];

  emit({ type: 'phase', phase: 'rows' });
  announce(schema, plan);
  const rows = exportRows({ files, format, jobs, output, pool, codec, level, emit });
  // Nothing can be published without the control session, which holds locks: no reason to read on for hours until it is used again. The files
  // are closed before the folder is removed.
  const written = await Promise.race([rows, control.lost]).catch(async (error: unknown) => {
    output.giveUp(error);
    await pool[Symbol.asyncDispose]();
    await Promise.allSettled([rows]);
    throw error;
  });

  emit({ type: 'phase', phase: 'publish' });
  const tables = describeTables({ files, written, view });
  const manifest: ExportManifest = {
    format: 'tidemark-export',
    formatVersion: exportFormatVersion,
    toolVersion,
    source: await readSource(control),
    position,
    encoding: control.encoding,
    copyFormat: format,
    selection: plan.asked,
    tables,
    sequences,
    schema: ddl,
    withoutRows: withoutRows(schema),
    leftOut,
    totals: {
      tables: tables.length,
      rows: sum(tables.map((table) => table.rows)),
      rawBytes: sum(tables.map(({ rawBytes }) => rawBytes)),
      bytes: sum(tables.map(({ bytes }) => bytes)),
    },
  };
  const text = serializeExport(manifest);
  const listed = [...tables, ...ddl];
  const sums = await writeFile(output, exportSumsFile, serializeSums([...listed, { file: exportManifestFile, sha256: sha256Of(text) }]));
  await pool.close();
  await control.query('COMMIT');
  signal?.throwIfAborted();
  await output.publish([...listed, sums], text);
  return manifest;
}

async function writeFile(output: ExportOutput, name: string, text: string): Promise<ExportedFile> {
  const content = encodeText(text);
  return writeText(await output.openFile(name, BigInt(content.length)), text);
}

function sha256Of(text: string): string {
  return createHash('sha256').update(encodeText(text)).digest('hex');
}

interface Written {
  readonly files: readonly PlannedFile[];
  readonly written: readonly WrittenRows[];
  readonly view: View;
}

function describeTables({ files, written, view }: Written): ExportManifest['tables'] {
  return files.map(({ table, sources }, i) => {
    const { schema, name, columns } = table;
    const { file, bytes, sha256, rows, rawBytes } = written[i] as WrittenRows;
    const root = sources.length === 1 && sources[0]?.oid === table.oid ? topmost(sources[0], view.tables) : undefined;
    return {
      schema,
      name,
      ...(root === undefined ? {} : { partitionOf: { schema: root.schema, name: root.name } }),
      file,
      bytes,
      sha256,
      columns: columns.map(({ name: column, type }) => ({ name: column, type })),
      rows,
      rawBytes,
    };
  });
}

/** The tables that have a file, and the partitioned tables above them: what owns the sequences of columns. */
function ownersOf(files: readonly PlannedFile[], { tables }: View): readonly number[] {
  const owners = new Set(files.map(({ table }) => table.oid));
  for (const { sources } of files) {
    for (const source of sources)
      for (let above = parentOf(source, tables); above !== undefined; above = parentOf(above, tables)) owners.add(above.oid);
  }
  return [...owners];
}

/** The partitioned table above all others of which it is a partition. */
function topmost(table: DescribedTable, tables: readonly DescribedTable[]): DescribedTable | undefined {
  let found: DescribedTable | undefined;
  for (let above = parentOf(table, tables); above !== undefined; above = parentOf(above, tables)) found = above;
  return found;
}

function parentOf({ partitionOf }: DescribedTable, tables: readonly DescribedTable[]): DescribedTable | undefined {
  return partitionOf === null ? undefined : tables.find(({ oid }) => oid === partitionOf);
}

/** Their other rows are their extension's, which a reader of the file could not tell. */
function extensionTables({ toRead }: SnapshotSchema): readonly LeftOut[] {
  return toRead.flatMap(({ described: { schema, name, extension } }) =>
    extension === null
      ? []
      : [{ kind: 'rows', name: `${schema}.${name}`, reason: `the table belongs to the extension ${extension.name}: a snapshot has them` }],
  );
}

function withoutRows({ catalog }: SnapshotSchema): ExportManifest['withoutRows'] {
  return catalog.tables.flatMap(({ schema, name, withoutData }) =>
    withoutData === undefined ? [] : [{ schema, name, reason: withoutData }],
  );
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}
