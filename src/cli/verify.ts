// `tidemark verify`: is every byte of an archive right?
import { Command } from 'commander';
import { printable } from '../model/printable.js';
import { formatBytes, formatCounted } from '../model/units.js';
import { wholeNumber } from './arguments.js';
import { given } from './given.js';
import { run } from './run.js';
import { addTrust, describeSignature, type TrustFlags, trustOptions } from './trust-flags.js';

export function verifyCommand(): Command {
  return addTrust(
    new Command('verify')
      .description('check every byte of an archive')
      .argument('<archive>', 'path or URL of an archive, or of a store: its newest one'),
  )
    .option('-j, --jobs <n>', 'threads that check at once (default: processors, at most 4)', wholeNumber)
    .option('--json', 'events on standard error and the result on standard output as JSON')
    .action(verify);
}

interface Flags extends TrustFlags {
  readonly jobs?: number;
  readonly json?: boolean;
}

async function verify(file: string, flags: Flags): Promise<void> {
  const { json = false } = flags;
  await run({ command: 'verify', json }, async ({ onEvent, signal }) => {
    // Not before it is needed: help and wrong arguments are answered at once.
    const { verifySnapshot } = await import('../app/archive/verify-snapshot.js');
    const {
      manifest,
      manifestText: _,
      ...report
    } = await verifySnapshot({ file, ...given('jobs', flags.jobs), ...trustOptions(flags), onEvent, signal });
    const beside = report.sidecars.length > 0 ? `, and ${formatCounted(report.sidecars.length, 'file')} beside it` : '';
    const chunks = report.others.reduce((sum, other) => sum + other.chunks, 0);
    const others =
      chunks === 0
        ? ''
        : `\n${formatCounted(chunks, 'chunk')} in ${formatCounted(report.others.length, 'other archive')}: every byte is right`;
    const { signature } = report;
    const signed = signature === undefined ? '' : `\n${describeSignature(signature)}`;
    const text =
      `${printable(report.path)}: every byte is right (${formatBytes(report.bytes)}, ${formatCounted(report.members, 'member')}, ` +
      `${formatCounted(report.rows, 'row')}${beside})\nsha256 ${report.sha256}${others}${signed}`;
    return { result: { type: 'verify', ...report, position: manifest.position }, text };
  });
}
