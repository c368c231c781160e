#!/usr/bin/env node
// The command `tidemark`: one subcommand a file. Wrong arguments are one sentence and exit code 2.
import { Command, CommanderError } from 'commander';
import { toolVersion } from '../model/tool-version.js';
import { restoreCommand } from './restore.js';
import { schemaCommand } from './schema.js';
import { showCommand } from './show.js';
import { snapshotCommand } from './snapshot.js';
import { verifyCommand } from './verify.js';

const usageExit = 2;

const program = new Command('tidemark')
  .description('consistent PostgreSQL snapshots and restores, without pg_dump')
  .version(toolVersion)
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'tidemark: ')) });
for (const command of [snapshotCommand(), restoreCommand(), verifyCommand(), showCommand(), schemaCommand()]) {
  program.addCommand(command.copyInheritedSettings(program));
}
for (const command of [program, ...program.commands]) command.exitOverride().showHelpAfterError('  hint: run it with --help');

try {
  await program.parseAsync(process.argv);
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : usageExit;
}
