// The rows of all tables: through threads into a fresh database, over one session within its transaction, or as they come from a pipe.
// Whichever it is, the counts are held against the manifest before this ends.
import { loadCodec } from '../frame/zstd.js';
import { TidemarkError } from '../model/errors.js';
import type { Manifest } from '../model/manifest.js';
import type { Session } from '../pg/session.js';
import { withDatabase } from '../pg/settings.js';
import { type Archives, archiveIndex } from './archives.js';
import { FetchFromSeveral, sortForFetching } from './fetch-from-several.js';
import { deliverChunks } from './load-chunk.js';
import { type LoadOptions, LoadPool } from './load-pool.js';
import { type IncomingMember, loadStream } from './load-stream.js';
import { deliveryOf, type Plan, type TableLoad } from './plan.js';
import type { Progress } from './progress.js';
import type { Sessions } from './sessions.js';
import type { Slots } from './slots.js';

export type RowSource =
  | { readonly kind: 'archive'; readonly archives: Archives; readonly manifest: Manifest }
  | { readonly kind: 'stream'; readonly members: AsyncIterable<IncomingMember> };

export interface LoadRows {
  readonly loads: readonly TableLoad[];
  readonly source: RowSource;
  /** Threads for them, where there are any. */
  readonly pool: LoadPool | undefined;
  readonly progress: Progress;
  readonly sessions: Sessions;
  /** The one session that is within the transaction; undefined: several may load, each chunk commits by itself. */
  readonly alone: Session | undefined;
  /** The session of this thread, for a few rows. */
  readonly control: () => Promise<Session>;
  /** Sessions of this thread, for a pipe. */
  readonly crew: () => Promise<readonly Session[]>;
  /** Called when the server has all rows of a table, while others are still loaded; not where they come over one session or from a pipe. */
  readonly onFilled: (load: TableLoad) => void;
  readonly slots: Slots;
  readonly signal: AbortSignal;
}

/** Starts the threads that are to load the rows of a plan: that takes them a tenth of a second, in which the database is made ready. Undefined
 *  where this thread loads them.
 *  @param database that they connect to when the rows are loaded */
export function startLoading(
  plan: Plan,
  { source, sessions, database }: Pick<LoadRows, 'source' | 'sessions'> & { readonly database: string },
): LoadPool | undefined {
  // Within a transaction there is one session.
  if (source.kind !== 'archive' || plan.some(({ action }) => action === 'begin')) return undefined;
  const loads = plan.flatMap((action) => (action.action === 'rows' ? action.loads : []));
  const chunks = loads.reduce((sum, load) => sum + (load.chunks?.length ?? 0), 0);
  const threads = Math.min(threadsFor(loads, sessions.jobs), chunks);
  if (threads === 0) return undefined;
  const { applicationName, encodings } = sessions;
  return new LoadPool(threads, {
    archives: source.archives,
    connection: withDatabase(sessions.connection, database),
    applicationName,
    encodings,
  });
}

/** @returns the manifest, which a pipe gives only now
 *  @throws TidemarkError */
export async function loadRows(work: LoadRows): Promise<Manifest> {
  const { loads, source, progress } = work;
  progress.plan(loads);
  const manifest = source.kind === 'archive' ? await loadArchive(work, source) : await loadPipe(work, source);
  progress.check(loads, manifest);
  return manifest;
}

async function loadArchive(work: LoadRows, { archives, manifest }: Extract<RowSource, { kind: 'archive' }>): Promise<Manifest> {
  const { loads, pool, alone, sessions, signal, progress, onFilled, slots } = work;
  const { encodings } = sessions;
  const onLoaded: LoadOptions['onLoaded'] = (load, { rows, rawBytes, length }) =>
    progress.loaded(load, { rows, rawBytes, compressedBytes: length });
  if (pool !== undefined) {
    await pool.load(loads, { signal, onLoaded, onFilled, slots });
    return manifest;
  }
  const session = alone ?? (await work.control());
  await session.carryRows(encodings.rows);
  const codec = await loadCodec();
  const queue = loads.flatMap((load) => (load.chunks ?? []).map((chunk) => ({ load, chunk, archive: archiveIndex(load) })));
  // Within a transaction there are foreign keys, which ask for an order.
  if (alone === undefined) sortForFetching(archives, queue);
  const ahead = new FetchFromSeveral(archives, queue, 1);
  try {
    for (const [position, { load, chunk, archive }] of queue.entries()) {
      const frames = await ahead.take(position);
      await deliverChunks(session, [{ chunk, archive, ...deliveryOf(load), ...(frames && { frames }) }], { codec, archives });
      onLoaded(load, chunk);
    }
  } finally {
    ahead.stop();
  }
  await session.carryRows();
  return manifest;
}

/** Bytes of rows that a thread is worth being started for: that takes as long as it takes the server to load some of them. */
const bytesPerThread = 1n << 20n;

/** How many threads are to load these; 0: this one does. */
export function threadsFor(loads: readonly Pick<TableLoad, 'rawBytes'>[], jobs: number): number {
  const worth = loads.reduce((sum, { rawBytes }) => sum + rawBytes, 0n) / bytesPerThread;
  return worth < BigInt(jobs) ? Number(worth) : jobs;
}

async function loadPipe(work: LoadRows, { members }: Extract<RowSource, { kind: 'stream' }>): Promise<Manifest> {
  const { loads, alone, crew, progress } = work;
  const { encodings } = work.sessions;
  const sessions = alone === undefined ? await crew() : [alone];
  await Promise.all(sessions.map((session) => session.carryRows(encodings.rows)));
  const manifest = await loadStream(members, loads, { sessions, onLoaded: (load, chunk) => progress.loaded(load, chunk) });
  if (manifest === undefined) throw new TidemarkError('ARCHIVE_TRUNCATED', 'restore rows: the archive ends without a manifest');
  await Promise.all(sessions.map((session) => session.carryRows()));
  return manifest;
}
