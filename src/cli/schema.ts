// `tidemark schema`: the DDL of a database on standard output.
import { Command } from 'commander';
import { printableLines } from '../model/printable.js';
import { duration } from './arguments.js';
import { addConnection, addContents, type ContentFlags, contentOptions } from './content-flags.js';
import { given } from './given.js';
import { run } from './run.js';

interface Flags extends ContentFlags {
  readonly lockWaitTimeout?: number;
  readonly secrets?: true;
  readonly globals?: true;
  readonly globalsOnly?: true;
  readonly rolePasswords?: true;
  readonly skipUnsupported?: true;
  readonly json?: true;
}

export function schemaCommand(): Command {
  const command = addConnection(new Command('schema').description('print the DDL of a database as SQL'));
  return addContents(command, { short: { excludeTable: '-T, ', extension: '-e, ' }, rows: false })
    .option('--secrets', 'with the passwords of user mappings and subscriptions')
    .option('--globals', 'with roles, memberships, privileges on parameters and tablespaces of the server')
    .option('-g, --globals-only', 'only these')
    .option('--role-passwords', 'with --globals: with the password hashes of the roles')
    .option('--lock-wait-timeout <duration>', 'give up when a table lock takes longer (default: 10s; 0: never)', duration)
    .option('--skip-unsupported', 'go on without objects of unknown kinds')
    .option('--json', 'events on standard error and the result on standard output as JSON')
    .action(schema);
}

async function schema(flags: Flags): Promise<void> {
  await run({ command: 'schema', json: flags.json === true }, async ({ onEvent, signal }) => {
    // Not before it is needed: help and wrong arguments are answered at once.
    const { printSchema } = await import('../app/snapshot/print-schema.js');
    const printed = await printSchema({
      ...contentOptions(flags),
      ...given('lockTimeoutMs', flags.lockWaitTimeout),
      ...given('secrets', flags.secrets),
      ...given('globals', flags.globals ?? flags.globalsOnly),
      ...given('globalsOnly', flags.globalsOnly),
      ...given('rolePasswords', flags.rolePasswords),
      ...given('skipUnsupported', flags.skipUnsupported),
      onEvent,
      signal,
    });
    const text = [printed.globals, printed.preData, printed.postData]
      .filter((part) => part !== '')
      .join('\n')
      .trimEnd();
    // What goes into a file or to psql is exact.
    return { result: { type: 'schema', ...printed }, text: process.stdout.isTTY ? printableLines(text) : text };
  });
}
