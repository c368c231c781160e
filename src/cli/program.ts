// The program: its commands, and how wrong arguments become an error like every other.
import { Command, type CommanderError } from 'commander';
import { TidemarkError } from '../model/errors.js';
import { toolVersion } from '../model/tool-version.js';
import { bootstrapCommand } from './bootstrap.js';
import { configCommand } from './config.js';
import { daemonCommand } from './daemon.js';
import { diffCommand } from './diff.js';
import { drillCommand } from './drill.js';
import { exportCommand } from './export.js';
import { fixtureCommand } from './fixture.js';
import { importCommand } from './import.js';
import { keygenCommand } from './keygen.js';
import { latestCommand } from './latest.js';
import { listCommand } from './list.js';
import { nextCommand } from './next.js';
import { pinCommand, unpinCommand } from './pin.js';
import { pruneCommand } from './prune.js';
import { pullCommand } from './pull.js';
import { pushCommand } from './push.js';
import { restoreCommand } from './restore.js';
import { schemaCommand } from './schema.js';
import { showCommand } from './show.js';
import { snapshotCommand } from './snapshot.js';
import { statusCommand } from './status.js';
import { tuneCommand } from './tune.js';
import { untuneCommand } from './untune.js';
import { verifyCommand } from './verify.js';

/** In the order in which help lists them. */
const commands: readonly (() => Command)[] = [
  snapshotCommand,
  tuneCommand,
  restoreCommand,
  untuneCommand,
  verifyCommand,
  showCommand,
  diffCommand,
  pullCommand,
  schemaCommand,
  exportCommand,
  importCommand,
  fixtureCommand,
  listCommand,
  latestCommand,
  pushCommand,
  pruneCommand,
  pinCommand,
  unpinCommand,
  statusCommand,
  nextCommand,
  daemonCommand,
  bootstrapCommand,
  drillCommand,
  keygenCommand,
  configCommand,
];

/** Throws CommanderError instead of ending the process; prints help and version, but no errors. */
export function createProgram(): Command {
  const program = new Command('tidemark')
    .description('consistent PostgreSQL snapshots and restores, without pg_dump')
    .version(toolVersion)
    .configureOutput({ outputError: () => undefined })
    .addHelpText('after', '\nExit codes and errors: docs/errors.md. Each command has its own --help.')
    .exitOverride();
  for (const make of commands) {
    const command = make().copyInheritedSettings(program);
    program.addCommand(command);
    for (const inner of command.commands) inner.copyInheritedSettings(command);
  }
  return program;
}

/** What commander says of wrong arguments. Values that may hold a password are not repeated. */
export function usageError({ message }: CommanderError, args: readonly string[]): TidemarkError {
  const [first = '', ...more] = message.replace(/^error: /, '').split('\n');
  const command = createProgram().commands.find((known) => known.name() === args[0]);
  const help = `see ${['tidemark', ...(command ? [command.name()] : []), '--help'].join(' ')}`;
  const suggestion = more.join(' ').replace(/^\((.*)\)$/, '$1');
  return new TidemarkError('USAGE', withoutValues(first), { hint: suggestion === '' ? help : `${suggestion} Or ${help}` });
}

/** `'--dbnam=postgres://u:p@h/d'` -> `'--dbnam'`; a URL or keyword string that landed in the wrong place -> `'...'` */
function withoutValues(message: string): string {
  return message.replace(/'([^']*)'/g, (_, text: string) => {
    const name = /^(--[a-z-]+)=/.exec(text)?.[1];
    if (name !== undefined) return `'${name}'`;
    return /[@:=/]/.test(text) ? "'...'" : `'${text}'`;
  });
}
