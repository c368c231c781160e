// Turns what pg throws into TidemarkErrors: lost and refused connections, wrong passwords, SQLSTATEs. Only names and server messages
// are passed on; never a connection string, never row data (a server's DETAIL may quote values, so it stays out).
import { type ErrorCode, TidemarkError } from '../model/errors.js';
import { isTlsError } from './tls.js';

interface ServerError {
  readonly code?: string;
  readonly severity?: string;
  readonly message: string;
  readonly where?: string;
  /** What the server advises. */
  readonly hint?: string;
}

/** True when an error came as an ErrorResponse of the server (it has an SQLSTATE), not from the socket. */
export function isServerError(error: unknown): error is ServerError & Error {
  return error instanceof Error && 'severity' in error && typeof (error as ServerError).code === 'string';
}

/** SQLSTATE of a server's error, also below a TidemarkError. */
export function sqlstateOf(error: unknown): string | undefined {
  if (error instanceof TidemarkError) {
    const { sqlstate } = error.details;
    return typeof sqlstate === 'string' ? sqlstate : undefined;
  }
  return isServerError(error) ? error.code : undefined;
}

/** True when the server could not convert text of its own into UTF-8: a character that has no place there, or bytes that are no character. */
export function isUntranslatable(error: unknown): boolean {
  return ['22P05', '22021'].includes(sqlstateOf(error) ?? '');
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}

/** Why a connection could not be made, or broke. */
export function connectionError(error: unknown, where: string): TidemarkError {
  if (error instanceof TidemarkError) return error;
  const extras = { cause: error };
  if (isServerError(error)) {
    const details = { sqlstate: error.code };
    if (error.code === '28P01' || error.code === '28000') {
      return new TidemarkError('AUTHENTICATION_FAILED', `connect to ${where}: ${error.message}`, {
        ...extras,
        details,
        hint: "check user and password (URL, PGPASSWORD or .pgpass) and the server's pg_hba.conf",
      });
    }
    if (error.code === '3D000') {
      return new TidemarkError('DATABASE_MISSING', `connect to ${where}: ${error.message}`, {
        ...extras,
        details,
        hint: 'check the database name, or create the database first',
      });
    }
    return new TidemarkError('CONNECTION_FAILED', `connect to ${where}: ${error.message}`, { ...extras, details });
  }
  const message = messageOf(error);
  if (/\bSASL\b/.test(message)) {
    return new TidemarkError('AUTHENTICATION_FAILED', `connect to ${where}: ${message}`, {
      ...extras,
      hint: 'check that this is the right server, user and password',
    });
  }
  return new TidemarkError('CONNECTION_FAILED', `connect to ${where}: ${message}`, {
    ...extras,
    hint: isTlsError(error)
      ? "check sslmode and sslrootcert, and the server's ssl settings"
      : 'check host and port, and that the server runs and lets this machine in',
  });
}

const codes: Readonly<Record<string, ErrorCode>> = {
  '42501': 'PERMISSION_DENIED',
  '55P03': 'LOCK_TIMEOUT',
  '57P01': 'CONNECTION_LOST',
  '57P02': 'CONNECTION_LOST',
  '57P03': 'CONNECTION_LOST',
};

/** Why a statement failed. The statement's own text goes into `details`, shortened, not into the message. */
export function queryError(error: unknown, text: string, where: string): TidemarkError {
  if (error instanceof TidemarkError) return error;
  if (!isServerError(error)) {
    return new TidemarkError('CONNECTION_LOST', `run a statement on ${where}: the connection was lost (${messageOf(error)})`, {
      cause: error,
      hint: "see the server's log for the reason; run the command again",
    });
  }
  const code = codes[error.code ?? ''] ?? 'SERVER_ERROR';
  return new TidemarkError(code, `run a statement on ${where}: ${error.message}`, {
    cause: error,
    ...(error.hint === undefined ? {} : { hint: `the server says: ${error.hint}` }),
    details: { sqlstate: error.code, statement: text.length > 500 ? `${text.slice(0, 500)}...` : text },
  });
}
