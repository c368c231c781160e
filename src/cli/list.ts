// `tidemark list`: the snapshots in a store.
import { Command } from 'commander';
import type { Status } from '../app/schedule/observe-status.js';
import { printable } from '../model/printable.js';
import { pinReasons, snapshotTable, unknownLines } from './describe-snapshots.js';
import { given } from './given.js';
import { run } from './run.js';
import { addStore, chooseStore, type StoreFlags } from './store-flags.js';
import { addKeys, type TrustFlags, trustOptions } from './trust-flags.js';

interface Flags extends StoreFlags, TrustFlags {
  readonly verify?: true;
}

export function listCommand(): Command {
  return addKeys(addStore(new Command('list').description('list the snapshots in a store, newest first')))
    .option('--verify', 'first verify every byte of the archives that nothing is known of')
    .action(list);
}

async function list(flags: Flags): Promise<void> {
  await run({ command: 'list', json: flags.json === true }, async ({ onEvent, signal }) => {
    const { config, ...place } = await chooseStore(flags);
    // Not before it is needed: help and wrong arguments are answered at once.
    const [{ verifyStored }, { observeStatus }] = await Promise.all([
      import('../app/repository/stored-snapshots.js'),
      import('../app/schedule/observe-status.js'),
    ]);
    if (flags.verify) {
      await verifyStored({
        ...place,
        ...trustOptions(flags, config),
        ...given('signKey', config?.signKey),
        ...given('database', config?.database),
        ...given('leaseMs', config?.leaseMs),
        onEvent,
        signal,
      });
    }
    const status = await observeStatus({ ...place, ...given('retention', config?.retention) });
    const judged = config !== undefined;
    const snapshots = status.snapshots.map(({ snapshot, reasons }) => ({ ...snapshot, ...(judged && { reasons }) }));
    return { result: { type: 'list', ...place, snapshots, unknown: status.unknown }, text: describe(status, judged) };
  });
}

/** @param judged by a policy */
function describe({ at, store, snapshots, unknown }: Status, judged: boolean): string {
  const told = snapshots.map(({ snapshot, reasons }) => {
    if (!judged) return { snapshot, reasons: pinReasons(snapshot) };
    return { snapshot, reasons: reasons.length === 0 ? ['none: the next prune removes it'] : reasons };
  });
  const table = told.length === 0 ? [`no verified snapshots in ${printable(store)}`] : snapshotTable(told, at);
  return [...table, ...unknownLines(unknown)].join('\n');
}
