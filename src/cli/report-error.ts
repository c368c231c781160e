// How a failure is told: message and hint for people, or one line of JSON for programs; the exit code either way.
import { toJson } from '../app/json.js';
import { TidemarkError } from '../model/errors.js';
import { printable } from '../model/printable.js';
import { exitCodes } from './exit-codes.js';

export interface ErrorReport {
  readonly json: boolean;
  /** Of a signal; default: that of the error's code. */
  readonly exitCode?: number | undefined;
}

/** Prints an error to standard error. @returns its exit code */
export function reportError(error: unknown, { json, exitCode }: ErrorReport): number {
  const known = asTidemarkError(error);
  const code = exitCode ?? exitCodes[known.code];
  process.stderr.write(json ? `${toJson(errorObject(known, code))}\n` : errorText(known, highlight(process.stderr, process.env)));
  return code;
}

function errorObject({ code, message, hint, details, stack }: TidemarkError, exitCode: number): unknown {
  return { type: 'error', code, exitCode, message, hint, details, ...(code === 'INTERNAL' ? { stack } : {}) };
}

/** As text for people; a defect comes with the stack that belongs into a report of it. */
export function errorText({ code, message, hint, stack }: TidemarkError, mark: (text: string) => string): string {
  const lines = [`${mark('tidemark:')} ${printable(message)}`];
  if (hint !== undefined) lines.push(`  ${mark('hint:')} ${printable(hint)}`);
  if (code === 'INTERNAL' && stack !== undefined) lines.push(...stack.split('\n').slice(1).map(printable));
  return `${lines.join('\n')}\n`;
}

function asTidemarkError(error: unknown): TidemarkError {
  if (error instanceof TidemarkError) return error;
  const known = new TidemarkError('INTERNAL', error instanceof Error ? error.message : String(error), {
    hint: 'this is a defect of tidemark; please report it with the lines below',
  });
  if (error instanceof Error && error.stack !== undefined) known.stack = error.stack;
  return known;
}

/** Bold on a terminal that takes it; see https://no-color.org. */
export function highlight(
  terminal: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): (text: string) => string {
  const bold = terminal.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
  return (text) => (bold ? `\x1b[1m${text}\x1b[22m` : text);
}
