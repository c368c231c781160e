// `tidemark snapshot`: options of pg_dump where it has them.
import type { Writable } from 'node:stream';
import { Command, Option } from 'commander';
import type { SnapshotOptions } from '../app/snapshot/options.js';
import type { SnapshotResult } from '../app/snapshot/take-snapshot.js';
import { TidemarkError } from '../model/errors.js';
import { printable } from '../model/printable.js';
import type { StoredSnapshot } from '../model/stored-snapshot.js';
import { formatBytes, formatCounted, formatDuration } from '../model/units.js';
import { byteSize, collect, compression, wholeNumber } from './arguments.js';
import { addConnection, addContents, type ContentFlags, contentOptions } from './content-flags.js';
import { given } from './given.js';
import { describePosition, describeTotals } from './report.js';
import { run } from './run.js';
import { addPlace, type PlaceFlags, placeOf } from './store-flags.js';
import { refuseTerminal } from './streams.js';
import { addView, type ViewFlags, viewOptions } from './view-flags.js';

interface Flags extends ContentFlags, ViewFlags, PlaceFlags {
  readonly file?: string;
  readonly verify?: 'read' | 'checksum';
  readonly jobs?: number;
  readonly compress?: number | 'auto';
  readonly copyFormat?: 'auto' | 'text' | 'binary';
  readonly chunkSize?: number;
  readonly secrets?: true;
  readonly globals?: true;
  readonly rolePasswords?: true;
  readonly statistics?: boolean;
  readonly includeForeignData?: readonly string[];
  readonly completedOnce?: readonly string[];
  readonly base?: string;
  readonly sign?: string;
  readonly encrypt?: readonly string[];
  readonly json?: true;
}

export function snapshotCommand(): Command {
  const command = new Command('snapshot').description(
    'take a consistent snapshot of a database into one .tar.zst, or straight into a store',
  );
  addPlace(addConnection(command), { byConfig: false })
    .option('-f, --file <file>', 'archive to write; - is standard output')
    .addOption(
      new Option(
        '--verify <how>',
        'with --store: read every byte back, or trust the SHA-256 that the store tells (default: checksum)',
      ).choices(['read', 'checksum']),
    )
    .option('-j, --jobs <n>', 'tables and parts of tables to read at once (default: processors, at most 4)', wholeNumber)
    .option('-Z, --compress <level>', 'zstd level, or auto: what a sample of the rows speaks for (default: auto)', compression)
    .addOption(new Option('--copy-format <format>', 'form of the rows (default: auto)').choices(['auto', 'text', 'binary']))
    .option('--chunk-size <size>', 'rows that are compressed together, 256KiB to 64MiB (default: 4MiB, more above 400 GB)', byteSize);
  return addView(
    addContents(command, { short: { excludeTable: '-T, ', extension: '-e, ' }, rows: true })
      .option('--secrets', 'with the passwords of user mappings and subscriptions')
      .option('--globals', 'with roles, memberships, privileges on parameters and tablespaces of the server')
      .option('--role-passwords', 'with --globals: with the password hashes of the roles')
      .option(
        '--statistics',
        "with all of the planner's statistics, which hold values of rows (default: those that ANALYZE takes long for)",
      )
      .option('--no-statistics', "without the planner's statistics")
      .option('--include-foreign-data <pattern>', 'with the rows of foreign tables of these servers (repeatable)', collect)
      .option(
        '--completed-once <pattern>',
        'partitions of these tables up to the height once, in this archive or in the base (repeatable)',
        collect,
      )
      .option('--base <archive>', 'with --completed-once: refer to this snapshot, path or URL, for partitions that are as they were'),
  )
    .option('--sign <keyfile>', 'sign the manifest with a secret key of `tidemark keygen` (default: TIDEMARK_SIGN_KEY)')
    .option(
      '--encrypt <recipient>',
      'encrypt to this age recipient, or to those in @FILE (repeatable; default: TIDEMARK_ENCRYPT_TO)',
      collect,
    )
    .option('--json', 'events on standard error and the result on standard output as JSON')
    .action(snapshot);
}

