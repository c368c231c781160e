// The options of snapshot, schema and restore that say what is in, and how to connect: added to a command, and read from its flags.
// Short forms are those of pg_dump and pg_restore, which use some letters for different things.
import { type Command, InvalidArgumentError } from 'commander';
import type { ContentOptions } from '../app/common-options.js';
import type { Section } from '../model/catalog.js';
import { collect } from './arguments.js';
import { given } from './given.js';

export interface ContentFlags {
  readonly dbname?: string;
  readonly role?: string;
  readonly table?: readonly string[];
  readonly excludeTable?: readonly string[];
  readonly excludeTableData?: readonly string[];
  readonly tableAndChildren?: readonly string[];
  readonly excludeTableAndChildren?: readonly string[];
  readonly excludeTableDataAndChildren?: readonly string[];
  readonly schema?: readonly string[];
  readonly excludeSchema?: readonly string[];
  readonly extension?: readonly string[];
  readonly excludeExtension?: readonly string[];
  readonly largeObjects?: boolean;
  readonly schemaOnly?: true;
  readonly dataOnly?: true;
  readonly section?: readonly Section[];
  readonly strictNames?: true;
  readonly filter?: readonly string[];
  readonly owner: boolean;
  readonly privileges: boolean;
  readonly acl: boolean;
  readonly comments: boolean;
  readonly publications: boolean;
  readonly subscriptions: boolean;
  readonly securityLabels: boolean;
  readonly tablespaces: boolean;
  readonly tableAccessMethod: boolean;
  readonly loadViaPartitionRoot?: true;
}

export interface ContentCommand {
  /** Letters of options that mean something else in the other program. */
  readonly short: { readonly excludeTable: string; readonly extension: string };
  /** It has to do with rows, too. */
  readonly rows: boolean;
}

export function addConnection(command: Command): Command {
  return command
    .option('-d, --dbname <url>', 'database: a postgres:// URL or a name (default: DATABASE_URL, then PGHOST, PGDATABASE, ...)')
    .option('--role <role>', 'SET ROLE after connecting, in every session');
}

/** What is in. */
export function addContents(command: Command, { short, rows }: ContentCommand): Command {
  command
    .option('-t, --table <pattern>', 'only these tables, with what they need (repeatable)', collect)
    .option('--table-and-children <pattern>', 'the same, with the tables that inherit from them (repeatable)', collect)
    .option(`${short.excludeTable}--exclude-table <pattern>`, 'without these tables (repeatable)', collect)
    .option('--exclude-table-and-children <pattern>', 'the same, with the tables that inherit from them (repeatable)', collect);
  if (rows)
    command
      .option('--exclude-table-data <pattern>', 'without the rows of these tables (repeatable)', collect)
      .option('--exclude-table-data-and-children <pattern>', 'the same, with the tables that inherit from them (repeatable)', collect);
  command
    .option('-n, --schema <pattern>', 'only these schemas (repeatable)', collect)
    .option('-N, --exclude-schema <pattern>', 'without these schemas (repeatable)', collect)
    .option(`${short.extension}--extension <pattern>`, 'of the extensions only these (repeatable)', collect)
    .option('--exclude-extension <pattern>', 'without these extensions (repeatable)', collect)
    .option('--filter <file>', 'patterns from a file in the form of pg_dump; - is standard input (repeatable)', collect)
    .option('--strict-names', 'a pattern that matches nothing is an error: always so, known for the sake of pg_dump');
  if (rows) {
    command
      .option('-b, --large-objects', 'large objects, too, where tables or schemas are chosen')
      .option('-B, --no-large-objects', 'without large objects');
  }
  if (rows) command.option('-s, --schema-only', 'without rows').option('-a, --data-only', 'rows and values of sequences only');
  const sections: readonly Section[] = rows ? ['pre-data', 'data', 'post-data'] : ['pre-data', 'post-data'];
  command
    .option('--section <section>', `only ${sections.slice(0, -1).join(', ')} or ${sections.at(-1)} (repeatable)`, sectionAmong(sections))
    .option('-O, --no-owner', 'without owners')
    .option('-x, --no-privileges', 'without privileges (GRANT, REVOKE)')
    .option('--no-acl', 'the same as --no-privileges')
    .option('--no-comments', 'without comments')
    .option('--no-publications', 'without publications')
    .option('--no-subscriptions', 'without subscriptions')
    .option('--no-security-labels', 'without security labels')
    .option('--no-tablespaces', "everything in the target's default tablespace")
    .option('--no-table-access-method', "tables with the target's default access method");
  if (rows) command.option('--load-via-partition-root', 'load rows of partitions through their partitioned table');
  return command;
}

function sectionAmong(sections: readonly Section[]): (value: string, previous?: readonly Section[]) => readonly Section[] {
  return (value, previous = []) => {
    const section = sections.find((known) => known === value);
    if (section === undefined) throw new InvalidArgumentError(`It must be one of ${sections.join(', ')}.`);
    return [...previous, section];
  };
}

/** What the flags say of the contents and of the connection. */
export function contentOptions(flags: ContentFlags): ContentOptions & { readonly database?: string; readonly role?: string } {
  return {
    ...given('database', flags.dbname),
    ...given('role', flags.role),
    ...given('tables', flags.table),
    ...given('excludeTables', flags.excludeTable),
    ...given('excludeTableData', flags.excludeTableData),
    ...given('tablesAndChildren', flags.tableAndChildren),
    ...given('excludeTablesAndChildren', flags.excludeTableAndChildren),
    ...given('excludeTableDataAndChildren', flags.excludeTableDataAndChildren),
    ...given('schemas', flags.schema),
    ...given('excludeSchemas', flags.excludeSchema),
    ...given('extensions', flags.extension),
    ...given('excludeExtensions', flags.excludeExtension),
    ...given('filterFiles', flags.filter),
    ...given('largeObjects', flags.largeObjects),
    ...given('schemaOnly', flags.schemaOnly),
    ...given('dataOnly', flags.dataOnly),
    ...given('sections', flags.section),
    noOwner: !flags.owner,
    noPrivileges: !flags.privileges || !flags.acl,
    noComments: !flags.comments,
    noPublications: !flags.publications,
    noSubscriptions: !flags.subscriptions,
    noSecurityLabels: !flags.securityLabels,
    noTablespaces: !flags.tablespaces,
    noTableAccessMethod: !flags.tableAccessMethod,
    ...given('loadViaPartitionRoot', flags.loadViaPartitionRoot),
  };
}
