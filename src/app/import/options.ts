// The options of an import as a caller gives them, and which tables of an export go where by them.
import { TidemarkError } from '../../model/errors.js';
import type { ExportedTable, ExportManifest } from '../../model/export.js';
import { type OptionNames, refuseUnknownOptions } from '../../model/option-names.js';
import type { ListedRelation } from '../../snapshot/tables.js';
import type { StoreOptions } from '../../store/open-store.js';
import type { Store } from '../../store/store.js';
import { type CommonOptions, type CommonPlan, refuse, refuseBoth, settleCommon } from '../common-options.js';
import { chooseTables } from '../snapshot/choose-tables.js';

const shared = {
  database: true,
  role: true,
  onEvent: true,
  signal: true,
  tables: true,
  schemas: true,
  excludeTables: true,
  excludeSchemas: true,
  loadViaPartitionRoot: true,
} as const;

/** Patterns are of names in the export. `loadViaPartitionRoot`: rows of partitions go into their topmost partitioned table, which finds their
 *  places anew. */
export interface ImportOptions extends Pick<CommonOptions, keyof typeof shared> {
  /** What an export made: a folder, by its path or `file:` URL, or a store: `s3://bucket/prefix`, `https://host/path`, or one that is open. */
  readonly directory: string | Store;
  /** What a URL of S3 or HTTPS does not say: credentials, headers. */
  readonly store?: StoreOptions;
  /** Removes the rows that are there first; else rows are added to them. */
  readonly truncate?: boolean;
  /** All tables into this schema. */
  readonly intoSchema?: string;
  /** Tables of some schemas into others: `{ old: 'new' }`. */
  readonly mapSchemas?: Readonly<Record<string, string>>;
  /** Leaves sequences of serial and identity columns where they are. */
  readonly noSequences?: boolean;
  /** Leaves out ANALYZE. */
  readonly noAnalyze?: boolean;
  /** How long locks may be waited for, in ms. 0: for ever. Default 10 s. */
  readonly lockTimeoutMs?: number;
}

const optionNames: OptionNames<ImportOptions> = {
  directory: true,
  store: true,
  truncate: true,
  intoSchema: true,
  mapSchemas: true,
  noSequences: true,
  noAnalyze: true,
  lockTimeoutMs: true,
  ...shared,
};

export interface ImportSettings extends CommonPlan {
  readonly directory: string | Store;
  readonly store: StoreOptions | undefined;
  readonly truncate: boolean;
  readonly sequences: boolean;
  readonly analyze: boolean;
  readonly lockTimeoutMs: number;
  readonly viaRoot: boolean;
  /** The schema of the target for one of the export. */
  readonly schemaOf: (schema: string) => string;
  /** Of `mapSchemas`. */
  readonly mapped: readonly string[];
}

const attempt = 'import';

/** Checks the options. @throws TidemarkError USAGE with one sentence for the first that cannot be */
export function settleImport(options: ImportOptions): ImportSettings {
  refuseUnknownOptions(options, optionNames, attempt);
  const { directory, intoSchema, mapSchemas = {}, lockTimeoutMs = 10_000 } = options;
  refuse(directory === '', `${attempt}: the directory has no name`);
  refuse(intoSchema === '' || Object.values(mapSchemas).includes(''), `${attempt}: the schema has no name`);
  refuseBoth(options, ['intoSchema', 'mapSchemas'], attempt);
  refuse(!(lockTimeoutMs >= 0) || lockTimeoutMs > 2 ** 31 - 1, `${attempt}: the lock timeout must not be negative`);
  const map = new Map(Object.entries(mapSchemas));
  return {
    ...settleCommon({ ...options, jobs: 1 }, { attempt }),
    directory,
    store: options.store,
    truncate: options.truncate ?? false,
    sequences: !options.noSequences,
    analyze: !options.noAnalyze,
    lockTimeoutMs,
    viaRoot: options.loadViaPartitionRoot ?? false,
    schemaOf: (schema) => intoSchema ?? map.get(schema) ?? schema,
    mapped: [...map.keys()],
  };
}

/** The tables of the export that the patterns choose.
 *  @throws TidemarkError PATTERN_UNMATCHED; USAGE for a schema to be mapped that is not in the export */
export function chooseExported({ tables }: ExportManifest, { contents, mapped }: ImportSettings): readonly ExportedTable[] {
  const plain = { partitionOf: null, inherits: [], server: null, extension: null };
  const key = ({ schema, name }: { readonly schema: string; readonly name: string }): string => JSON.stringify([schema, name]);
  const own = new Set(tables.map(key));
  const roots = new Map(
    tables.flatMap(({ partitionOf }) => (partitionOf && !own.has(key(partitionOf)) ? [[key(partitionOf), partitionOf]] : [])),
  );
  const places = new Map([...roots.keys()].map((root, i) => [root, tables.length + i]));
  const relations: ListedRelation[] = [
    ...tables.map(({ schema, name, partitionOf }, oid) => ({
      ...plain,
      oid,
      schema,
      name,
      relkind: 'r' as const,
      partitionOf: partitionOf === undefined ? null : (places.get(key(partitionOf)) ?? null),
    })),
    ...[...roots.values()].map(({ schema, name }, i) => ({ ...plain, oid: tables.length + i, schema, name, relkind: 'p' as const })),
  ];
  const schemas = [...new Set(relations.map(({ schema }) => schema))];
  const unknown = mapped.find((schema) => !schemas.includes(schema));
  if (unknown !== undefined) throw new TidemarkError('USAGE', `${attempt}: there is no schema ${unknown} in the export`);
  return chooseTables(relations, schemas, contents).flatMap(({ oid }) => tables[oid] ?? []);
}
