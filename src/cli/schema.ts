// `tidemark schema`: the DDL of a database on standard output.
import { Command } from 'commander';
import { collect, duration } from './arguments.js';
import { given } from './given.js';
import { run } from './run.js';

interface Flags {
  readonly dbname?: string;
  readonly table?: readonly string[];
  readonly excludeTable?: readonly string[];
  readonly schema?: readonly string[];
  readonly excludeSchema?: readonly string[];
  readonly owner: boolean;
  readonly privileges: boolean;
  readonly acl: boolean;
  readonly lockWaitTimeout?: number;
  readonly skipUnsupported?: true;
  readonly json?: true;
}

export function schemaCommand(): Command {
  return new Command('schema')
    .description('print the DDL of a database as SQL')
    .option('-d, --dbname <url>', 'database: a postgres:// URL or a name (default: DATABASE_URL, then PGHOST, PGDATABASE, ...)')
    .option('-t, --table <pattern>', 'only these tables, with what they need (repeatable)', collect)
    .option('-T, --exclude-table <pattern>', 'without these tables (repeatable)', collect)
    .option('-n, --schema <pattern>', 'only these schemas (repeatable)', collect)
    .option('-N, --exclude-schema <pattern>', 'without these schemas (repeatable)', collect)
    .option('-O, --no-owner', 'without owners')
    .option('-x, --no-privileges', 'without privileges (GRANT, REVOKE)')
    .option('--no-acl', 'the same as --no-privileges')
    .option('--lock-wait-timeout <duration>', 'give up when a table lock takes longer (default: 10s; 0: never)', duration)
    .option('--skip-unsupported', 'go on without objects of unknown kinds')
    .option('--json', 'events on standard error and the result on standard output as JSON')
    .action(schema);
}

async function schema(flags: Flags): Promise<void> {
  await run({ command: 'schema', json: flags.json === true }, async ({ onEvent, signal }) => {
    // Not before it is needed: help and wrong arguments are answered at once.
    const { printSchema } = await import('../app/print-schema.js');
    const printed = await printSchema({
      ...given('database', flags.dbname),
      ...given('tables', flags.table),
      ...given('excludeTables', flags.excludeTable),
      ...given('schemas', flags.schema),
      ...given('excludeSchemas', flags.excludeSchema),
      noOwner: !flags.owner,
      noPrivileges: !flags.privileges || !flags.acl,
      ...given('lockTimeoutMs', flags.lockWaitTimeout),
      ...given('skipUnsupported', flags.skipUnsupported),
      onEvent,
      signal,
    });
    return { result: { type: 'schema', ...printed }, text: `${printed.preData}\n${printed.postData}`.trimEnd() };
  });
}
