// `tidemark show`: what an archive holds, from its manifest alone.
import { Command } from 'commander';
import { describeManifest } from './report.js';
import { run } from './run.js';

export function showCommand(): Command {
  return new Command('show')
    .description('show what an archive holds, without reading its rows')
    .argument('<file>', 'archive')
    .option('--json', 'the manifest as JSON')
    .action(show);
}

async function show(file: string, { json = false }: { readonly json?: boolean }): Promise<void> {
  await run({ command: 'show', json }, async () => {
    // Not before it is needed: help and wrong arguments are answered at once.
    const { showSnapshot } = await import('../app/show-snapshot.js');
    const shown = await showSnapshot({ file });
    return { result: { type: 'show', ...shown }, text: describeManifest(shown) };
  });
}
