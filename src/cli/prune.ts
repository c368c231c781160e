// `tidemark prune`: removes the snapshots that a policy does not keep, or says which these are.
import { Command } from 'commander';
import type { PruneResult } from '../app/repository/prune-snapshots.js';
import { TidemarkError } from '../model/errors.js';
import { formatBytes, formatCounted } from '../model/units.js';
import { snapshotTable, unknownLines } from './describe-snapshots.js';
import { given } from './given.js';
import { addRetention, chooseRetention, type RetentionFlags } from './retention-flags.js';
import { run } from './run.js';
import { addStore, chooseStore, type StoreFlags } from './store-flags.js';

interface Flags extends StoreFlags, RetentionFlags {
  readonly dryRun?: true;
}

export function pruneCommand(): Command {
  const command = new Command('prune').description('remove the snapshots that the retention policy does not keep');
  return addRetention(addStore(command).option('-n, --dry-run', 'say what would be removed, and remove nothing')).action(prune);
}

async function prune(flags: Flags): Promise<void> {
  const dryRun = flags.dryRun === true;
  await run({ command: 'prune', json: flags.json === true }, async ({ signal }) => {
    const { config, ...place } = await chooseStore(flags);
    const retention = chooseRetention(flags, config?.retention);
    if (retention === undefined) {
      throw new TidemarkError('USAGE', 'prune snapshots: nothing says which to keep', {
        hint: 'give --keep-last, --keep-daily or their like, or a configuration with --config',
      });
    }
    // Not before it is needed: help and wrong arguments are answered at once.
    const { pruneSnapshots } = await import('../app/repository/prune-snapshots.js');
    const lock = { ...given('database', config?.database), ...given('leaseMs', config?.leaseMs) };
    const result = await pruneSnapshots({ ...place, ...lock, retention, dryRun, signal });
    return { result: { type: 'prune', ...place, dryRun, ...result }, text: describe(result, dryRun) };
  });
}

function describe({ keep, removed, unknown }: PruneResult, dryRun: boolean): string {
  const now = new Date();
  const lines = [`keep ${formatCounted(keep.length, 'snapshot')}${keep.length === 0 ? '' : ':'}`];
  if (keep.length > 0) lines.push(...snapshotTable(keep, now));
  const freed = formatBytes(removed.reduce((sum, { bytes }) => sum + bytes, 0n));
  lines.push(
    '',
    `${dryRun ? 'would remove' : 'removed'} ${formatCounted(removed.length, 'snapshot')}, ${freed}${removed.length === 0 ? '' : ':'}`,
  );
  if (removed.length > 0) {
    const told = removed.map((snapshot) => ({ snapshot, reasons: [] }));
    lines.push(...snapshotTable(told, now));
  }
  return [...lines, ...unknownLines(unknown)].join('\n');
}
