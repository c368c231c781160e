// Has the workers read rows, appends what they send to the archive, and keeps the accounts that the manifest is made of.
import { rm } from 'node:fs/promises';
import type { ArchiveWriter } from '../../archive/writer.js';
import type { EncodedMember } from '../../frame/encode.js';
import type { CatalogTable } from '../../model/catalog.js';
import { TidemarkError } from '../../model/errors.js';
import type { EventListener } from '../../model/events.js';
import type { StoredChunk, TableEntry } from '../../model/manifest.js';
import { qualifiedName } from '../../pg/quote.js';
import type { Share } from '../../snapshot/ahead.js';
import type { ChunkSink, ReadChunk, WorkerPool } from '../../snapshot/worker-pool.js';
import type { PlannedRange } from './plan-ranges.js';
import type { SnapshotSchema } from './schema.js';

interface Account {
  readonly chunks: StoredChunk[];
  openRanges: number;
  rows: bigint;
  rawBytes: bigint;
}

/** Where rows go. */
export interface RowTarget {
  readonly writer: ArchiveWriter;
  /** Rows of tables that have none in its catalog do not come into the archive. */
  readonly schema: SnapshotSchema;
}

interface Reading {
  /** Until then rows are read, but none are written: what comes before them in the archive may still be on its way. */
  readonly target: Promise<RowTarget>;
  readonly emit: EventListener;
}

/** Reads rows into an archive, and keeps the accounts that its manifest is made of. */
export class RowReader {
  readonly #target: Promise<RowTarget & { readonly wanted: ReadonlyMap<string, CatalogTable> }>;
  readonly #emit: EventListener;
  /** By the directories of the tables. */
  readonly #accounts = new Map<string, Account>();
  #rows = 0n;
  #rawBytes = 0n;
  #compressedBytes = 0n;

  constructor({ target, emit }: Reading) {
    this.#emit = emit;
    this.#target = target.then((known) => ({ ...known, wanted: wantedOf(known.schema) }));
    // Whoever reads is told, and so is who made the target.
    this.#target.catch(() => undefined);
  }

  /** Reads ranges of tables that were not read before.
   *  @param ranges with ids that are indexes
   *  @param share what a worker is given at once, where that is not the usual */
  async read(
    pool: Pick<WorkerPool, 'read'>,
    ranges: readonly PlannedRange[],
    { level, share }: { readonly level: number; readonly share?: Share },
  ): Promise<void> {
    for (const { directory } of ranges) {
      const account = this.#accounts.get(directory);
      if (account) account.openRanges += 1;
      else this.#accounts.set(directory, { chunks: [], openRanges: 1, rows: 0n, rawBytes: 0n });
    }
    const sink: ChunkSink = {
      chunk: ({ task, rows, member }) => this.#chunk(ranges[task.id] as PlannedRange, { rows, member }),
      done: (task) => this.#done(ranges[task.id] as PlannedRange),
    };
    await pool.read(ranges, level, sink, share);
  }

  async #chunk({ directory, blocks }: PlannedRange, { rows, member }: Pick<ReadChunk, 'rows' | 'member'>): Promise<void> {
    const { writer, schema, wanted } = await this.#target;
    if (!wanted.has(directory)) return drop(member);
    const stored = await writer.append(member);
    const account = this.#accounts.get(directory) as Account;
    account.chunks.push({ rows, range: blocks, ...stored });
    account.rows += rows;
    account.rawBytes += stored.rawBytes;
    if (directory !== schema.statistics?.table.directory) this.#rows += rows;
    this.#rawBytes += stored.rawBytes;
    this.#compressedBytes += stored.length;
    this.#emit({ type: 'progress', rows: this.#rows, rawBytes: this.#rawBytes, compressedBytes: this.#compressedBytes });
  }

  async #done({ directory }: PlannedRange): Promise<void> {
    const { wanted } = await this.#target;
    const account = this.#accounts.get(directory) as Account;
    account.openRanges -= 1;
    const table = wanted.get(directory);
    if (account.openRanges > 0 || table === undefined) return;
    this.#emit({ type: 'table', schema: table.schema, name: table.name, rows: account.rows, rawBytes: account.rawBytes });
  }

  /** The manifest's entry of every table of the catalog, in its order. */
  async entries(): Promise<TableEntry[]> {
    const { schema, wanted } = await this.#target;
    return schema.catalog.tables.map((table) =>
      entryOf(table, wanted.has(table.directory) ? this.#accounts.get(table.directory) : undefined),
    );
  }
}

async function drop({ content }: EncodedMember): Promise<void> {
  if (content.kind === 'file') await rm(content.path, { force: true });
}

function wantedOf({ catalog }: SnapshotSchema): ReadonlyMap<string, CatalogTable> {
  const wanted = catalog.tables.filter(hasRows);
  return new Map(wanted.map((table) => [table.directory, table]));
}

function hasRows({ withoutData, elsewhere }: CatalogTable): boolean {
  return withoutData === undefined && !elsewhere;
}

function entryOf(table: CatalogTable, account: Account | undefined): TableEntry {
  if (hasRows(table) && account?.openRanges !== 0) {
    const what = account === undefined ? 'the table was not planned' : 'not all of them have come';
    throw new TidemarkError('INTERNAL', `read the rows of ${qualifiedName(table.schema, table.name)}: ${what}`);
  }
  // Members come in the order of arrival; by number they are in the order of the heap. A number of more digits is a larger one.
  const chunks = (account?.chunks ?? []).toSorted((a, b) => a.member.length - b.member.length || (a.member < b.member ? -1 : 1));
  const { loadInto: _onlyInCatalog, extensionCondition: _also, elsewhere: _and, ...entry } = table;
  return { rows: account?.rows ?? 0n, rawBytes: account?.rawBytes ?? 0n, chunks, ...entry };
}
