// `tidemark latest`: what latest.json of a store points to. It needs no list of the store, so that it works over HTTPS, too.
import { Command } from 'commander';
import { TidemarkError } from '../model/errors.js';
import { printable } from '../model/printable.js';
import { formatBytes } from '../model/units.js';
import { describePosition } from './report.js';
import { run } from './run.js';
import { addStore, chooseStore, type StoreFlags } from './store-flags.js';

export function latestCommand(): Command {
  return addStore(new Command('latest').description('say which snapshot latest.json of a store points to')).action(latest);
}

async function latest(flags: StoreFlags): Promise<void> {
  await run({ command: 'latest', json: flags.json === true }, async () => {
    const { config: _, ...place } = await chooseStore(flags);
    // Not before it is needed: help and wrong arguments are answered at once.
    const { latestSnapshot } = await import('../app/repository/publish-snapshot.js');
    const snapshot = await latestSnapshot(place);
    if (snapshot === undefined) {
      const of = place.prefix === undefined ? '' : ` of ${printable(place.prefix)}`;
      throw new TidemarkError(
        'SNAPSHOT_MISSING',
        `look for the latest snapshot${of} in the store: there is no latest.json, or it points to none${of}`,
        {
          hint: 'look whether the name of the store is right, and --prefix; publish one with snapshot --store or push',
        },
      );
    }
    const { archive, bytes, sha256, position, publishedAt } = snapshot;
    const text = `${printable(archive)}: ${formatBytes(bytes)}, ${describePosition(position)}, published ${publishedAt.toISOString()}\nsha256 ${sha256}`;
    return { result: { type: 'latest', snapshot }, text };
  });
}
