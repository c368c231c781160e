// `tidemark restore`: options of pg_restore where it has them.
import { Command } from 'commander';
import type { RestoreOptions } from '../app/restore/options.js';
import { type Allowance, allowances } from '../app/restore/untrusted-kinds.js';
import { TidemarkError } from '../model/errors.js';
import { printable } from '../model/printable.js';
import { formatBytes, formatCounted, formatDuration } from '../model/units.js';
import { commaList, wholeNumber } from './arguments.js';
import { addConnection, addContents, type ContentFlags, contentOptions } from './content-flags.js';
import { describePlan } from './describe-plan.js';
import { describeUntrusted } from './describe-untrusted.js';
import { given } from './given.js';
import { describeGlobals, describeGlobalsList, describePosition } from './report.js';
import { run } from './run.js';
import { refuseTerminal } from './streams.js';
import { addTrust, type TrustFlags, trustOptions } from './trust-flags.js';

interface Flags extends ContentFlags, TrustFlags {
  readonly jobs?: number;
  readonly clean?: true;
  readonly ifExists?: true;
  readonly create?: true;
  readonly globals?: true;
  readonly truncate?: true;
  readonly dryRun?: true;
  readonly swap?: true;
  readonly force?: true;
  readonly tune?: true;
  readonly analyze: boolean;
  readonly statistics: boolean;
  readonly list?: true;
  readonly useList?: string;
  readonly untrusted?: true;
  readonly allow?: readonly string[];
  readonly json?: true;
}

export function restoreCommand(): Command {
  const command = new Command('restore')
    .description('restore an archive into a database')
    .argument('<archive>', 'path or URL of an archive, or of a store: its newest one; - is standard input');
  addConnection(command).option('-j, --jobs <n>', 'connections that work at once (default: processors, at most 4)', wholeNumber);
  return addTrust(addContents(command, { short: { excludeTable: '', extension: '' }, rows: true }))
    .option('-c, --clean', 'drop what the archive has before making it anew')
    .option('--if-exists', 'with --clean: objects that are missing are no error')
    .option('-C, --create', 'make the database that the archive names; -d is only connected to')
    .option('--globals', 'first make the roles and tablespaces that the archive has, and alter the roles that are there')
    .option('--truncate', 'replace the rows of tables that are there')
    .option('--swap', 'restore beside the database, and put it in its place once it is complete')
    .option('--force', 'with --swap: end the sessions on the database')
    .option('--tune', 'set sessions, and for the time of the restore the server as far as the role may, to what makes it faster')
    .option('--no-analyze', 'leave out ANALYZE')
    .option('--no-statistics', "leave out the archive's statistics: ANALYZE gathers them")
    .option('-l, --list', 'only list what is in the archive, in the order of a restore; no database is asked')
    .option('-L, --use-list <file>', 'only the entries of a list that was made by --list')
    .option('--untrusted', 'from somebody you do not trust: only plain tables and their rows, as a role that can do nothing else')
    .option('--allow <kinds>', `with --untrusted: let in what runs code of these kinds: ${allowances.join(', ')}`, commaList)
    .option('--dry-run', 'only say what would be done')
    .option('--json', 'events on standard error and the result on standard output as JSON')
    .action(restore);
}

async function restore(file: string, flags: Flags): Promise<void> {
  if (flags.list) return list(file, flags);
  await run({ command: 'restore', json: flags.json === true }, async ({ onEvent, signal }) => {
    if (file === '-' && flags.filter?.includes('-'))
      throw new TidemarkError('USAGE', 'restore: archive and filter cannot both come from standard input');
    if (file === '-') {
      refuseTerminal(process.stdin, { attempt: 'read the archive from standard input', hint: 'pipe the archive in, or name a file' });
    }
    // Not before it is needed: help and wrong arguments are answered at once.
    const { restoreSnapshot } = await import('../app/restore/restore-snapshot.js');
    const restored = await restoreSnapshot({
      file: file === '-' ? process.stdin : file,
      ...contentOptions(flags),
      ...given('jobs', flags.jobs),
      ...given('clean', flags.clean),
      ...given('ifExists', flags.ifExists),
      ...given('create', flags.create),
      ...given('globals', flags.globals),
      ...given('truncate', flags.truncate),
      ...given('dryRun', flags.dryRun),
      ...given('swap', flags.swap),
      ...given('force', flags.force),
      ...given('useList', flags.useList),
      ...trustOptions(flags),
      ...given('tune', flags.tune),
      ...untrustedOptions(flags),
      noAnalyze: !flags.analyze,
      noStatistics: !flags.statistics,
      onEvent,
      signal,
    });
    const { plan, ...result } = restored;
    const suspects = result.untrusted === undefined ? [] : describeUntrusted(result.untrusted, { sql: flags.dryRun === true });
    if (flags.dryRun) return { result: { type: 'plan', ...result, plan }, text: [...suspects, ...describePlan(plan)].join('\n') };
    const { database, tables, rows, rawBytes, durationMs, position, globals } = result;
    const text =
      `database ${printable(database)}: ${formatCounted(tables, 'table')}, ${formatCounted(rows, 'row')}, ${formatBytes(rawBytes)} ` +
      `restored in ${formatDuration(durationMs)}\nit stands at ${describePosition(position)}`;
    const lines = [...(globals === undefined ? [] : [describeGlobals(globals)]), text, ...suspects];
    return { result: { type: 'restore', ...result }, text: lines.join('\n') };
  });
}

/** @throws TidemarkError USAGE */
function untrustedOptions({ untrusted, allow }: Flags): Pick<RestoreOptions, 'untrusted'> {
  if (allow !== undefined && !untrusted) throw new TidemarkError('USAGE', 'restore: allow needs untrusted');
  return untrusted ? { untrusted: { allow: (allow ?? []) as readonly Allowance[] } } : {};
}

async function list(file: string, flags: Flags): Promise<void> {
  await run({ command: 'restore', json: flags.json === true }, async () => {
    if (file === '-') throw new TidemarkError('USAGE', 'list: it needs a file: from a pipe the number of rows comes last');
    const { listArchive } = await import('../app/archive/list-archive.js');
    const { lines, ...listed } = await listArchive({
      file,
      ...contentOptions(flags),
      ...given('useList', flags.useList),
      ...trustOptions(flags),
      noStatistics: !flags.statistics,
    });
    const { source, position, leftOut, globals } = listed;
    const head = [`; ${printable(listed.file)}: database ${printable(source.database)}, ${describePosition(position)}`];
    if (globals !== undefined) head.push(`; for --globals: ${describeGlobalsList(globals)}`);
    for (const { kind, name, reason } of leftOut) head.push(`; left out: ${printable(kind)} ${printable(name)}: ${printable(reason)}`);
    return { result: { type: 'list', ...listed }, text: [...head, ...lines].join('\n') };
  });
}
