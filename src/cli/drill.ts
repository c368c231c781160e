// `tidemark drill`: proves that a snapshot can be restored.
import { Command } from 'commander';
import { printable } from '../model/printable.js';
import { formatCounted, formatDuration } from '../model/units.js';
import { wholeNumber } from './arguments.js';
import { given } from './given.js';
import { run } from './run.js';
import { addStore, chooseStore, type StoreFlags } from './store-flags.js';
import { addKeys, type TrustFlags, trustOptions } from './trust-flags.js';

interface Flags extends StoreFlags, TrustFlags {
  readonly dbname?: string;
  readonly jobs?: number;
}

export function drillCommand(): Command {
  return addKeys(
    addStore(
      new Command('drill')
        .description('restore a snapshot into a scratch database, compare it with the archive, and drop it')
        .argument('[id]', 'snapshot, as tidemark list shows it (default: the newest good one)')
        .option(
          '-d, --dbname <url>',
          "a database of the server for that (default: the configuration's drill.database or database, else as for restore)",
        )
        .option('-j, --jobs <n>', 'connections that restore at once (default: processors, at most 4)', wholeNumber),
    ),
  ).action(drill);
}

async function drill(id: string | undefined, flags: Flags): Promise<void> {
  await run({ command: 'drill', json: flags.json === true }, async ({ onEvent, signal }) => {
    const { config, ...place } = await chooseStore(flags);
    // Not before it is needed: help and wrong arguments are answered at once.
    const { drillSnapshot } = await import('../app/drill/drill.js');
    const server = flags.dbname ?? config?.drill?.database ?? config?.database;
    const { error, ...result } = await drillSnapshot({
      ...place,
      ...trustOptions(flags, config),
      ...given('server', server),
      ...given('id', id),
      ...given('jobs', flags.jobs),
      onEvent,
      signal,
    });
    if (error !== undefined) throw error;
    const { snapshot, rows = 0n, tables, definitions, durationMs } = result;
    const compared = definitions
      ? 'and all definitions are those of the archive'
      : 'are those of the manifest; definitions were not compared';
    const text =
      `${printable(snapshot.id)} can be restored: ${formatCounted(tables, 'table')} with ${formatCounted(rows, 'row')} ` +
      `${compared} (${formatDuration(durationMs)})`;
    return { result: { type: 'drill', ...result }, text };
  });
}
