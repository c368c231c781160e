// What differs between two snapshots, as text for people: one line for each object, sequence and table.
import type {
  ChangedObject,
  DiffedSnapshot,
  LargeObjectsDiff,
  ObjectDiff,
  RowSamples,
  SequenceValue,
  SnapshotDiff,
  SnapshotFact,
  TableDiff,
  ValueDiff,
} from '../app/diff/diff-snapshots.js';
import { printable, printableLines } from '../model/printable.js';
import { formatCount, formatCounted } from '../model/units.js';
import { diffLines } from './line-diff.js';
import { describePosition } from './report.js';
import { describeSignature } from './trust-flags.js';

/** @param sql with the statements of objects */
export function describeDiff(diff: SnapshotDiff, { sql }: { readonly sql: boolean }): string {
  const { a, b, information, notCompared, schema, values, largeObjects, tables } = diff;
  const object = (mark: '+' | '-', one: ObjectDiff): readonly string[] => [
    `${mark} ${label(one)}`,
    ...(sql ? statementLines(one.statements).map((line) => `    ${mark}${line}`) : []),
  ];
  return [
    ...snapshotLines('a', a),
    ...snapshotLines('b', b),
    ...information.map(factLine),
    ...notCompared.map((what) => `? ${what}`),
    ...schema.removed.flatMap((one) => object('-', one)),
    ...schema.added.flatMap((one) => object('+', one)),
    ...schema.changed.flatMap((one) => changedLines(one, sql)),
    ...values.map(valueLine),
    ...(largeObjects === undefined ? [] : [largeObjectsLine(largeObjects)]),
    ...tables.flatMap(tableLines),
    summary(diff),
  ].join('\n');
}

function snapshotLines(name: string, { file, position, signature }: DiffedSnapshot): readonly string[] {
  const signed = signature === undefined ? '' : `; ${describeSignature(signature)}`;
  return [`${name}: ${printable(file)} (${describePosition(position)}${signed})`];
}

function factLine({ what, a = 'none', b = 'none' }: SnapshotFact): string {
  return printable(`${what}: ${a} -> ${b}`);
}

/** `index public.events: events_pkey` */
function label({ kind, fullName }: Pick<ObjectDiff, 'kind' | 'fullName'>): string {
  return printable(`${kind} ${fullName}`);
}

function changedLines(object: ChangedObject, sql: boolean): readonly string[] {
  const { facets, before, after } = object;
  const of = facets.length === 0 || facets.join() === 'definition' ? '' : ` (${facets.join(', ')})`;
  const lines = sql ? diffLines(statementLines(before), statementLines(after)) : [];
  return [`~ ${label(object)}${of}`, ...lines.map((line) => `    ${line}`)];
}

function statementLines(statements: readonly string[]): readonly string[] {
  return statements.flatMap((text) => `${printableLines(text)};`.split('\n'));
}

function valueLine(value: ValueDiff): string {
  return `~ ${label(value)}: ${valueText(value.before)} -> ${valueText(value.after)}`;
}

function valueText(value: SequenceValue | undefined): string {
  if (value === undefined) return 'not known';
  return value.isCalled ? `${value.lastValue}` : `${value.lastValue} (not used yet)`;
}

function largeObjectsLine({ before, after, added, removed, changed }: LargeObjectsDiff): string {
  const what = changed ? 'owners, privileges or comments' : changes(added, removed);
  return `~ large objects: ${formatCount(before)} -> ${formatCounted(after, 'object')} (${what})`;
}

/** `+300 -50` */
function changes(added: bigint | number, removed: bigint | number): string {
  const parts = [
    [added, '+'],
    [removed, '-'],
  ] as const;
  return parts.flatMap(([count, sign]) => (BigInt(count) === 0n ? [] : [`${sign}${formatCount(count)}`])).join(' ');
}

function tableLines(table: TableDiff): readonly string[] {
  const { schema, name, rowsBefore, rowsAfter, added = 0n, removed = 0n, equal, reason, samples } = table;
  if (equal) return [];
  const what = table.largeObjects ? 'pieces of large objects' : printable(`${schema}.${name}`);
  const more = samples === undefined ? [] : sampleLines(samples, { added, removed });
  if (reason !== undefined)
    return [`? ${what}: ${countText(rowsBefore)} -> ${countText(rowsAfter)} rows, not compared: ${printable(reason)}`];
  if (rowsBefore === undefined) return [`+ ${what}: ${formatCounted(rowsAfter ?? 0n, 'row')}`, ...more];
  if (rowsAfter === undefined) return [`- ${what}: ${formatCounted(rowsBefore, 'row')}`, ...more];
  return [`~ ${what}: ${formatCount(rowsBefore)} -> ${formatCounted(rowsAfter, 'row')} (${changes(added, removed)})`, ...more];
}

function countText(rows: bigint | undefined): string {
  return rows === undefined ? 'no' : formatCount(rows);
}

/** Those that were removed and added in one order, so that two versions of a row come together. */
function sampleLines({ removed, added }: RowSamples, counts: Readonly<Record<'added' | 'removed', bigint>>): readonly string[] {
  const rows = [...removed.map((text) => ({ mark: '-', text })), ...added.map((text) => ({ mark: '+', text }))];
  rows.sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0));
  const left = changes(counts.added - BigInt(added.length), counts.removed - BigInt(removed.length));
  return [...rows.map(({ mark, text }) => `    ${mark} ${printableLines(text)}`), ...(left === '' ? [] : [`    and ${left} more`])];
}

function summary({ equal, schema, values, tables, largeObjects }: SnapshotDiff): string {
  if (equal) return 'no difference';
  const { added, removed, changed } = schema;
  const parts = [
    [added.length + removed.length + changed.length, 'object'],
    [values.length, 'sequence value'],
    [tables.filter((table) => !table.equal && !table.largeObjects).length, 'table'],
  ] as const;
  const told = parts.flatMap(([count, noun]) => (count === 0 ? [] : [formatCounted(count, noun)]));
  const blobs = largeObjects !== undefined || tables.some((table) => !table.equal && table.largeObjects);
  const what = [...told, ...(blobs ? ['large objects'] : [])];
  return what.length === 0 ? 'not all of it could be compared' : `different: ${what.join(', ')}`;
}
