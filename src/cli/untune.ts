// `tidemark untune`: puts back the server settings that a restore with --tune has left.
import { Command } from 'commander';
import { given } from './given.js';
import { run } from './run.js';

interface Flags {
  readonly dbname?: string;
  readonly force?: true;
  readonly json?: true;
}

export function untuneCommand(): Command {
  return new Command('untune')
    .description('put back the server settings that a restore with --tune has left')
    .option(
      '-d, --dbname <url>',
      'the server, by any of its databases: a postgres:// URL or a name (default: DATABASE_URL, then PGHOST, ...)',
    )
    .option('--force', 'although a restore is at work with them')
    .option('--json', 'the result on standard output as JSON')
    .action(untune);
}

async function untune(flags: Flags): Promise<void> {
  await run({ command: 'untune', json: flags.json === true }, async () => {
    // Not before it is needed: help and wrong arguments are answered at once.
    const { describePutBack, untuneServer } = await import('../app/restore/untune-server.js');
    const found = await untuneServer({ ...given('database', flags.dbname), ...given('force', flags.force) });
    const text = found === undefined ? 'no server setting was left tuned' : `of a restore of ${found.since}: ${describePutBack(found)}`;
    return { result: { type: 'untune', found: found !== undefined, ...found }, text };
  });
}
