// `tidemark fixture`: a small part of a database for tests, in a file for a repository.
import { Command } from 'commander';
import { printable } from '../model/printable.js';
import { formatBytes, formatCount, formatCounted } from '../model/units.js';
import { collect, columnMask, tableCondition, tableLimit, wholeNumber } from './arguments.js';
import { addConnection } from './content-flags.js';
import { given } from './given.js';
import { run } from './run.js';
import { formatTable } from './table.js';
import { addView, type ViewFlags, viewOptions } from './view-flags.js';

interface Flags extends ViewFlags {
  readonly file: string;
  readonly dbname?: string;
  readonly role?: string;
  readonly where?: Readonly<Record<string, string>>;
  readonly limit?: Readonly<Record<string, number>>;
  readonly mask?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly maxRows?: number;
  readonly table?: readonly string[];
  readonly tableAndChildren?: readonly string[];
  readonly excludeTable?: readonly string[];
  readonly excludeTableAndChildren?: readonly string[];
  readonly schema?: readonly string[];
  readonly excludeSchema?: readonly string[];
  readonly extension?: readonly string[];
  readonly excludeExtension?: readonly string[];
  readonly owner?: true;
  readonly privileges?: true;
  readonly comments: boolean;
  readonly publications: boolean;
  readonly tableAccessMethod: boolean;
  readonly json?: true;
}

export function fixtureCommand(): Command {
  const command = new Command('fixture').description('capture a small part of a database for tests: the same data gives the same file');
  return addView(
    addConnection(command)
      .requiredOption('-f, --file <path>', 'file to write')
      .option('-t, --table <pattern>', 'only these tables, with what their rows refer to (repeatable)', collect)
      .option('--table-and-children <pattern>', 'the same, with the tables that inherit from them (repeatable)', collect)
      .option('-T, --exclude-table <pattern>', 'without these tables, and foreign keys to them (repeatable)', collect)
      .option('--exclude-table-and-children <pattern>', 'the same, with the tables that inherit from them (repeatable)', collect)
      .option('-n, --schema <pattern>', 'only these schemas (repeatable)', collect)
      .option('-N, --exclude-schema <pattern>', 'without these schemas (repeatable)', collect)
      .option('-e, --extension <pattern>', 'of the extensions only these (repeatable)', collect)
      .option('--exclude-extension <pattern>', 'without these extensions (repeatable)', collect)
      .option('--where <table=condition>', 'rows that satisfy an SQL condition, and what they refer to (repeatable)', tableCondition)
      .option('--limit <[table=]rows>', 'so many rows of a table, or of each, by the primary key (repeatable)', tableLimit)
      .option('--mask <table.column=expression>', "an SQL expression in the place of a column's value (repeatable)", columnMask)
      .option('--max-rows <n>', 'rows of all tables together, at most (default: 1000000)', wholeNumber)
      .option('--owner', 'with owners')
      .option('--privileges', 'with privileges (GRANT, REVOKE)')
      .option('--no-comments', 'without comments')
      .option('--no-publications', 'without publications')
      .option('--no-table-access-method', "tables with the target's default access method"),
  )
    .option('--json', 'events on standard error and the result on standard output as JSON')
    .action(fixture);
}

async function fixture(flags: Flags): Promise<void> {
  await run({ command: 'fixture', json: flags.json === true }, async ({ onEvent, signal }) => {
    // Not before it is needed: help and wrong arguments are answered at once.
    const { captureFixture } = await import('../app/fixture/capture-fixture.js');
    const captured = await captureFixture({
      out: flags.file,
      ...given('db', flags.dbname),
      ...given('role', flags.role),
      ...given('where', flags.where),
      ...given('limit', flags.limit),
      ...given('mask', flags.mask),
      ...given('maxRows', flags.maxRows),
      ...given('tables', flags.table),
      ...given('tablesAndChildren', flags.tableAndChildren),
      ...given('excludeTables', flags.excludeTable),
      ...given('excludeTablesAndChildren', flags.excludeTableAndChildren),
      ...given('schemas', flags.schema),
      ...given('excludeSchemas', flags.excludeSchema),
      ...given('extensions', flags.extension),
      ...given('excludeExtensions', flags.excludeExtension),
      noOwner: !flags.owner,
      noPrivileges: !flags.privileges,
      noComments: !flags.comments,
      noPublications: !flags.publications,
      noTableAccessMethod: !flags.tableAccessMethod,
      ...viewOptions(flags),
      onEvent,
      signal,
    });
    const { file, bytes, sha256, tables } = captured;
    const rows = tables.reduce((sum, table) => sum + table.rows, 0);
    const lines = [
      ...formatTable(
        [{ head: 'table' }, { head: 'rows', align: 'right' }, { head: 'referred to', align: 'right' }],
        tables.map(({ schema, name, rows, followed }) => [
          `${schema}.${name}`,
          formatCount(rows),
          followed === 0 ? '' : formatCount(followed),
        ]),
      ),
      `${printable(file)}: ${formatCounted(tables.length, 'table')}, ${formatCounted(rows, 'row')}, ${formatBytes(bytes)}`,
      `SHA-256 ${sha256}`,
    ];
    return { result: { type: 'fixture', ...captured }, text: lines.join('\n') };
  });
}
