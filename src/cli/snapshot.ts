// `tidemark snapshot`: options of pg_dump where it has them.
import { Command, Option } from 'commander';
import { printable } from '../model/printable.js';
import { formatBytes, formatDuration } from '../model/units.js';
import { collect, compressLevel, wholeNumber } from './arguments.js';
import { addConnection, addContents, type ContentFlags, contentOptions } from './content-flags.js';
import { given } from './given.js';
import { describePosition, describeTotals } from './report.js';
import { run } from './run.js';
import { refuseTerminal } from './streams.js';
import { addView, type ViewFlags, viewOptions } from './view-flags.js';

interface Flags extends ContentFlags, ViewFlags {
  readonly file: string;
  readonly jobs?: number;
  readonly compress?: number;
  readonly copyFormat?: 'auto' | 'text' | 'binary';
  readonly secrets?: true;
  readonly globals?: true;
  readonly rolePasswords?: true;
  readonly statistics?: true;
  readonly includeForeignData?: readonly string[];
  readonly sign?: string;
  readonly json?: true;
}

export function snapshotCommand(): Command {
  const command = new Command('snapshot').description('take a consistent snapshot of a database into one .tar.zst');
  addConnection(command)
    .requiredOption('-f, --file <file>', 'archive to write; - is standard output')
    .option('-j, --jobs <n>', 'tables and parts of tables to read at once (default: processors, at most 4)', wholeNumber)
    .option('-Z, --compress <level>', 'zstd level (default: 3)', compressLevel)
    .addOption(new Option('--copy-format <format>', 'form of the rows (default: auto)').choices(['auto', 'text', 'binary']));
  return addView(
    addContents(command, { short: { excludeTable: '-T, ', extension: '-e, ' }, rows: true })
      .option('--secrets', 'with the passwords of user mappings and subscriptions')
      .option('--globals', 'with roles, memberships, privileges on parameters and tablespaces of the server')
      .option('--role-passwords', 'with --globals: with the password hashes of the roles')
      .option('--statistics', "with the planner's statistics, which hold values of rows")
      .option('--include-foreign-data <pattern>', 'with the rows of foreign tables of these servers (repeatable)', collect),
  )
    .option('--sign <keyfile>', 'sign the manifest with a secret key of `tidemark keygen` (default: TIDEMARK_SIGN_KEY)')
    .option('--json', 'events on standard error and the result on standard output as JSON')
    .action(snapshot);
}

async function snapshot(flags: Flags): Promise<void> {
  const piped = flags.file === '-';
  await run({ command: 'snapshot', json: flags.json === true, outputTaken: piped }, async ({ onEvent, signal }) => {
    if (piped) {
      refuseTerminal(process.stdout, { attempt: 'write the archive to standard output', hint: 'redirect it, or name a file with -f' });
    }
    // Not before it is needed: help and wrong arguments are answered at once.
    const { takeSnapshot } = await import('../app/take-snapshot.js');
    const result = await takeSnapshot({
      ...contentOptions(flags),
      file: piped ? process.stdout : flags.file,
      ...given('jobs', flags.jobs),
      ...given('compressLevel', flags.compress),
      ...given('copyFormat', flags.copyFormat),
      ...viewOptions(flags),
      ...given('secrets', flags.secrets),
      ...given('globals', flags.globals),
      ...given('rolePasswords', flags.rolePasswords),
      ...given('statistics', flags.statistics),
      ...given('includeForeignData', flags.includeForeignData),
      ...given('signKey', flags.sign),
      onEvent,
      signal,
    });
    const { file, bytes, sha256, manifest, durationMs, attempts, signedBy } = result;
    const { position, totals, source, leftOut } = manifest;
    const lines = [
      `${printable(file ?? 'standard output')}: ${describeTotals(manifest)} -> ${formatBytes(bytes)} in ${formatDuration(durationMs)}`,
      `database ${printable(source.database)}, ${describePosition(position)}`,
      `sha256 ${sha256}`,
      ...(signedBy === undefined ? [] : [`signed by the key ${signedBy}`]),
    ];
    const { database } = source;
    return {
      result: {
        type: 'snapshot',
        file,
        bytes,
        sha256,
        database,
        position,
        totals,
        leftOut,
        durationMs,
        attempts,
        ...given('signedBy', signedBy),
      },
      text: lines.join('\n'),
    };
  });
}
