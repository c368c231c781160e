// What every command has in common: events to standard error (a progress line, or JSON), SIGINT and SIGTERM as an AbortSignal, the
// result where it belongs, exit codes.
import { toJson } from '../app/json.js';
import { TidemarkError } from '../model/errors.js';
import type { EventListener } from '../model/events.js';
import { createProgress } from './progress.js';
import { reportError } from './report-error.js';
import { writeOut } from './streams.js';

export interface Tools {
  readonly onEvent: EventListener;
  readonly signal: AbortSignal;
}

export interface CommandOutcome {
  /** For `--json`. */
  readonly result: unknown;
  /** For people; without a newline at the end. */
  readonly text: string;
  /** What is wrong with the result: told after it, and sets the exit code. */
  readonly failure?: TidemarkError;
  /** Of a result that is no failure, and not the usual one either. Default 0. */
  readonly exitCode?: number;
}

export interface RunOptions {
  /** Its name, for hints. */
  readonly command: string;
  readonly json: boolean;
  /** Standard output belongs to the archive: the result goes to standard error. */
  readonly outputTaken?: boolean;
}

/** Runs a command to its end and sets the exit code. Never rejects. */
export async function run(
  { command, json, outputTaken = false }: RunOptions,
  work: (tools: Tools) => Promise<CommandOutcome>,
): Promise<void> {
  const progress = createProgress(process.stderr, () => performance.now());
  const onEvent: EventListener = json ? (event) => process.stderr.write(`${toJson(event)}\n`) : progress.listen;
  const stop = new AbortController();
  let stoppedBy: NodeJS.Signals | undefined;
  const onSignal = (name: NodeJS.Signals): void => {
    // A second signal does not wait for an orderly end.
    if (stoppedBy !== undefined) process.exit(signalExit(name));
    stoppedBy = name;
    stop.abort(new TidemarkError('ABORTED', `stopped by ${name}`, { hint: 'run the command again' }));
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  try {
    const { result, text, failure, exitCode } = await work({ onEvent, signal: stop.signal });
    if (!json) progress.end();
    const line = json ? toJson(result) : text;
    if (line !== '') await writeOut(outputTaken ? process.stderr : process.stdout, `${line}\n`);
    if (exitCode !== undefined) process.exitCode = exitCode;
    if (failure !== undefined) process.exitCode = reportError(failure, { json });
  } catch (error) {
    if (!json) progress.end();
    const exitCode = stoppedBy && error instanceof TidemarkError && error.code === 'ABORTED' ? signalExit(stoppedBy) : undefined;
    process.exitCode = reportError(withHelp(error, command), { json, exitCode });
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

/** Options that contradict each other are found by the use cases, which know nothing of `--help`. */
function withHelp(error: unknown, command: string): unknown {
  if (!(error instanceof TidemarkError) || error.code !== 'USAGE' || error.hint !== undefined) return error;
  return new TidemarkError('USAGE', error.message, { hint: `see tidemark ${command} --help`, details: error.details, cause: error });
}

function signalExit(name: NodeJS.Signals): number {
  return name === 'SIGTERM' ? 143 : 130;
}
