// `tidemark export`: the options of `tidemark snapshot` as far as they are about rows.
import { Command, Option } from 'commander';
import type { ExportFormat } from '../model/export.js';
import { printable } from '../model/printable.js';
import { formatBytes, formatCounted, formatDuration } from '../model/units.js';
import { collect, compressLevel, wholeNumber } from './arguments.js';
import { addConnection } from './content-flags.js';
import { given } from './given.js';
import { describePosition } from './report.js';
import { run } from './run.js';
import { addView, type ViewFlags, viewOptions } from './view-flags.js';

interface Flags extends ViewFlags {
  readonly to: string;
  readonly format?: ExportFormat;
  readonly dbname?: string;
  readonly role?: string;
  readonly jobs?: number;
  readonly compress?: number;
  readonly table?: readonly string[];
  readonly excludeTable?: readonly string[];
  readonly schema?: readonly string[];
  readonly excludeSchema?: readonly string[];
  readonly excludeTableData?: readonly string[];
  readonly tableAndChildren?: readonly string[];
  readonly excludeTableAndChildren?: readonly string[];
  readonly excludeTableDataAndChildren?: readonly string[];
  readonly filter?: readonly string[];
  readonly loadViaPartitionRoot?: true;
  readonly owner: boolean;
  readonly privileges: boolean;
  readonly json?: true;
}

export function exportCommand(): Command {
  const command = new Command('export').description('export tables in one view, one compressed file each, for any program to read');
  return addView(
    addConnection(command)
      .requiredOption('--to <place>', 'folder to make, or store: s3://bucket/prefix')
      .addOption(new Option('--format <format>', 'form of the rows (default: csv)').choices(['csv', 'text', 'binary']))
      .option('-j, --jobs <n>', 'tables and parts of tables to read at once (default: processors, at most 4)', wholeNumber)
      .option('-Z, --compress <level>', 'zstd level (default: 3)', compressLevel)
      .option('-t, --table <pattern>', 'only these tables (repeatable)', collect)
      .option('--table-and-children <pattern>', 'the same, with the tables that inherit from them (repeatable)', collect)
      .option('-T, --exclude-table <pattern>', 'without these tables (repeatable)', collect)
      .option('--exclude-table-and-children <pattern>', 'the same, with the tables that inherit from them (repeatable)', collect)
      .option('--exclude-table-data <pattern>', 'of these tables the definition only (repeatable)', collect)
      .option('--exclude-table-data-and-children <pattern>', 'the same, with the tables that inherit from them (repeatable)', collect)
      .option('-n, --schema <pattern>', 'only these schemas (repeatable)', collect)
      .option('-N, --exclude-schema <pattern>', 'without these schemas (repeatable)', collect)
      .option('--filter <file>', 'patterns from a file in the form of pg_dump; - is standard input (repeatable)', collect)
      .option('--load-via-partition-root', 'rows of partitions in the file of their partitioned table')
      .option('-O, --no-owner', 'without owners in schema.sql')
      .option('-x, --no-privileges', 'without privileges in schema.sql'),
  )
    .option('--json', 'events on standard error and the result on standard output as JSON')
    .action(exportAction);
}

async function exportAction(flags: Flags): Promise<void> {
  await run({ command: 'export', json: flags.json === true }, async ({ onEvent, signal }) => {
    // Not before it is needed: help and wrong arguments are answered at once.
    const { exportTables } = await import('../app/export/export-tables.js');
    const { directory, manifest, durationMs, attempts } = await exportTables({
      directory: flags.to,
      ...given('format', flags.format),
      ...given('database', flags.dbname),
      ...given('role', flags.role),
      ...given('jobs', flags.jobs),
      ...given('compressLevel', flags.compress),
      ...given('tables', flags.table),
      ...given('tablesAndChildren', flags.tableAndChildren),
      ...given('excludeTables', flags.excludeTable),
      ...given('excludeTablesAndChildren', flags.excludeTableAndChildren),
      ...given('excludeTableData', flags.excludeTableData),
      ...given('excludeTableDataAndChildren', flags.excludeTableDataAndChildren),
      ...given('schemas', flags.schema),
      ...given('excludeSchemas', flags.excludeSchema),
      ...given('filterFiles', flags.filter),
      ...given('loadViaPartitionRoot', flags.loadViaPartitionRoot),
      noOwner: !flags.owner,
      noPrivileges: !flags.privileges,
      ...viewOptions(flags),
      onEvent,
      signal,
    });
    const { position, totals, source, leftOut } = manifest;
    const lines = [
      `${printable(directory)}: ${formatCounted(totals.tables, 'table')}, ${formatCounted(totals.rows, 'row')}, ${formatBytes(totals.rawBytes)} ` +
        `-> ${formatBytes(totals.bytes)} of ${manifest.copyFormat} in ${formatDuration(durationMs)}`,
      `database ${printable(source.database)}, ${describePosition(position)}`,
    ];
    const result = { type: 'export', directory, database: source.database, position, totals, leftOut, durationMs, attempts };
    return { result, text: lines.join('\n') };
  });
}
