// `tidemark diff`: what changed from one snapshot to another. The exit code says whether anything did.
import { Command, Option } from 'commander';
import { wholeNumber } from './arguments.js';
import { describeDiff } from './describe-diff.js';
import { differExit } from './exit-codes.js';
import { given } from './given.js';
import { run } from './run.js';
import { addTrust, type TrustFlags, trustOptions } from './trust-flags.js';

export function diffCommand(): Command {
  return addTrust(
    new Command('diff')
      .description(`tell what changed from one snapshot to another; the exit code is ${differExit} where anything did`)
      .argument('<a>', 'path or URL of an archive, or of a store: its newest one')
      .argument('<b>', 'the later one'),
  )
    .addOption(
      new Option('--rows [n]', 'also tell up to so many removed and added rows of each table (default: 10)')
        .preset('10')
        .argParser(wholeNumber),
    )
    .option('-s, --schema-only', 'neither rows nor values of sequences')
    .option('--sql', 'also print the statements of objects, and what changed in them')
    .option('--json', 'events on standard error and the result on standard output as JSON')
    .action(diff);
}

interface Flags extends TrustFlags {
  readonly rows?: number;
  readonly schemaOnly?: true;
  readonly sql?: true;
  readonly json?: boolean;
}

async function diff(a: string, b: string, flags: Flags): Promise<void> {
  const { json = false, sql = false } = flags;
  await run({ command: 'diff', json }, async ({ onEvent, signal }) => {
    // Not before it is needed: help and wrong arguments are answered at once.
    const { diffSnapshots } = await import('../app/diff/diff-snapshots.js');
    const found = await diffSnapshots({
      a,
      b,
      ...trustOptions(flags),
      ...given('rows', flags.rows),
      ...given('schemaOnly', flags.schemaOnly),
      onEvent,
      signal,
    });
    const text = describeDiff(found, { sql });
    return { result: { type: 'diff', ...found }, text, ...(!found.equal && { exitCode: differExit }) };
  });
}
