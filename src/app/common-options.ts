// The options that snapshots and restores share: where to connect, what is in, who listens. Checked and filled up here once; what they
// mean for a catalog is decided in selection/.
import type { Section } from '../model/catalog.js';
import { TidemarkError } from '../model/errors.js';
import type { EventListener } from '../model/events.js';
import type { OptionNames } from '../model/option-names.js';
import type { ConnectionSettings } from '../pg/settings.js';
import type { Contents } from '../selection/contents.js';
import type { Omission } from '../selection/omit.js';
import { type PatternOptions, parseExtensionPattern, parsePattern, parseSchemaPattern } from '../selection/pattern.js';
import { allSections } from '../selection/sections.js';
import { connectionOf, type Database } from './connection.js';
import { settleJobs } from './settle-jobs.js';

/** What of a database, or of an archive, is wanted. Patterns are those of psql and pg_dump; one that matches nothing is an error unless it
 *  excludes. */
export interface ContentOptions {
  /** Only these tables, views and sequences, with what they need; or only these schemas. */
  readonly tables?: readonly string[];
  readonly schemas?: readonly string[];
  readonly excludeTables?: readonly string[];
  readonly excludeSchemas?: readonly string[];
  /** Tables without their rows. */
  readonly excludeTableData?: readonly string[];
  /** The same for tables with those that inherit from them. Partitions go with their table anyway. */
  readonly tablesAndChildren?: readonly string[];
  readonly excludeTablesAndChildren?: readonly string[];
  readonly excludeTableDataAndChildren?: readonly string[];
  /** Only these extensions. Says nothing of other objects, and one that they need comes along. */
  readonly extensions?: readonly string[];
  readonly excludeExtensions?: readonly string[];
  /** Files with more of these patterns, in the form of pg_dump's --filter; `-` is standard input. */
  readonly filterFiles?: readonly string[];
  /** Large objects: by default they are in unless tables or schemas are chosen. They belong to the section data. */
  readonly largeObjects?: boolean;
  /** Without rows: the same as the sections pre-data and post-data. */
  readonly schemaOnly?: boolean;
  /** Rows, and values of sequences. */
  readonly dataOnly?: boolean;
  /** Some of pre-data, data and post-data, as pg_dump has them. Default: all. */
  readonly sections?: readonly Section[];
  readonly noOwner?: boolean;
  readonly noPrivileges?: boolean;
  readonly noComments?: boolean;
  readonly noPublications?: boolean;
  readonly noSubscriptions?: boolean;
  readonly noSecurityLabels?: boolean;
  /** Everything in the tablespace that is the target's default. */
  readonly noTablespaces?: boolean;
  /** Tables and materialized views with the access method that is the target's default. */
  readonly noTableAccessMethod?: boolean;
  /** Rows of partitions are loaded through the topmost partitioned table, which finds their places anew. */
  readonly loadViaPartitionRoot?: boolean;
}

export interface CommonOptions extends ContentOptions {
  /** The database; default: DATABASE_URL, then the PG* variables and .pgpass. */
  readonly database?: Database;
  /** SET ROLE in every session, after connecting. */
  readonly role?: string;
  /** Connections that work at once. Default: processors, at most 4. */
  readonly jobs?: number;
  readonly onEvent?: EventListener;
  readonly signal?: AbortSignal;
}

export const contentOptionNames: OptionNames<ContentOptions> = {
  tables: true,
  schemas: true,
  excludeTables: true,
  excludeSchemas: true,
  excludeTableData: true,
  tablesAndChildren: true,
  excludeTablesAndChildren: true,
  excludeTableDataAndChildren: true,
  extensions: true,
  excludeExtensions: true,
  filterFiles: true,
  largeObjects: true,
  schemaOnly: true,
  dataOnly: true,
  sections: true,
  noOwner: true,
  noPrivileges: true,
  noComments: true,
  noPublications: true,
  noSubscriptions: true,
  noSecurityLabels: true,
  noTablespaces: true,
  noTableAccessMethod: true,
  loadViaPartitionRoot: true,
};

export const commonOptionNames: OptionNames<CommonOptions> = {
  database: true,
  role: true,
  jobs: true,
  onEvent: true,
  signal: true,
  ...contentOptionNames,
};

export interface CommonPlan {
  readonly connection: ConnectionSettings;
  readonly jobs: number;
  readonly contents: Contents;
  /** The patterns as they were asked for, for the manifest. */
  readonly asked: Readonly<Record<string, readonly string[]>>;
  readonly emit: EventListener;
  readonly signal: AbortSignal | undefined;
}

const omissions = {
  noOwner: 'owner',
  noPrivileges: 'privileges',
  noComments: 'comments',
  noPublications: 'publications',
  noSubscriptions: 'subscriptions',
  noSecurityLabels: 'security-labels',
  noTablespaces: 'tablespaces',
  noTableAccessMethod: 'table-access-method',
} as const satisfies Partial<Record<keyof ContentOptions, Omission>>;

