// The rows of an export: which table's rows go into which file, ranges for the workers, and the files as what the workers send arrives.
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { exportFileNames, exportHead, exportTail } from '../../archive/export-names.js';
import type { Codec } from '../../frame/codec.js';
import type { EncodedMember } from '../../frame/encode.js';
import type { Column } from '../../model/catalog.js';
import type { EventListener } from '../../model/events.js';
import type { ExportedFile, ExportFormat } from '../../model/export.js';
import { fileError, isSystemError } from '../../model/file-error.js';
import { qualifiedName } from '../../pg/quote.js';
import type { RangeTask } from '../../snapshot/messages.js';
import { copyStatement, partsOf } from '../../snapshot/ranges.js';
import type { DescribedTable } from '../../snapshot/tables.js';
import type { WorkerPool } from '../../snapshot/worker-pool.js';
import type { SnapshotSchema } from '../snapshot/schema.js';
import type { ExportFile, ExportOutput } from './output.js';

/** One file: the table that it is of, and the tables whose rows are in it. */
export interface PlannedFile {
  readonly file: string;
  readonly table: Pick<DescribedTable, 'oid' | 'schema' | 'name' | 'columns'>;
  readonly sources: readonly DescribedTable[];
}

/** A file for every table with rows, by schema and name. Rows that must be loaded through a partitioned table are in the file of that one.
 *  @param tables with the partitioned ones */
export function planFiles(
  { catalog, toRead }: Pick<SnapshotSchema, 'catalog' | 'toRead'>,
  tables: readonly DescribedTable[],
  format: ExportFormat,
): readonly PlannedFile[] {
  const named = (schema: string | undefined, name: string): DescribedTable | undefined =>
    tables.find((table) => table.schema === schema && table.name === name);
  const sources = new Map<DescribedTable, DescribedTable[]>();
  for (const { table, described } of toRead) {
    if (described.extension !== null) continue;
    const through = table.loadInto === undefined ? undefined : catalog.objects[table.loadInto];
    const owner = (through && named(through.schema, through.name)) ?? described;
    sources.set(owner, [...(sources.get(owner) ?? []), described]);
  }
  const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  const owners = [...sources.keys()].sort((a, b) => order(a.schema, b.schema) || order(a.name, b.name));
  const names = exportFileNames(owners, format);
  return owners.map((table, i) => ({ file: names[i] ?? '', table, sources: sources.get(table) ?? [] }));
}

export interface WrittenRows extends ExportedFile {
  readonly rows: bigint;
  readonly rawBytes: bigint;
}

export interface ExportRows {
  readonly files: readonly PlannedFile[];
  readonly format: ExportFormat;
  readonly jobs: number;
  readonly output: ExportOutput;
  readonly pool: WorkerPool;
  readonly codec: Codec;
  readonly level: number;
  readonly emit: EventListener;
}

/** Reads all ranges into the files. @returns what was written, in the order of the files; on a failure all files are closed */
export async function exportRows({ files, format, jobs, output, pool, codec, level, emit }: ExportRows): Promise<readonly WrittenRows[]> {
  const growing = files.map(({ file, table, sources }) => {
    const bytes = sources.reduce((sum, source) => sum + source.bytes, 0n);
    return new GrowingFile(() => output.openFile(file, bytes), { codec, level, format, columns: table.columns });
  });
  const ranges = planRanges({ files, format, jobs });
  for (const { place } of ranges) (growing[place] as GrowingFile).openRanges += 1;
  const fileOf = ({ id }: RangeTask): GrowingFile => growing[ranges[id]?.place ?? -1] as GrowingFile;
  let rows = 0n;
  let rawBytes = 0n;
  let compressedBytes = 0n;
  try {
    await pool.read(ranges, level, {
      async chunk({ task, rows: chunkRows, member }) {
        await fileOf(task).append(member, chunkRows);
        rows += chunkRows;
        rawBytes += BigInt(member.rawBytes);
        compressedBytes += BigInt(member.length);
        emit({ type: 'progress', rows, rawBytes, compressedBytes });
      },
      async done(task) {
        const file = fileOf(task);
        file.openRanges -= 1;
        if (file.openRanges > 0) return;
        const written = await file.finish();
        const { schema, name } = (files[growing.indexOf(file)] as PlannedFile).table;
        emit({ type: 'table', schema, name, rows: written.rows, rawBytes: written.rawBytes });
      },
    });
    return growing.map(({ written }) => written as WrittenRows);
  } finally {
    await Promise.all(growing.map((file) => file.abandon()));
  }
}

