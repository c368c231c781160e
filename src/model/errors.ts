// The one error that tidemark throws on purpose, and its codes. The command line maps codes to exit codes (cli/exit-codes.ts);
// everything else only throws.

/** What went wrong, for programs. docs/errors.md lists each with its exit code. */
export type ErrorCode =
  | 'INTERNAL'
  | 'USAGE'
  | 'PATTERN_UNMATCHED'
  | 'CONNECTION_FAILED'
  | 'AUTHENTICATION_FAILED'
  | 'DATABASE_MISSING'
  | 'CONNECTION_LOST'
  | 'SERVER_UNSUPPORTED'
  | 'SERVER_ERROR'
  | 'PERMISSION_DENIED'
  | 'ROLE_UNSAFE'
  | 'LOCK_TIMEOUT'
  | 'CONCURRENT_DDL'
  | 'MAX_AGE_EXCEEDED'
  | 'UNSUPPORTED_OBJECT'
  | 'COPY_INCOMPLETE'
  | 'POSITION_INVALID'
  | 'ARCHIVE_INVALID'
  | 'ARCHIVE_CORRUPT'
  | 'ARCHIVE_TRUNCATED'
  | 'ARCHIVE_TOO_NEW'
  | 'ARCHIVE_MISSING_PART'
  | 'SNAPSHOT_MISSING'
  | 'TARGET_NOT_EMPTY'
  | 'TARGET_MISMATCH'
  | 'TARGET_IN_USE'
  | 'RESTORE_FAILED'
  | 'LISTEN_FAILED'
  | 'WEBHOOK_FAILED'
  | 'FILE_ERROR'
  | 'DISK_FULL'
  | 'CODEC_MISSING'
  | 'PACKAGE_MISSING'
  | 'STORE_ERROR'
  | 'STORE_CONFLICT'
  | 'OBJECT_MISSING'
  | 'LOCKED'
  | 'LOCK_LOST'
  | 'SNAPSHOT_STALE'
  | 'KEY_INVALID'
  | 'SIGNATURE_MISSING'
  | 'SIGNATURE_INVALID'
  | 'IDENTITY_MISSING'
  | 'ABORTED';

export interface ErrorExtras {
  /** One sentence that the user can act on. */
  readonly hint?: string;
  /** Facts for programs and for `--json`: names, SQLSTATE, offsets. Never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** An error with a code, and a message of the form "what was attempted, on which object: what happened" in lower case. */
export class TidemarkError extends Error {
  override readonly name = 'TidemarkError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, { hint, details = {}, cause }: ErrorExtras = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.hint = hint;
    this.details = details;
  }
}
