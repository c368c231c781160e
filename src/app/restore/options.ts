// The options of a restore as a caller gives them, and as they are once checked and filled up.
import type { Section } from '../../model/catalog.js';
import type { OptionNames } from '../../model/option-names.js';
import type { Scope } from '../../restore/marker.js';
import type { OpenArchiveOptions, OpenedArchive, StoreOptions } from '../archive/open-bytes.js';
import { type CommonOptions, type CommonPlan, commonOptionNames, refuse, refuseBoth, settleCommon } from '../common-options.js';
import { type TrustOptions, trustOf, trustOptionNames } from '../seal/open-sealed.js';
import { type Allowance, settleUntrusted, type UntrustedOptions } from './untrusted.js';

/** `database` is the one to restore into. An existing database is restored into by one connection alone, whatever `jobs` says. */
export interface RestoreOptions extends CommonOptions, TrustOptions {
  /** Path or URL of the archive, or of a store whose newest one is meant; or its bytes in order (from a pipe; in the middle of a restore
   *  nobody can look at its end); or an archive that is open, which is closed at the end. */
  readonly file: string | AsyncIterable<Uint8Array> | OpenedArchive;
  /** For a URL: credentials and the like. */
  readonly store?: StoreOptions;
  /** Of a store that several series of snapshots share: whose newest one is meant. */
  readonly prefix?: string;
  /** Drops what the archive has before it is made anew; missing objects are an error unless `ifExists`. */
  readonly clean?: boolean;
  readonly ifExists?: boolean;
  /** Makes the database that the archive names; `database` is only connected to for that. With `clean` it is dropped first. */
  readonly create?: boolean;
  /** First makes, and alters, what the archive has of the server as a whole: roles, memberships, privileges on parameters, tablespaces. */
  readonly globals?: boolean;
  /** Replaces the rows of tables that are there already. */
  readonly truncate?: boolean;
  /** Only says what would be done. */
  readonly dryRun?: boolean;
  /** Restores into `<database>__restoring`, which takes the place of the database once it is complete. */
  readonly swap?: boolean;
  /** With `swap`: ends the sessions on the database. */
  readonly force?: boolean;
  /** Path of a list as `listArchive` gives it: only the entries that it has. */
  readonly useList?: string;
  /** Leaves the planner without statistics until autovacuum, or somebody else, runs ANALYZE. */
  readonly noAnalyze?: boolean;
  /** Runs ANALYZE although the archive has statistics. */
  readonly noStatistics?: boolean;
  /** Sets parameters of the sessions, and for the time of the restore settings of the server as far as the role may, so that it takes less time.
   *  What is set and what is left out is said in notices; `untuneServer` puts back what a restore that was killed has left. */
  readonly tune?: boolean;
  /** The archive is from somebody one does not trust: only plain tables and their rows, as a role that can do nothing else. */
  readonly untrusted?: boolean | UntrustedOptions;
}

export const restoreOptionNames: OptionNames<RestoreOptions> = {
  file: true,
  store: true,
  prefix: true,
  clean: true,
  ifExists: true,
  create: true,
  globals: true,
  truncate: true,
  dryRun: true,
  swap: true,
  force: true,
  useList: true,
  noAnalyze: true,
  noStatistics: true,
  tune: true,
  untrusted: true,
  ...commonOptionNames,
  ...trustOptionNames,
};

export interface RestoreSettings extends CommonPlan {
  readonly file: string | AsyncIterable<Uint8Array> | OpenedArchive;
  /** Where `file` is a name. */
  readonly place: Pick<OpenArchiveOptions, 'store' | 'prefix'>;
  /** True where patterns choose less than all. */
  readonly selected: boolean;
  /** 'part' where the rest of what the target holds is to stay. A database that is made anew holds nothing. */
  readonly scope: Scope;
  readonly clean: { readonly ifExists: boolean } | undefined;
  readonly create: boolean;
  readonly globals: boolean;
  readonly truncate: boolean;
  readonly dryRun: boolean;
  readonly swap: boolean;
  readonly force: boolean;
  readonly analyze: boolean;
  readonly useList: string | undefined;
  readonly trust: TrustOptions;
  readonly tune: boolean;
  /** Undefined: the archive is trusted. */
  readonly untrusted: ReadonlySet<Allowance> | undefined;
}

const attempt = 'restore';

/** Pairs that contradict each other. */
const exclusive: readonly (readonly [one: keyof RestoreOptions, other: keyof RestoreOptions])[] = [
  ['schemaOnly', 'truncate'],
  ['sections', 'truncate'],
  ['clean', 'dataOnly'],
  ['clean', 'truncate'],
  ['create', 'dataOnly'],
  ['create', 'truncate'],
  ['create', 'swap'],
  ['swap', 'clean'],
  ['swap', 'dataOnly'],
  ['swap', 'truncate'],
  ['swap', 'sections'],
  ['swap', 'useList'],
  ['swap', 'tables'],
  ['swap', 'tablesAndChildren'],
  ['swap', 'excludeTablesAndChildren'],
  ['swap', 'schemas'],
  ['swap', 'excludeTables'],
  ['swap', 'excludeSchemas'],
];

/** Checks the options. @throws TidemarkError USAGE with one sentence for the first that cannot be */
export function settleRestore(options: RestoreOptions): RestoreSettings {
  for (const pair of exclusive) refuseBoth(options, pair, attempt);
  refuse(options.ifExists === true && !options.clean, `${attempt}: if-exists needs clean`);
  refuse(options.force === true && !options.swap, `${attempt}: force needs swap`);
  const untrusted = settleUntrusted(options);
  const piped = typeof options.file !== 'string' && Symbol.asyncIterator in options.file;
  refuse(piped && options.create === true, `${attempt}: create needs a file: from a pipe the name and encoding of the database come last`);
  refuse(piped && options.dryRun === true, `${attempt}: a dry run needs a file: a pipe could not be read again`);
  // With --create the archive's database is not the one that the connection names.
  const common = settleCommon(options, { attempt, databaseInPatterns: !options.create });
  const { contents } = common;
  const truncate = options.truncate ?? false;
  const makesTables = contents.sections.has('pre-data');
  refuse(options.clean === true && !makesTables, `${attempt}: clean needs the section pre-data: dropping a table drops all that is on it`);
  refuse(options.create === true && !makesTables, `${attempt}: create needs the section pre-data`);
  const selected = (contents.tables ?? []).length + (contents.schemas ?? []).length > 0 || options.useList !== undefined;
  return {
    ...common,
    contents: {
      ...contents,
      ...(truncate ? { sections: new Set<Section>(['data']) } : {}),
      ...(options.noStatistics ? { statistics: false } : {}),
    },
    file: options.file,
    place: { ...(options.store && { store: options.store }), ...(options.prefix !== undefined && { prefix: options.prefix }) },
    selected,
    scope: selected || (options.clean === true && options.create !== true) ? 'part' : 'whole',
    clean: options.clean ? { ifExists: options.ifExists ?? false } : undefined,
    create: options.create ?? false,
    globals: options.globals ?? false,
    truncate,
    dryRun: options.dryRun ?? false,
    swap: options.swap ?? false,
    force: options.force ?? false,
    analyze: !options.noAnalyze,
    useList: options.useList,
    tune: options.tune ?? false,
    trust: trustOf(options),
    untrusted,
  };
}
