// `tidemark pin` and `tidemark unpin`: whether a snapshot stays whatever the policy says.
import { Command } from 'commander';
import { printable } from '../model/printable.js';
import { pinReasons } from './describe-snapshots.js';
import { given } from './given.js';
import { run } from './run.js';
import { addStore, chooseStore, type StoreFlags } from './store-flags.js';

interface PinFlags extends StoreFlags {
  readonly note?: string;
}

export function pinCommand(): Command {
  return addStore(
    new Command('pin')
      .description('keep a snapshot whatever the retention policy says')
      .argument('<id>', 'snapshot, as tidemark list shows it')
      .option('--note <text>', 'why it stays'),
  ).action(pin);
}

export function unpinCommand(): Command {
  return addStore(
    new Command('unpin')
      .description('leave a snapshot to the retention policy again')
      .argument('<id>', 'snapshot, as tidemark list shows it'),
  ).action(unpin);
}

async function pin(id: string, flags: PinFlags): Promise<void> {
  await run({ command: 'pin', json: flags.json === true }, async () => {
    const { config: _, ...place } = await chooseStore(flags);
    // Not before it is needed: help and wrong arguments are answered at once.
    const { pinSnapshot } = await import('../app/repository/stored-snapshots.js');
    const snapshot = await pinSnapshot({ ...place, id, ...given('note', flags.note) });
    return { result: { type: 'pin', snapshot }, text: `${printable(snapshot.id)}: ${pinReasons(snapshot).map(printable).join()}` };
  });
}

async function unpin(id: string, flags: StoreFlags): Promise<void> {
  await run({ command: 'unpin', json: flags.json === true }, async () => {
    const { config: _, ...place } = await chooseStore(flags);
    // Not before it is needed: help and wrong arguments are answered at once.
    const { unpinSnapshot } = await import('../app/repository/stored-snapshots.js');
    const snapshot = await unpinSnapshot({ ...place, id });
    return { result: { type: 'unpin', snapshot }, text: `${printable(snapshot.id)}: not pinned` };
  });
}