/** `place` is that of the file. */
function planRanges({
  files,
  format,
  jobs,
}: Pick<ExportRows, 'files' | 'format' | 'jobs'>): readonly (RangeTask & { readonly place: number })[] {
  const all = files.flatMap(({ table, sources, file }, place) => sources.map((source) => ({ source, table, file, place })));
  const parts = partsOf(all, jobs, ({ source }) => ({ ...source, divisible: source.heap }));
  return parts.map(({ table: { source, table, file, place }, range, blocks }, id) => {
    const { schema, name } = source;
    // By name: a partition may have its columns in another order.
    const columns = table.columns.map((column) => column.name);
    return {
      id,
      statement: copyStatement({ schema, name, columns, format }, blocks),
      format: format === 'binary' ? 'binary' : 'text',
      table: qualifiedName(schema, name),
      directory: file,
      range,
      place,
    };
  });
}

interface FileForm {
  readonly codec: Codec;
  readonly level: number;
  readonly format: ExportFormat;
  readonly columns: readonly Column[];
}

/** A file from its first rows to its end: opened when they come, so that few are open at once. */
class GrowingFile {
  openRanges = 0;
  written: WrittenRows | undefined;
  readonly #open: () => Promise<ExportFile>;
  readonly #form: FileForm;
  #file: ExportFile | undefined;
  #rows = 0n;
  #rawBytes = 0n;
  /** What is being done to it: one that is given up must not be made after its folder was removed. */
  #doing: Promise<unknown> = Promise.resolve();

  constructor(open: () => Promise<ExportFile>, form: FileForm) {
    this.#open = open;
    this.#form = form;
  }

  append(member: EncodedMember, rows: bigint): Promise<void> {
    return this.#watched(this.#append(member, rows));
  }

  finish(): Promise<WrittenRows> {
    return this.#watched(this.#finish());
  }

  /** Closes it as it is, once nothing is being done to it any more. */
  async abandon(): Promise<void> {
    await this.#doing;
    if (this.written === undefined) await this.#file?.abandon();
  }

  #watched<T>(work: Promise<T>): Promise<T> {
    this.#doing = Promise.allSettled([this.#doing, work]);
    return work;
  }

  async #append({ name, content, rawBytes }: EncodedMember, rows: bigint): Promise<void> {
    const file = await this.#opened();
    if (content.kind === 'buffer') await file.write(content.bytes);
    else {
      try {
        for await (const piece of createReadStream(content.path, { highWaterMark: 1024 * 1024 })) await file.write(piece);
        await rm(content.path);
      } catch (error) {
        throw isSystemError(error) ? fileError(error, `read ${name} from ${content.path}`) : error;
      }
    }
    this.#rows += rows;
    this.#rawBytes += BigInt(rawBytes);
  }

  async #finish(): Promise<WrittenRows> {
    const file = await this.#opened();
    const tail = exportTail(this.#form.format);
    // A file without a frame is none that zstd would read.
    if (tail.length > 0 || this.#rawBytes === 0n) await this.#write(file, tail);
    this.written = { ...(await file.finish()), rows: this.#rows, rawBytes: this.#rawBytes };
    return this.written;
  }

  async #opened(): Promise<ExportFile> {
    if (this.#file !== undefined) return this.#file;
    this.#file = await this.#open();
    const head = exportHead(this.#form.format, this.#form.columns);
    if (head.length > 0) await this.#write(this.#file, head);
    return this.#file;
  }

  async #write(file: ExportFile, raw: Buffer): Promise<void> {
    await file.write(this.#form.codec.compress(raw, this.#form.level));
    this.#rawBytes += BigInt(raw.length);
  }
}
