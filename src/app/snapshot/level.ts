// The zstd level of a snapshot: the one that was asked for, or the one that samples of its largest tables speak for.
import type { CompressionChoice } from '../../model/manifest.js';
import { qualifiedName } from '../../pg/quote.js';
import { chooseLevel, type Sample } from '../../snapshot/choose-level.js';
import type { SampledRows } from '../../snapshot/messages.js';
import { copyStatement, sampleRange } from '../../snapshot/ranges.js';
import type { WorkerPool } from '../../snapshot/worker-pool.js';
import type { SnapshotPlan } from './options.js';
import type { SnapshotSchema } from './schema.js';
import { bytesToRead } from './sight.js';

/** Bytes on the server's disk below which a sample would take more of the time than it can save. */
const leastBytes = 64n << 20n;
/** Of a table that a sample is worth. */
const leastTableBytes = 8n << 20n;

/** The level, and why where that was for us to choose. */
export interface SettledLevel {
  readonly level: number;
  readonly choice?: CompressionChoice;
  /** What the samples say of their tables, by the tables' objects. */
  readonly sampled?: ReadonlyMap<number, SampledRows>;
}

/** Samples are read by all workers at once, as the rows will be.
 *  @throws TidemarkError as reading does */
export async function settleLevel(schema: SnapshotSchema, { compressLevel, jobs }: SnapshotPlan, pool: WorkerPool): Promise<SettledLevel> {
  if (compressLevel !== 'auto') return { level: compressLevel };
  const tables = bytesToRead(schema) < leastBytes ? [] : largest(schema, 2 * jobs);
  const questions = tables.map(({ table, described }) => {
    const { schema: namespace, name, format, columns } = table;
    const copied = { schema: namespace, name, columns: columns.map((column) => column.name), format };
    return { statement: copyStatement(copied, sampleRange(described)), table: qualifiedName(namespace, name) };
  });
  const samples = await pool.sample(questions);
  const weighted = samples.flatMap((sample, i) => {
    const weight = tables[i]?.described.bytes ?? 0n;
    return sample.trials.length > 0 && weight > 0n ? [{ ...sample, weight }] : [];
  });
  const choice = chooseLevel(weighted);
  const sampled = samples.flatMap((sample, i) => {
    const rows = sampledRows(sample, choice.level);
    const object = tables[i]?.table.object;
    return rows === undefined || object === undefined ? [] : [[object, rows] as const];
  });
  return { level: choice.level, choice, sampled: new Map(sampled) };
}

function sampledRows({ trials }: Sample, level: number): SampledRows | undefined {
  const trial = trials.find((one) => one.level === level);
  if (trial?.parameters === undefined) return undefined;
  return { parameters: trial.parameters, compressedTo: trial.compressedBytes / trial.rawBytes };
}

/** Tables that can be read in part. */
function largest({ toRead }: SnapshotSchema, count: number): SnapshotSchema['toRead'] {
  const fit = toRead.filter(
    ({ table, described }) => described.heap && described.bytes >= leastTableBytes && (table.extensionCondition ?? '') === '',
  );
  return fit.toSorted((a, b) => Number(b.described.bytes - a.described.bytes)).slice(0, count);
}