export interface Settling {
  /** What messages begin with. */
  readonly attempt: string;
  /** False where patterns cannot name the database, because it is not the one that is connected to. */
  readonly databaseInPatterns?: boolean;
}

/** Checks the options. @throws TidemarkError USAGE with one sentence for the first that cannot be */
export function settleCommon(options: CommonOptions, { attempt, databaseInPatterns = true }: Settling): CommonPlan {
  const jobs = settleJobs(options.jobs, attempt);
  refuse(options.role === '', `${attempt}: the role has no name`);
  const connection = connectionOf(options.database, options.role);
  return {
    connection,
    jobs,
    contents: settleContents(options, { attempt, inDatabase: databaseInPatterns ? { database: connection.database } : {} }),
    asked: askedOf(options),
    emit: options.onEvent ?? (() => undefined),
    signal: options.signal,
  };
}

/** The part of the options that needs no connection.
 *  @throws TidemarkError USAGE */
export function settleContents(
  options: ContentOptions,
  { attempt, inDatabase }: { readonly attempt: string; readonly inDatabase: PatternOptions },
): Contents {
  refuseBoth(options, ['schemaOnly', 'dataOnly'], attempt);
  refuseBoth(options, ['schemaOnly', 'sections'], attempt);
  refuseBoth(options, ['dataOnly', 'sections'], attempt);
  const sections = sectionsWanted(options, attempt);
  const tables = (texts: readonly string[] = [], withChildren: readonly string[] = []) => [
    ...texts.map((text) => parsePattern(text, inDatabase)),
    ...withChildren.map((text) => parsePattern(text, { ...inDatabase, children: true })),
  ];
  const schemas = (texts: readonly string[] = []) => texts.map((text) => parseSchemaPattern(text, inDatabase));
  const extensions = (texts: readonly string[] = []) => texts.map((text) => parseExtensionPattern(text));
  const given = (Object.keys(omissions) as (keyof typeof omissions)[]).filter((name) => options[name] === true);
  return {
    tables: tables(options.tables, options.tablesAndChildren),
    excludeTables: tables(options.excludeTables, options.excludeTablesAndChildren),
    schemas: schemas(options.schemas),
    excludeSchemas: schemas(options.excludeSchemas),
    extensions: extensions(options.extensions),
    excludeExtensions: extensions(options.excludeExtensions),
    excludeTableData: tables(options.excludeTableData, options.excludeTableDataAndChildren),
    omissions: new Set(given.map((name) => omissions[name])),
    largeObjects: sections.has('data') ? options.largeObjects : false,
    // As pg_restore has it: where there are other rows beside those of the archive, its statistics are not true.
    ...(options.dataOnly ? { statistics: false } : {}),
    sections,
    loadViaPartitionRoot: options.loadViaPartitionRoot ?? false,
  };
}

function sectionsWanted({ schemaOnly, dataOnly, sections = [] }: ContentOptions, attempt: string): ReadonlySet<Section> {
  for (const section of sections) {
    refuse(!allSections.includes(section), `${attempt}: there is no section ${section}: it is one of ${allSections.join(', ')}`);
  }
  if (schemaOnly) return new Set(['pre-data', 'post-data']);
  if (dataOnly) return new Set(['data']);
  return new Set(sections.length === 0 ? allSections : sections);
}

function askedOf(options: ContentOptions): CommonPlan['asked'] {
  const asked = {
    table: options.tables,
    tableAndChildren: options.tablesAndChildren,
    excludeTable: options.excludeTables,
    excludeTableAndChildren: options.excludeTablesAndChildren,
    excludeTableData: options.excludeTableData,
    excludeTableDataAndChildren: options.excludeTableDataAndChildren,
    schema: options.schemas,
    excludeSchema: options.excludeSchemas,
    extension: options.extensions,
    excludeExtension: options.excludeExtensions,
    largeObjects: options.largeObjects === undefined ? undefined : [options.largeObjects ? 'yes' : 'no'],
  };
  return Object.fromEntries(Object.entries(asked).flatMap(([name, texts]) => (texts?.length ? [[name, texts]] : [])));
}

/** Two options that contradict each other, named as on the command line: `schemaOnly` -> `schema-only`. */
export function refuseBoth<Options extends object>(
  options: Options,
  [one, other]: readonly [one: keyof Options & string, other: keyof Options & string],
  attempt: string,
): void {
  refuse(isGiven(options[one]) && isGiven(options[other]), `${attempt}: ${word(one)} and ${word(other)} exclude each other`);
}

function isGiven(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
}

function word(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** @throws TidemarkError USAGE */
export function refuse(wrong: boolean, why: string): void {
  if (wrong) throw new TidemarkError('USAGE', why);
}
