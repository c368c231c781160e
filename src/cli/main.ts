#!/usr/bin/env node
// The command `tidemark`: runs what was asked for, and sees to it that whatever goes wrong is told in the same way and has an exit code.
import { CommanderError } from 'commander';
import { toJson } from '../app/json.js';
import { createProgram, usageError } from './program.js';
import { reportError } from './report-error.js';
import { exit, guardStreams } from './streams.js';

const args = process.argv.slice(2);
// Known before the arguments are: an error in them is told as JSON, too.
const json = args.includes('--json');

guardStreams();
// The AWS SDK would tell each time which version of Node.js it will want next year: nothing that whoever runs a command can do something about.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
if (json) {
  // Node.js itself prints warnings as plain text.
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message }) => process.stderr.write(`${toJson({ type: 'notice', message: `${name}: ${message}` })}\n`));
}
const defect = (error: unknown): never => process.exit(reportError(error, { json }));
process.on('uncaughtException', defect).on('unhandledRejection', defect);

try {
  await createProgram().parseAsync(args, { from: 'user' });
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  if (error.exitCode !== 0) process.exitCode = 2;
  // Help that was shown, asked for or not, needs no message.
  const told = error.exitCode === 0 || error.code === 'commander.help';
  if (!told) process.exitCode = reportError(usageError(error, args), { json });
}
await exit();
