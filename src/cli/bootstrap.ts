// `tidemark bootstrap`: for the start of a deployment.
import { Command } from 'commander';
import type { BootstrapResult } from '../app/bootstrap/bootstrap.js';
import { printable } from '../model/printable.js';
import { formatCounted, formatDuration } from '../model/units.js';
import { streamSequence, wholeNumber } from './arguments.js';
import { addConnection } from './content-flags.js';
import { given } from './given.js';
import { describePosition } from './report.js';
import { run } from './run.js';
import { addStore, chooseStore, type StoreFlags } from './store-flags.js';
import { addKeys, type TrustFlags, trustOptions } from './trust-flags.js';

interface Flags extends StoreFlags, TrustFlags {
  readonly dbname?: string;
  readonly role?: string;
  readonly jobs?: number;
  readonly invalid?: string;
  readonly heightQuery?: string;
  readonly hashQuery?: string;
  readonly streamsQuery?: string;
  readonly available?: Readonly<Record<string, bigint>>;
  readonly owner: boolean;
  readonly privileges: boolean;
  readonly subscriptions: boolean;
  readonly force?: true;
  readonly dryRun?: true;
}

export function bootstrapCommand(): Command {
  const command = new Command('bootstrap').description(
    'restore the newest good snapshot where the database is missing, empty, half restored or marked invalid; leave a healthy one alone',
  );
  return addKeys(addConnection(addStore(command)))
    .option('--invalid <sql>', 'query that gives true where what the database holds must be replaced')
    .option('--height-query <sql>', 'query for the height of a healthy database')
    .option('--hash-query <sql>', 'query for its hash; $1 is the height')
    .option('--streams-query <sql>', 'query for its (stream, sequence) rows')
    .option('--available <stream=n>', 'earliest sequence that a stream still holds (repeatable)', streamSequence)
    .option('-j, --jobs <n>', 'connections that restore at once (default: processors, at most 4)', wholeNumber)
    .option('-O, --no-owner', 'without owners')
    .option('-x, --no-privileges', 'without privileges (GRANT, REVOKE)')
    .option('--no-subscriptions', 'without subscriptions')
    .option('--force', 'end the sessions on a database that is replaced')
    .option('--dry-run', 'only say what would be done')
    .action(bootstrap);
}

async function bootstrap(flags: Flags): Promise<void> {
  await run({ command: 'bootstrap', json: flags.json === true }, async ({ onEvent, signal }) => {
    const { config, ...place } = await chooseStore(flags);
    // Not before it is needed: help and wrong arguments are answered at once.
    const { bootstrap } = await import('../app/bootstrap/bootstrap.js');
    const result = await bootstrap({
      ...place,
      ...trustOptions(flags, config),
      ...given('database', flags.dbname ?? config?.database),
      ...given('role', flags.role),
      ...given('jobs', flags.jobs),
      ...given('invalid', flags.invalid),
      ...given('available', flags.available),
      ...given('force', flags.force),
      ...given('dryRun', flags.dryRun),
      position: {
        ...config?.position,
        ...given('heightQuery', flags.heightQuery),
        ...given('hashQuery', flags.hashQuery),
        ...given('streamsQuery', flags.streamsQuery),
      },
      noOwner: !flags.owner,
      noPrivileges: !flags.privileges,
      noSubscriptions: !flags.subscriptions,
      onEvent,
      signal,
    });
    return { result: { type: 'bootstrap', ...result }, text: describe(result) };
  });
}

function describe(result: BootstrapResult): string {
  const database = `database ${printable(result.database)}`;
  switch (result.action) {
    case 'none':
      return `${database} is healthy: nothing to do\nit stands at ${describePosition(result.position)}`;
    case 'empty':
      return `${printable(result.reason)}: start from the beginning`;
    case 'would-restore':
      return `${printable(result.reason)}: ${result.snapshot.id} would be restored ${result.swap ? 'beside it, and then in its place' : 'into it'}${onward(result)}`;
    case 'restored':
      return (
        `restored ${result.snapshot.id}${onward(result)}\n${database}: ${formatCounted(result.tables, 'table')}, ` +
        `${formatCounted(result.rows, 'row')} in ${formatDuration(result.durationMs)}; it stands at ${describePosition(result.position)}`
      );
  }
}

/** `: go on after height 151200` */
function onward({ height }: { readonly height?: bigint }): string {
  return height === undefined ? '' : `: go on after height ${height}`;
}
