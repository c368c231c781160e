// `tidemark tune`: which settings of snapshots suit a database and this machine, by trying them on its own tables. The settings of the server
// that restores are made faster with are `restore --tune` and `untune`.
import { Command } from 'commander';
import { collect, duration, wholeNumber } from './arguments.js';
import { addConnection } from './content-flags.js';
import { given } from './given.js';
import { run } from './run.js';

interface Flags {
  readonly dbname?: string;
  readonly role?: string;
  readonly seconds?: number;
  readonly plot?: string;
  readonly write?: string;
  readonly table?: readonly string[];
  readonly excludeTable?: readonly string[];
  readonly schema?: readonly string[];
  readonly excludeSchema?: readonly string[];
  readonly excludeTableData?: readonly string[];
  readonly lockWaitTimeout?: number;
  readonly skipUnsupported?: true;
  readonly json?: true;
}

export function tuneCommand(): Command {
  return addConnection(
    new Command('tune').description('find the fastest settings for snapshots of a database, by trying them on its tables'),
  )
    .option('--seconds <n>', 'how long to try in all (default: 60)', wholeNumber)
    .option('--plot <file>', 'draw speed against ratio as SVG')
    .option('--write <file>', 'put what is recommended into this configuration (JSON), made where there is none')
    .option('-t, --table <pattern>', 'only these tables (repeatable)', collect)
    .option('-T, --exclude-table <pattern>', 'without these tables (repeatable)', collect)
    .option('-n, --schema <pattern>', 'only these schemas (repeatable)', collect)
    .option('-N, --exclude-schema <pattern>', 'without these schemas (repeatable)', collect)
    .option('--exclude-table-data <pattern>', 'without the rows of these tables (repeatable)', collect)
    .option('--lock-wait-timeout <duration>', 'give up when a table lock takes longer (default: 10s; 0: never)', duration)
    .option('--skip-unsupported', 'go on without objects of unknown kinds')
    .option('--json', 'events on standard error and the result on standard output as JSON')
    .action(tune);
}

async function tune(flags: Flags): Promise<void> {
  await run({ command: 'tune', json: flags.json === true }, async ({ onEvent, signal }) => {
    // Not before it is needed: help and wrong arguments are answered at once.
    const [{ tuneSnapshot }, { describeTune }] = await Promise.all([import('../app/tune/tune.js'), import('./describe-tune.js')]);
    const result = await tuneSnapshot({
      ...given('database', flags.dbname),
      ...given('role', flags.role),
      ...given('seconds', flags.seconds),
      ...given('plot', flags.plot),
      ...given('write', flags.write),
      ...given('tables', flags.table),
      ...given('excludeTables', flags.excludeTable),
      ...given('schemas', flags.schema),
      ...given('excludeSchemas', flags.excludeSchema),
      ...given('excludeTableData', flags.excludeTableData),
      ...given('lockTimeoutMs', flags.lockWaitTimeout),
      ...given('skipUnsupported', flags.skipUnsupported),
      onEvent,
      signal,
    });
    return { result: { type: 'tune', ...result }, text: describeTune(result) };
  });
}
