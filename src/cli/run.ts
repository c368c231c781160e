// What every command has in common: events to standard error (a progress line, or JSON), SIGINT and SIGTERM as an AbortSignal, errors as
// one clear message with a hint, exit codes.
import { toJson } from '../app/json.js';
import { TidemarkError } from '../model/errors.js';
import type { EventListener } from '../model/events.js';
import { exitCodes } from './exit-codes.js';
import { createProgress, printable } from './progress.js';

export interface Tools {
  readonly onEvent: EventListener;
  readonly signal: AbortSignal;
}

export interface CommandOutcome {
  /** For `--json`. */
  readonly result: unknown;
  /** For people; without a newline at the end. */
  readonly text: string;
}

export interface RunOptions {
  readonly json: boolean;
  /** Standard output belongs to the archive: the result goes to standard error. */
  readonly outputTaken?: boolean;
}

/** Runs a command to its end and sets the exit code. Never rejects. */
export async function run({ json, outputTaken = false }: RunOptions, work: (tools: Tools) => Promise<CommandOutcome>): Promise<void> {
  const progress = createProgress(process.stderr, () => performance.now());
  const onEvent: EventListener = json ? (event) => process.stderr.write(`${toJson(event)}\n`) : progress.listen;
  const stop = new AbortController();
  let stoppedBy: NodeJS.Signals | undefined;
  const onSignal = (name: NodeJS.Signals): void => {
    // A second signal does not wait for an orderly end.
    if (stop.signal.aborted) process.exit(signalExit(name));
    stoppedBy = name;
    stop.abort(new TidemarkError('ABORTED', `stopped by ${name}`, { hint: 'nothing was published; run the command again' }));
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  try {
    const { result, text } = await work({ onEvent, signal: stop.signal });
    if (!json) progress.end();
    const line = json ? toJson(result) : text;
    if (line !== '') (outputTaken ? process.stderr : process.stdout).write(`${line}\n`);
  } catch (error) {
    if (!json) progress.end();
    const exitCode = reportError(error, json);
    process.exitCode = stoppedBy ? signalExit(stoppedBy) : exitCode;
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

function signalExit(name: NodeJS.Signals): number {
  return name === 'SIGTERM' ? 143 : 130;
}

/** Prints an error; @returns its exit code */
export function reportError(error: unknown, json: boolean): number {
  const known =
    error instanceof TidemarkError ? error : new TidemarkError('INTERNAL', error instanceof Error ? error.message : String(error));
  const exitCode = exitCodes[known.code];
  if (json) {
    const { code, message, hint, details } = known;
    process.stderr.write(`${toJson({ type: 'error', code, exitCode, message, hint, details })}\n`);
    return exitCode;
  }
  process.stderr.write(`tidemark: ${printable(known.message)}\n`);
  if (known.hint !== undefined) process.stderr.write(`  hint: ${printable(known.hint)}\n`);
  if (known.code === 'INTERNAL') process.stderr.write(`${error instanceof Error ? error.stack : ''}\n`);
  return exitCode;
}
