// `tidemark keygen`: makes a pair of keys.
import { Command } from 'commander';
import { printable } from '../model/printable.js';
import { given } from './given.js';
import { run } from './run.js';

interface Flags {
  readonly output?: string;
  readonly json?: true;
}

export function keygenCommand(): Command {
  return new Command('keygen')
    .description("make a pair of keys for signatures, in minisign's format")
    .option('-o, --output <name>', 'write <name>.key and <name>.pub (default: tidemark)')
    .option('--json', 'the result as JSON')
    .action(keygen);
}

async function keygen(flags: Flags): Promise<void> {
  await run({ command: 'keygen', json: flags.json === true }, async () => {
    // Not before it is needed: help and wrong arguments are answered at once.
    const { generateKeys } = await import('../app/keygen.js');
    const made = await generateKeys(given('name', flags.output));
    const lines = [
      `${printable(made.secretFile)}: the secret key, for --sign. Whoever has it signs in your name; keep a copy where it is safe`,
      `${printable(made.publicFile)}: the public key ${made.keyId}, for --verify-key and minisign -p`,
      made.publicKey,
    ];
    return { result: { type: 'keygen', ...made }, text: lines.join('\n') };
  });
}