async function snapshot(flags: Flags): Promise<void> {
  const { file: target, store } = flags;
  const piped = target === '-';
  await run({ command: 'snapshot', json: flags.json === true, outputTaken: piped }, async ({ onEvent, signal }) => {
    checkTarget(flags);
    if (piped) {
      refuseTerminal(process.stdout, { attempt: 'write the archive to standard output', hint: 'redirect it, or name a file with -f' });
    }
    const options = {
      ...contentOptions(flags),
      ...given('jobs', flags.jobs),
      ...given('compressLevel', flags.compress),
      ...given('copyFormat', flags.copyFormat),
      ...given('chunkBytes', flags.chunkSize),
      ...viewOptions(flags),
      ...given('secrets', flags.secrets),
      ...given('globals', flags.globals),
      ...given('rolePasswords', flags.rolePasswords),
      ...given('statistics', flags.statistics),
      ...given('includeForeignData', flags.includeForeignData),
      ...completedOf(flags),
      ...given('signKey', flags.sign),
      ...given('encryptTo', flags.encrypt),
      onEvent,
      signal,
    };
    const result =
      store === undefined ? await intoFile(piped ? process.stdout : target, options) : await intoStore({ ...flags, store }, options);
    const { file, bytes, sha256, manifest, durationMs, attempts, signedBy, recipients } = result;
    const { position, totals, source, leftOut } = manifest;
    const lines = [
      `${printable(file ?? 'standard output')}: ${describeTotals(manifest)} -> ${formatBytes(bytes)} in ${formatDuration(durationMs)}`,
      `database ${printable(source.database)}, ${describePosition(position)}`,
      `sha256 ${sha256}`,
      ...(signedBy === undefined ? [] : [`signed by the key ${signedBy}`]),
      ...(recipients === undefined ? [] : [`encrypted to ${formatCounted(recipients, 'recipient')}`]),
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
        ...given('recipients', recipients),
      },
      text: lines.join('\n'),
    };
  });
}

function completedOf({ completedOnce, base }: Flags): Pick<SnapshotOptions, 'completed'> {
  if (completedOnce !== undefined) return { completed: { tables: completedOnce, ...given('base', base) } };
  if (base === undefined) return {};
  throw new TidemarkError('USAGE', 'take a snapshot: --base says where completed partitions are, and it is not said of which tables', {
    hint: 'add --completed-once with the partitioned tables',
  });
}

type Options = Omit<SnapshotOptions, 'file'>;
type Result = SnapshotResult & { readonly snapshot?: StoredSnapshot };

function checkTarget({ file, store, prefix, layout, verify }: Flags): void {
  const hint = 'name a file with -f, or a store with --store';
  if (file === undefined && store === undefined) throw new TidemarkError('USAGE', 'take a snapshot: it is not said where to', { hint });
  if (file !== undefined && store !== undefined)
    throw new TidemarkError('USAGE', 'take a snapshot: into a file, or into a store?', { hint });
  if (store === undefined && (prefix ?? layout ?? verify) !== undefined)
    throw new TidemarkError('USAGE', 'take a snapshot: --prefix, --layout and --verify are about a store', { hint });
}

// Not imported before they are needed: help and wrong arguments are answered at once.

async function intoFile(file: string | Writable | undefined, options: Options): Promise<Result> {
  const { takeSnapshot } = await import('../app/snapshot/take-snapshot.js');
  return await takeSnapshot({ ...options, file: file ?? '' });
}

async function intoStore(flags: Flags & { readonly store: string }, options: Options): Promise<Result> {
  const { publishSnapshot } = await import('../app/repository/publish-snapshot.js');
  const result = await publishSnapshot({ ...options, ...placeOf(flags), ...given('verify', flags.verify) });
  return { ...result, file: result.snapshot.key };
}
