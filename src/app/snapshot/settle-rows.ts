// How the rows travel, as far as samples of the largest tables say so: the zstd level and, where that is for us to choose, the form of each table.
import type { CompressionChoice } from '../../model/manifest.js';
import { qualifiedName } from '../../pg/quote.js';
import { chooseLevel, type Sample } from '../../snapshot/choose-level.js';
import type { SampledRows } from '../../snapshot/messages.js';
import { copyStatement, sampleExtent } from '../../snapshot/ranges.js';
import type { DescribedTable } from '../../snapshot/tables.js';
import type { WorkerPool } from '../../snapshot/worker-pool.js';
import { isFormOpen, type SampledTable, settleForms, type TableToRead, withForms } from './form.js';
import type { SnapshotPlan } from './options.js';
import type { SnapshotSchema } from './schema.js';
import { bytesToRead } from './sight.js';

/** Bytes on the server's disk below which a sample would take more of the time than it can save. */
const leastBytes = 64n << 20n;
/** And below which one for the level alone would, with a server on this machine, which sends faster than a higher level compresses. */
const leastBytesHere = 256n << 20n;
/** Of a table that a sample is worth. */
const leastTableBytes = 8n << 20n;

/** The level, and why where that was for us to choose. */
export interface SettledLevel {
  readonly level: number;
  readonly choice?: CompressionChoice;
  /** What the samples say of their tables, by the tables' directories. */
  readonly sampled?: ReadonlyMap<string, SampledRows>;
}

/** True where the level and the forms of tables are settled without a look at their rows.
 *  @param bytes of all of them, on the server's disk */
export function needsNoSamples(tables: readonly Pick<DescribedTable, 'heap' | 'bytes'>[], bytes: bigint): boolean {
  return bytes < leastBytes || !tables.some(isWorthSample);
}

/** One that can be read in part. */
function isWorthSample({ heap, bytes }: Pick<DescribedTable, 'heap' | 'bytes'>): boolean {
  return heap && bytes >= leastTableBytes;
}

/** Who reads samples. */
interface Samplers {
  readonly pool: Pick<WorkerPool, 'sample'>;
  /** The server is on this machine. */
  readonly here: boolean;
}

/** Samples are read by all workers at once, as the rows will be.
 *  @returns the schema with the tables in their forms, too
 *  @throws TidemarkError as reading does */
export async function settleRows(
  schema: SnapshotSchema,
  plan: SnapshotPlan,
  { pool, here }: Samplers,
): Promise<{ readonly schema: SnapshotSchema; readonly settled: SettledLevel }> {
  const { compressLevel, jobs } = plan;
  const bytes = bytesToRead(schema);
  const asked = bytes < leastBytes ? [] : largest(schema, 2 * jobs);
  const levelIsOpen = compressLevel === 'auto' && !(here && bytes < leastBytesHere);
  const tables = levelIsOpen ? asked : asked.filter((table) => isFormOpen(plan, table));
  const sampleAs = (some: readonly TableToRead[]): Promise<readonly SampledTable[]> => readSamples(some, plan, pool);
  const sampled = await settleForms(await sampleAs(tables), plan, sampleAs);
  const settled = levelIsOpen ? levelBy(sampled) : withoutSamples(plan);
  return { schema: withForms(schema, plan, sampled), settled };
}

/** The level where nothing is sampled. */
export function withoutSamples({ compressLevel }: Pick<SnapshotPlan, 'compressLevel'>): SettledLevel {
  return compressLevel === 'auto' ? levelBy([]) : { level: compressLevel };
}

async function readSamples(
  tables: readonly TableToRead[],
  plan: SnapshotPlan,
  pool: Pick<WorkerPool, 'sample'>,
): Promise<readonly SampledTable[]> {
  const questions = tables.map((one) => {
    const { schema: namespace, name, format, columns } = one.table;
    const { range, limit } = sampleExtent(one.described);
    const copied = { schema: namespace, name, columns: columns.map((column) => column.name), format, limit };
    return { statement: copyStatement(copied, range), table: qualifiedName(namespace, name), widths: isFormOpen(plan, one) };
  });
  const samples = await pool.sample(questions);
  return samples.flatMap((sample, i) => {
    const table = tables[i];
    return table === undefined ? [] : [{ ...table, sample }];
  });
}

function levelBy(sampled: readonly SampledTable[]): SettledLevel {
  const weighted = sampled.flatMap(({ sample, described: { bytes } }) =>
    sample.trials.length > 0 && bytes > 0n ? [{ ...sample, weight: bytes }] : [],
  );
  const choice = chooseLevel(weighted);
  const rows = sampled.flatMap(({ sample, table }) => {
    const said = sampledRows(sample, choice.level);
    return said === undefined ? [] : [[table.directory, said] as const];
  });
  return { level: choice.level, choice, sampled: new Map(rows) };
}

function sampledRows({ trials }: Sample, level: number): SampledRows | undefined {
  const trial = trials.find((one) => one.level === level);
  if (trial?.parameters === undefined) return undefined;
  return { parameters: trial.parameters, compressedTo: trial.compressedBytes / trial.rawBytes };
}

function largest({ toRead }: SnapshotSchema, count: number): SnapshotSchema['toRead'] {
  const fit = toRead.filter(({ table, described }) => isWorthSample(described) && (table.extensionCondition ?? '') === '');
  return fit.toSorted((a, b) => Number(b.described.bytes - a.described.bytes)).slice(0, count);
}
