// The options of an export as a caller gives them. They become those of a snapshot, of which an export is another form.
import type { ExportFormat } from '../../model/export.js';
import type { OptionNames } from '../../model/option-names.js';
import type { StoreOptions } from '../../store/open-store.js';
import type { Store } from '../../store/store.js';
import { refuse } from '../common-options.js';
import { planSnapshot, type SnapshotOptions, type SnapshotPlan } from '../snapshot/options.js';

const shared = {
  database: true,
  role: true,
  jobs: true,
  onEvent: true,
  signal: true,
  tables: true,
  schemas: true,
  excludeTables: true,
  excludeSchemas: true,
  excludeTableData: true,
  tablesAndChildren: true,
  excludeTablesAndChildren: true,
  excludeTableDataAndChildren: true,
  filterFiles: true,
  noOwner: true,
  noPrivileges: true,
  loadViaPartitionRoot: true,
  height: true,
  heightQuery: true,
  hashQuery: true,
  streamsQuery: true,
  lockTimeoutMs: true,
  maxAgeMs: true,
  attempts: true,
  skipUnsupported: true,
} as const;

/** `jobs`: worker threads, each with a connection of its own; `loadViaPartitionRoot`: the rows of partitions go into the file of their topmost
 *  partitioned table instead of one file each. */
export interface ExportOptions extends Pick<SnapshotOptions, keyof typeof shared> {
  /** The folder to make: a path or `file:` URL. Or a store: `s3://bucket/prefix`, or one that is open. Nothing may be there. */
  readonly directory: string | Store;
  /** What a URL of S3 does not say: credentials. */
  readonly store?: StoreOptions;
  /** Default: csv. In binary a column whose type cannot travel so is an error. */
  readonly format?: ExportFormat;
  /** zstd level, -7 to 22 without 0. Default 3. */
  readonly compressLevel?: number;
}

export const exportOptionNames: OptionNames<ExportOptions> = { directory: true, store: true, format: true, compressLevel: true, ...shared };

export interface ExportPlan {
  readonly directory: string | Store;
  readonly store: StoreOptions | undefined;
  readonly format: ExportFormat;
  readonly plan: SnapshotPlan;
}

/** Checks the options. @throws TidemarkError USAGE with one sentence for the first that cannot be */
export function planExport({ directory, store, format = 'csv', ...options }: ExportOptions): ExportPlan {
  refuse(directory === '', 'export: the directory has no name');
  refuse(!['csv', 'text', 'binary'].includes(format), 'export: the format must be csv, text or binary');
  refuse('includeForeignData' in options, 'export: foreign_data in a filter file is for snapshots');
  const copyFormat = format === 'binary' ? 'binary' : 'text';
  return { directory, store, format, plan: planSnapshot({ ...options, copyFormat, largeObjects: false, statistics: false }) };
}
