// `tidemark import`: an export into tables that are there.
import { Command, InvalidArgumentError } from 'commander';
import { printable } from '../model/printable.js';
import { formatBytes, formatCounted, formatDuration } from '../model/units.js';
import { collect, duration } from './arguments.js';
import { addConnection } from './content-flags.js';
import { given } from './given.js';
import { describePosition } from './report.js';
import { run } from './run.js';

interface Flags {
  readonly dbname?: string;
  readonly role?: string;
  readonly truncate?: true;
  readonly intoSchema?: string;
  readonly map?: Readonly<Record<string, string>>;
  readonly table?: readonly string[];
  readonly excludeTable?: readonly string[];
  readonly schema?: readonly string[];
  readonly excludeSchema?: readonly string[];
  readonly loadViaPartitionRoot?: true;
  readonly sequences: boolean;
  readonly analyze: boolean;
  readonly lockWaitTimeout?: number;
  readonly json?: true;
}

export function importCommand(): Command {
  const command = new Command('import')
    .description('load an export into tables that are there, in one transaction')
    .argument('<place>', 'what `tidemark export` made: a folder, s3://bucket/prefix or https://host/path');
  return addConnection(command)
    .option('--truncate', 'replace the rows of the tables; default: add to them')
    .option('--into-schema <name>', 'all tables into this schema')
    .option('--map <old=new>', 'tables of one schema into another (repeatable)', schemaPair)
    .option('-t, --table <pattern>', 'only these tables of the export (repeatable)', collect)
    .option('-T, --exclude-table <pattern>', 'without these tables (repeatable)', collect)
    .option('-n, --schema <pattern>', 'only these schemas of the export (repeatable)', collect)
    .option('-N, --exclude-schema <pattern>', 'without these schemas (repeatable)', collect)
    .option('--load-via-partition-root', 'rows of partitions through their partitioned table, which finds their places anew')
    .option('--no-sequences', 'leave the sequences of serial and identity columns where they are')
    .option('--no-analyze', 'leave out ANALYZE')
    .option('--lock-wait-timeout <duration>', 'give up when a table lock takes longer (default: 10s; 0: never)', duration)
    .option('--json', 'events on standard error and the result on standard output as JSON')
    .action(importAction);
}

function schemaPair(text: string, previous: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const [, from, to] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (from === undefined || to === undefined) throw new InvalidArgumentError('It must be two names of schemas, as in old=new.');
  return Object.fromEntries([...Object.entries(previous), [from, to]]);
}

async function importAction(directory: string, flags: Flags): Promise<void> {
  await run({ command: 'import', json: flags.json === true }, async ({ onEvent, signal }) => {
    // Not before it is needed: help and wrong arguments are answered at once.
    const { importTables } = await import('../app/import/import-tables.js');
    const result = await importTables({
      directory,
      ...given('database', flags.dbname),
      ...given('role', flags.role),
      ...given('truncate', flags.truncate),
      ...given('intoSchema', flags.intoSchema),
      ...given('mapSchemas', flags.map),
      ...given('tables', flags.table),
      ...given('excludeTables', flags.excludeTable),
      ...given('schemas', flags.schema),
      ...given('excludeSchemas', flags.excludeSchema),
      ...given('loadViaPartitionRoot', flags.loadViaPartitionRoot),
      noSequences: !flags.sequences,
      noAnalyze: !flags.analyze,
      ...given('lockTimeoutMs', flags.lockWaitTimeout),
      onEvent,
      signal,
    });
    const { database, tables, rows, rawBytes, durationMs, position } = result;
    const text =
      `database ${printable(database)}: ${formatCounted(tables, 'table')}, ${formatCounted(rows, 'row')}, ${formatBytes(rawBytes)} ` +
      `imported in ${formatDuration(durationMs)}\nthe rows stand at ${describePosition(position)}`;
    return { result: { type: 'import', ...result }, text };
  });
}
