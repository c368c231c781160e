// `tidemark push`: an archive that is there already is published in a store.
import { Command } from 'commander';
import { printable } from '../model/printable.js';
import { formatBytes } from '../model/units.js';
import { describePosition } from './report.js';
import { run } from './run.js';
import { addPlace, namedStore, type PlaceFlags, placeOf } from './store-flags.js';
import { addKeys, type TrustFlags, trustOptions } from './trust-flags.js';

interface Flags extends PlaceFlags, TrustFlags {
  readonly json?: true;
}

export function pushCommand(): Command {
  const command = new Command('push')
    .description('verify an archive, copy it into a store, and point latest.json there to it where it is the newest')
    .argument('<archive>', 'path or URL of the archive');
  return addKeys(addPlace(command, { byConfig: false }))
    .option('--json', 'events on standard error and the result on standard output as JSON')
    .action(push);
}

async function push(file: string, flags: Flags): Promise<void> {
  await run({ command: 'push', json: flags.json === true }, async ({ onEvent, signal }) => {
    const place = placeOf(namedStore('push an archive', flags));
    // Not before it is needed: help and wrong arguments are answered at once.
    const { pushSnapshot } = await import('../app/repository/publish-snapshot.js');
    const { snapshot, sent, latest } = await pushSnapshot({ ...place, ...trustOptions(flags), file, onEvent, signal });
    const what = sent ? `${formatBytes(snapshot.bytes)} sent and read back` : 'it was there already';
    const pointer = latest ? 'latest.json points to it' : 'latest.json points to a newer one';
    const text = `${printable(snapshot.key)}: ${what}, ${describePosition(snapshot.position)}; ${pointer}`;
    return { result: { type: 'push', snapshot, sent, latest }, text };
  });
}
