// Errors cross threads as plain data: structured cloning keeps an Error's message but not its class or fields.
import { type ErrorCode, TidemarkError } from './errors.js';

export interface PackedError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly stack?: string;
}

/** What a worker thread posts when it fails. Details are kept where they are plain values. */
export function packError(error: unknown): PackedError {
  const stack = error instanceof Error ? error.stack : undefined;
  if (!(error instanceof TidemarkError)) {
    return { code: 'INTERNAL', message: error instanceof Error ? error.message : String(error), details: {}, ...(stack ? { stack } : {}) };
  }
  const details = Object.fromEntries(
    Object.entries(error.details).filter(([, value]) => typeof value !== 'object' && typeof value !== 'function'),
  );
  return {
    code: error.code,
    message: error.message,
    details,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(stack ? { stack } : {}),
  };
}

export function unpackError({ code, message, hint, details, stack }: PackedError): TidemarkError {
  const error = new TidemarkError(code, message, { details, ...(hint === undefined ? {} : { hint }) });
  if (stack !== undefined) error.stack = stack;
  return error;
}
