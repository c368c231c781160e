// `tidemark show`: what an archive holds, from its manifest alone.
import { Command } from 'commander';
import { describeManifest } from './report.js';
import { run } from './run.js';
import { addTrust, describeSignature, type TrustFlags, trustOptions } from './trust-flags.js';

export function showCommand(): Command {
  return addTrust(
    new Command('show')
      .description('show what an archive holds, without reading its rows')
      .argument('<archive>', 'path or URL of an archive, or of a store: its newest one'),
  )
    .option('--json', 'the manifest as JSON')
    .action(show);
}

interface Flags extends TrustFlags {
  readonly json?: boolean;
}

async function show(file: string, flags: Flags): Promise<void> {
  const { json = false } = flags;
  await run({ command: 'show', json }, async () => {
    // Not before it is needed: help and wrong arguments are answered at once.
    const { showSnapshot } = await import('../app/archive/show-snapshot.js');
    const shown = await showSnapshot({ file, ...trustOptions(flags) });
    const { signature } = shown;
    const lines = [describeManifest(shown), ...(signature === undefined ? [] : ['', describeSignature(signature)])];
    return { result: { type: 'show', ...shown }, text: lines.join('\n') };
  });
}
