// `tidemark verify`: is every byte of an archive right?
import { Command } from 'commander';
import { verifySnapshot } from '../app/verify-snapshot.js';
import { printable } from './printable.js';
import { run } from './run.js';
import { formatBytes, formatCount } from './units.js';

export function verifyCommand(): Command {
  return new Command('verify')
    .description('check every byte of an archive')
    .argument('<file>', 'archive')
    .option('--json', 'events on standard error and the result on standard output as JSON')
    .action(verify);
}

async function verify(file: string, { json = false }: { readonly json?: boolean }): Promise<void> {
  await run({ command: 'verify', json }, async ({ onEvent, signal }) => {
    const { manifest, ...report } = await verifySnapshot({ file, onEvent, signal });
    const beside = report.sidecars.length > 0 ? `, and ${report.sidecars.length} files beside it` : '';
    const text =
      `${printable(file)}: every byte is right (${formatBytes(report.bytes)}, ${formatCount(report.members)} members, ` +
      `${formatCount(report.rows)} rows${beside})\nsha256 ${report.sha256}`;
    return { result: { type: 'verify', ...report, position: manifest.position }, text };
  });
}
