// The form in which the largest tables travel where that is for us to choose: the types say which it is (copy-format.ts), and where text may be as
// fast, a sample of the same rows in both forms decides.
import type { CopyFormat } from '../../model/catalog.js';
import { usualLevel } from '../../snapshot/choose-level.js';
import { decideFormat, slowest } from '../../snapshot/copy-format.js';
import { timeOfText } from '../../snapshot/form-time.js';
import type { TableSample } from '../../snapshot/read-sample.js';
import type { ValueWidth } from '../../snapshot/value-widths.js';
import type { SnapshotPlan } from './options.js';
import type { SnapshotSchema } from './schema.js';

export type TableToRead = SnapshotSchema['toRead'][number];

/** A table, and a sample of its rows in one form. */
export interface SampledTable extends TableToRead {
  readonly sample: TableSample;
}

/** True where a sample may say something else than the types. Whoever refers to rows of an earlier snapshot needs them in the form that they have there. */
export function isFormOpen(
  { copyFormat, completedOnce }: Pick<SnapshotPlan, 'copyFormat' | 'completedOnce'>,
  { described }: TableToRead,
): boolean {
  return copyFormat === 'auto' && completedOnce.length === 0 && isWorthIt(described.columns);
}

/** @param widths where they are known */
function isWorthIt(columns: TableToRead['described']['columns'], widths?: readonly ValueWidth[]): boolean {
  return (timeOfText(columns, widths) ?? Number.POSITIVE_INFINITY) <= slowest;
}

/** Decides the forms of these tables: a sample of each in the form that is taken.
 *  @param sampled of each table in the form that its types speak for
 *  @param sampleAs reads the same rows of tables again, in the forms that these have */
export async function settleForms(
  sampled: readonly SampledTable[],
  plan: Pick<SnapshotPlan, 'copyFormat' | 'completedOnce'>,
  sampleAs: (tables: readonly TableToRead[]) => Promise<readonly SampledTable[]>,
): Promise<readonly SampledTable[]> {
  const asked = sampled.filter((table) => {
    return isFormOpen(plan, table) && table.sample.trials.length > 0 && isWorthIt(table.described.columns, table.sample.widths);
  });
  const others = await sampleAs(asked.map(({ table, described }) => ({ table: { ...table, format: otherForm(table.format) }, described })));
  const better = new Map(
    asked.flatMap((before, i) => {
      const other = others[i];
      const best = other && decide(before, other);
      return best === undefined ? [] : [[before, best] as const];
    }),
  );
  return sampled.map((before) => better.get(before) ?? before);
}

function decide(one: SampledTable, other: SampledTable): SampledTable | undefined {
  const [text, binary] = one.table.format === 'text' ? [one, other] : [other, one];
  const [textBytes, binaryBytes] = [compressedBytes(text.sample), compressedBytes(binary.sample)];
  const time = timeOfText(binary.described.columns, binary.sample.widths);
  if (textBytes === undefined || binaryBytes === undefined || time === undefined) return undefined;
  return decideFormat({ timeOfText: time, text: textBytes, binary: binaryBytes }) === 'text' ? text : binary;
}

/** Of all that was read, by the part of it that was compressed. */
function compressedBytes({ trials, totalBytes }: TableSample): number | undefined {
  const trial = trials.find(({ level }) => level === usualLevel);
  return trial && (totalBytes * trial.compressedBytes) / trial.rawBytes;
}

function otherForm(format: CopyFormat): CopyFormat {
  return format === 'text' ? 'binary' : 'text';
}

/** The schema with its tables in the forms that samples speak for: those that were sampled, and those that have the same columns, as partitions do. */
export function withForms(schema: SnapshotSchema, plan: SnapshotPlan, sampled: readonly SampledTable[]): SnapshotSchema {
  if (sampled.length === 0) return schema;
  const forms = new Map(sampled.map((one) => [columnsOf(one), one.table.format]));
  const changed = new Map(
    schema.toRead.flatMap((one) => {
      const format = isFormOpen(plan, one) ? forms.get(columnsOf(one)) : undefined;
      return format === undefined || format === one.table.format ? [] : [[one.table.object, format] as const];
    }),
  );
  if (changed.size === 0) return schema;
  const inForm = <Table extends TableToRead['table']>(table: Table): Table => ({
    ...table,
    format: changed.get(table.object) ?? table.format,
  });
  return {
    ...schema,
    catalog: { ...schema.catalog, tables: schema.catalog.tables.map(inForm) },
    toRead: schema.toRead.map(({ table, described }) => ({ table: inForm(table), described })),
  };
}

function columnsOf({ described }: TableToRead): string {
  return JSON.stringify(described.columns.map(({ name, type, typeOid }) => [name, type, typeOid]));
}
