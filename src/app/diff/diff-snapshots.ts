// The use case "compare two snapshots": what of schema, sequence values and rows is not the same. This page is the order of the phases; what is
// decided in each is in the files beside it, and pure.
import type { Section } from '../../model/catalog.js';
import type { EventListener } from '../../model/events.js';
import { type OptionNames, refuseUnknownOptions } from '../../model/option-names.js';
import { allSections, sectionsOf } from '../../selection/sections.js';
import { abortReason } from '../abort.js';
import type { StoreOptions } from '../archive/open-bytes.js';
import { refuse } from '../common-options.js';
import type { TrustOptions } from '../seal/open-sealed.js';
import { trustOptionNames } from '../seal/open-sealed.js';
import { compareFacts, type SnapshotFact } from './compare-facts.js';
import { compareLargeObjects, type LargeObjectsDiff } from './compare-large-objects.js';
import type { RowLimits } from './compare-rows.js';
import { compareSchemas, compareValues, type SchemaDiff, type ValueDiff } from './compare-schema.js';
import { compareTables, type TableDiff, type TableOptions } from './compare-tables.js';
import { type DiffedSnapshot, OpenedSide } from './opened-side.js';

export type { RowSamples } from './compare-rows.js';
export type { ChangedObject, ObjectDiff, SequenceValue } from './compare-schema.js';
export type { DiffedSnapshot, LargeObjectsDiff, SchemaDiff, SnapshotFact, TableDiff, ValueDiff };

export interface DiffOptions extends TrustOptions {
  /** Path or URL of an archive, or of a store whose newest one is meant: the one before. */
  readonly a: string;
  /** The one after. */
  readonly b: string;
  /** For URLs: credentials and the like. */
  readonly store?: StoreOptions;
  /** Of a store that several series of snapshots share: whose newest one is meant. */
  readonly prefix?: string;
  /** Of each table so many removed and so many added rows are told as text, at most 10,000. Default: none. */
  readonly rows?: number;
  /** Only the schema: neither rows nor values of sequences. */
  readonly schemaOnly?: boolean;
  readonly onEvent?: EventListener;
  readonly signal?: AbortSignal;
}

const optionNames: OptionNames<DiffOptions> = {
  a: true,
  b: true,
  store: true,
  prefix: true,
  rows: true,
  schemaOnly: true,
  onEvent: true,
  signal: true,
  ...trustOptionNames,
};

export interface SnapshotDiff {
  /** Schema, values of sequences, rows and large objects, as far as they were asked for, are the same. Nothing is said of where they come from. */
  readonly equal: boolean;
  readonly a: DiffedSnapshot;
  readonly b: DiffedSnapshot;
  /** What else is not the same: versions, encodings, what was left out. */
  readonly information: readonly SnapshotFact[];
  /** What was not compared, because one of them does not have it: they are not equal, then. */
  readonly notCompared: readonly string[];
  readonly schema: SchemaDiff;
  readonly values: readonly ValueDiff[];
  /** All tables of both, by schema and name; none with `schemaOnly`. */
  readonly tables: readonly TableDiff[];
  readonly largeObjects?: LargeObjectsDiff;
}

/** Tells what changed from one snapshot to another.
 *
 *  Rows are compared as multisets: where they lie, and in which order, does not matter, nor do OIDs. Chunks that are the same in both are not
 *  read; all others are, and checked. Memory: some 150 MB for rows, whatever the sizes.
 *  @throws TidemarkError USAGE, ARCHIVE_CORRUPT, ARCHIVE_TRUNCATED, ARCHIVE_INVALID, ARCHIVE_TOO_NEW, ARCHIVE_MISSING_PART, FILE_ERROR, OBJECT_MISSING,
 *  STORE_ERROR, ABORTED, SIGNATURE_MISSING, SIGNATURE_INVALID, IDENTITY_MISSING, KEY_INVALID */
export async function diffSnapshots(options: DiffOptions): Promise<SnapshotDiff> {
  refuseUnknownOptions(options, optionNames, 'compare snapshots');
  return diffWith(options, { mostRows: 2_000_000 });
}

/** The same with the rows that may be in memory at once. */
export async function diffWith(options: DiffOptions, { mostRows }: Pick<RowLimits, 'mostRows'>): Promise<SnapshotDiff> {
  const { a, b, rows = 0, schemaOnly = false, signal } = options;
  refuse(!Number.isInteger(rows) || rows < 0 || rows > 10_000, 'compare two snapshots: rows must be a whole number up to 10,000');
  refuse(schemaOnly && rows > 0, 'compare two snapshots: rows are not compared with schema-only');
  try {
    await using before = await OpenedSide.open(a, options);
    await using after = await OpenedSide.open(b, options);
    return await compare(before, after, { ...options, limits: { mostRows, samples: rows } });
  } catch (error) {
    throw abortReason(signal) ?? error;
  }
}

interface Comparing extends TableOptions {
  readonly schemaOnly?: boolean | undefined;
}

async function compare(a: OpenedSide, b: OpenedSide, options: Comparing): Promise<SnapshotDiff> {
  const { schemaOnly = false, onEvent } = options;
  onEvent?.({ type: 'phase', phase: 'diff' });
  const [inA, inB] = [sectionsOf(a.manifest.settings.sections), sectionsOf(b.manifest.settings.sections)];
  const wanted = allSections.filter((section) => !schemaOnly || section !== 'data');
  const common = new Set(wanted.filter((section) => inA.has(section) && inB.has(section)));
  const data = common.has('data');
  const notCompared = wanted.flatMap((section) => missingIn(section, { a: inA, b: inB }));
  const schema = compareSchemas(a.catalog, b.catalog, common);
  const values = data ? compareValues(a.catalog, b.catalog) : [];
  const largeObjects = data ? compareLargeObjects(a.catalog, b.catalog) : undefined;
  const tables = data ? await compareTables(a, b, options) : [];
  const differences = [schema.added, schema.removed, schema.changed, values, notCompared, tables.filter(({ equal }) => !equal)];
  return {
    equal: largeObjects === undefined && differences.every(({ length }) => length === 0),
    a: a.told,
    b: b.told,
    information: compareFacts(a, b),
    notCompared,
    schema,
    values,
    tables,
    ...(largeObjects && { largeObjects }),
  };
}

/** Where only one of them has a section. */
function missingIn(section: Section, { a, b }: Readonly<Record<'a' | 'b', ReadonlySet<Section>>>): readonly string[] {
  if (a.has(section) === b.has(section)) return [];
  const what = { 'pre-data': 'the schema before the data', data: 'rows and values of sequences', 'post-data': 'the schema after the data' };
  return [`${what[section]}: ${a.has(section) ? 'b' : 'a'} has none`];
}
