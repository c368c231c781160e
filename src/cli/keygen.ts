// `tidemark keygen`: makes a pair of keys.
import { Command } from 'commander';
import { printable } from '../model/printable.js';
import { given } from './given.js';
import { run } from './run.js';

interface Flags {
  readonly output?: string;
  readonly age?: true;
  readonly json?: true;
}

export function keygenCommand(): Command {
  return new Command('keygen')
    .description("make a pair of keys: for signatures, in minisign's format, or for encryption")
    .option('-o, --output <name>', 'write <name>.key and <name>.pub (default: tidemark)')
    .option('--age', "for encryption, in age's format: <name>.age-identity and <name>.age-recipient")
    .option('--json', 'the result as JSON')
    .action(keygen);
}

async function keygen(flags: Flags): Promise<void> {
  await run({ command: 'keygen', json: flags.json === true }, async () => {
    // Not before it is needed: help and wrong arguments are answered at once.
    const { generateKeys } = await import('../app/seal/keygen.js');
    const made = await generateKeys({ ...given('name', flags.output), ...given('age', flags.age) });
    const [secretFile, publicFile] = [printable(made.secretFile), printable(made.publicFile)];
    const lines = flags.age
      ? [
          `${secretFile}: the identity, for --identity and age -i. Without it nobody opens what is encrypted: keep copies where they are safe`,
          `${publicFile}: its recipient, for --encrypt`,
        ]
      : [
          `${secretFile}: the secret key, for --sign. Whoever has it signs in your name; keep a copy where it is safe`,
          `${publicFile}: the public key ${made.keyId}, for --verify-key and minisign -p`,
        ];
    return { result: { type: 'keygen', ...made }, text: [...lines, made.publicKey].join('\n') };
  });
}
