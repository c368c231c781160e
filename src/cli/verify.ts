// `tidemark verify`: is every byte of an archive right?
import { Command } from 'commander';
import { printable } from '../model/printable.js';
import { formatBytes, formatCounted } from '../model/units.js';
import { run } from './run.js';

export function verifyCommand(): Command {
  return new Command('verify')
    .description('check every byte of an archive')
    .argument('<file>', 'archive')
    .option('--json', 'events on standard error and the result on standard output as JSON')
    .action(verify);
}

async function verify(file: string, { json = false }: { readonly json?: boolean }): Promise<void> {
  await run({ command: 'verify', json }, async ({ onEvent, signal }) => {
    // Not before it is needed: help and wrong arguments are answered at once.
    const { verifySnapshot } = await import('../app/verify-snapshot.js');
    const { manifest, ...report } = await verifySnapshot({ file, onEvent, signal });
    const beside = report.sidecars.length > 0 ? `, and ${formatCounted(report.sidecars.length, 'file')} beside it` : '';
    const text =
      `${printable(file)}: every byte is right (${formatBytes(report.bytes)}, ${formatCounted(report.members, 'member')}, ` +
      `${formatCounted(report.rows, 'row')}${beside})\nsha256 ${report.sha256}`;
    return { result: { type: 'verify', ...report, position: manifest.position }, text };
  });
}
