// The rows of a snapshot: those of some tables while the schema is read, the others after it.
import type { TableEntry } from '../../model/manifest.js';
import { largeShare } from '../../snapshot/ahead.js';
import type { WorkerPool } from '../../snapshot/worker-pool.js';
import type { SnapshotPlan } from './options.js';
import { planRanges, type Readable } from './plan-ranges.js';
import { RowReader, type RowTarget } from './row-reader.js';
import type { SnapshotSchema } from './schema.js';
import { type SettledLevel, withoutSamples } from './settle-rows.js';

interface RowsToRead {
  readonly attached: Promise<Pick<WorkerPool, 'read' | 'size'>>;
  /** Of these tables they are read at once. */
  readonly early: Readable['toRead'];
  /** What there is to be read, and how it travels. */
  readonly settling: Promise<{ readonly schema: SnapshotSchema; readonly settled: SettledLevel }>;
  /** What comes before the rows is written. */
  readonly begun: Promise<RowTarget>;
}

/** @returns the manifest's entry of every table of the catalog, in its order
 *  @throws TidemarkError of the schema first, and then of rows */
export async function readRows(
  plan: Pick<SnapshotPlan, 'jobs' | 'compressLevel' | 'emit'>,
  { attached, early, settling, begun }: RowsToRead,
): Promise<readonly TableEntry[]> {
  const reader = new RowReader({ target: begun, emit: plan.emit });
  const readingEarly = early.length === 0 ? undefined : readEarly(reader, { attached, early, plan });
  readingEarly?.catch(() => undefined);
  const { schema, settled } = await settling;
  await readingEarly;
  const read = new Set(early.map(({ table }) => table.directory));
  const rest = { ...schema, toRead: schema.toRead.filter(({ table }) => !read.has(table.directory)) };
  await reader.read(await attached, planRanges(rest, plan.jobs, settled.sampled), { level: settled.level });
  return reader.entries();
}

interface Early extends Pick<RowsToRead, 'attached' | 'early'> {
  readonly plan: Pick<SnapshotPlan, 'jobs' | 'compressLevel'>;
}

async function readEarly(reader: RowReader, { attached, early, plan }: Early): Promise<void> {
  const ranges = planRanges({ toRead: early }, plan.jobs);
  const pool = await attached;
  // This thread is busy, for half a second at a time if there are thousands of tables: workers are not to wait for it.
  const share = largeShare(ranges, pool.size);
  await reader.read(pool, ranges, { level: withoutSamples(plan).level, share });
}
