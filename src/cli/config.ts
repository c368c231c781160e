// `tidemark config check`: what the configuration says, as it was understood, or what is wrong with it.
import { Command } from 'commander';
import { printable } from '../model/printable.js';
import { run } from './run.js';

export function configCommand(): Command {
  const command = new Command('config').description('the configuration file');
  command
    .command('check')
    .description('read the configuration, and say what it means or what is wrong with it')
    .option('-c, --config <file>', 'configuration file (default: TIDEMARK_CONFIG, then tidemark.config.* here or above)')
    .option('--json', 'the result on standard output as JSON')
    .action(check);
  return command;
}

async function check({ config: file, json = false }: { readonly config?: string; readonly json?: boolean }): Promise<void> {
  await run({ command: 'config check', json }, async () => {
    // Not before it is needed: help and wrong arguments are answered at once.
    const [{ loadConfig }, { configReport, describeConfig }] = await Promise.all([
      import('../app/config/load.js'),
      import('../app/config/describe.js'),
    ]);
    const config = await loadConfig({ file });
    const sentences = describeConfig(config);
    const width = Math.max(...sentences.map(([key]) => key.length));
    const lines = sentences.map(
      ([key, sentence], i) => `  ${(sentences[i - 1]?.[0] === key ? '' : key).padEnd(width)}  ${printable(sentence)}`,
    );
    const from = [
      ...(config.preset === undefined ? [] : [`preset ${config.preset}`]),
      ...config.fromEnvironment.map(({ variable, key }) => `${key} from ${variable}`),
    ];
    const text = [`${printable(config.file ?? 'the environment')} is right${from.length === 0 ? '' : ` (${from.join(', ')})`}`, ...lines];
    return { result: { type: 'config', ...configReport(config) }, text: text.join('\n') };
  });
}
