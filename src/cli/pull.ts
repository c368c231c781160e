// `tidemark pull`: an archive from a store to this machine.
import { Command } from 'commander';
import type { PulledArchive } from '../app/archive/pull.js';
import { printable } from '../model/printable.js';
import { formatBytes, formatCounted, formatDuration } from '../model/units.js';
import { given } from './given.js';
import { run } from './run.js';
import { addTrust, type TrustFlags, trustOptions } from './trust-flags.js';

interface Flags extends TrustFlags {
  readonly output?: string;
  readonly base: boolean;
  readonly json?: true;
}

export function pullCommand(): Command {
  return addTrust(
    new Command('pull')
      .description('bring an archive to this machine, and verify it; goes on where an earlier run stopped')
      .argument('<archive>', 'URL or path of an archive, or of a store: its newest one')
      .option('-o, --output <path>', 'file, or directory (default: here, under the name that it has there)')
      .option('--no-base', 'leave out the other archives that it needs for completed partitions'),
  )
    .option('--json', 'events on standard error and the result on standard output as JSON')
    .action(pull);
}

async function pull(file: string, flags: Flags): Promise<void> {
  await run({ command: 'pull', json: flags.json === true }, async ({ onEvent, signal }) => {
    // Not before it is needed: help and wrong arguments are answered at once.
    const { pullSnapshot } = await import('../app/archive/pull.js');
    const pulled = await pullSnapshot({
      file,
      ...given('output', flags.output),
      others: flags.base,
      ...trustOptions(flags),
      onEvent,
      signal,
    });
    const text = [...pulled.others, pulled].map((one) =>
      describePulled(one, one === pulled ? formatDuration(pulled.durationMs) : undefined),
    );
    return { result: { type: 'pull', ...pulled }, text: text.join('\n') };
  });
}

/** @param took of the whole, told at its end */
function describePulled({ file, source, bytes, resumedBytes, rows, sidecars, sha256 }: PulledArchive, took: string | undefined): string {
  const came =
    resumedBytes === bytes
      ? ', it was there'
      : resumedBytes > 0n
        ? `, ${formatBytes(resumedBytes)} of it were there`
        : took === undefined
          ? ''
          : `, in ${took}`;
  const proven = rows === undefined ? 'its SHA-256 is right' : `every byte is right (${formatCounted(rows, 'row')})`;
  const beside = `and ${formatCounted(sidecars.length, 'file')} beside it`;
  return `${printable(file)}: ${formatBytes(bytes)} from ${printable(source)}${came}, ${beside}; ${proven}\nsha256 ${sha256}`;
}
