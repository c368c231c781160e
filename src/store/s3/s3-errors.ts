// What S3, its relatives and the network say, told apart: what may pass, what is a conflict, what is not there; and in words for people.
// Errors of the SDK are not passed on: some carry parts of the signed request.
import { TidemarkError } from '../../model/errors.js';

interface Facts {
  /** S3's code, or that of the operating system. */
  readonly code: string;
  readonly status: number | undefined;
  readonly message: string;
  readonly requestId: string | undefined;
}

/** A reply that cannot be: without what it must have. It may pass, as one that was cut. */
export class BadReply extends Error {
  override readonly name = 'BadReply';
}

/** @returns true for what may be otherwise the next time: of a write, it is not known whether it was done */
export function isTransient(error: unknown): boolean {
  if (error instanceof TidemarkError) return false;
  const { code, status } = factsOf(error);
  if (transientCodes.has(code)) return true;
  if (permanentCodes.has(code)) return false;
  // Without a status it was the network; with one of success, a reply that could not be read.
  return status === undefined || status < 300 || status >= 500 || status === 408 || status === 429;
}

/** A condition of the request did not hold, or another write was under way. */
export function isConflict(error: unknown): boolean {
  const { code, status } = factsOf(error);
  return status === 412 || code === 'PreconditionFailed';
}

export function isMissing(error: unknown): boolean {
  const { code, status } = factsOf(error);
  return code === 'NoSuchKey' || (code === 'NotFound' && status === 404);
}

export function isNoBucket(error: unknown): boolean {
  return error !== undefined && factsOf(error).code === 'NoSuchBucket';
}

/** The server does not know what was asked of it. */
export function isNotImplemented(error: unknown): boolean {
  const { code, status } = factsOf(error);
  return status === 501 || code === 'NotImplemented' || (status === 400 && (code === 'InvalidRequest' || code === 'InvalidArgument'));
}

export function isDenied(error: unknown): boolean {
  return error !== undefined && factsOf(error).status === 403;
}

export function isOutOfRange(error: unknown): boolean {
  return factsOf(error).status === 416;
}

/** @param attempt what was tried, on which object */
export function explain(error: unknown, attempt: string): TidemarkError {
  if (error instanceof TidemarkError) return error;
  const { code, status, message, requestId } = factsOf(error);
  if (code === 'AbortError') return new TidemarkError('ABORTED', `${attempt}: stopped`);
  const isNamed = !/^Unknown(Error)?$/.test(code);
  const said =
    code === 'NoSuchBucket'
      ? 'there is no such bucket'
      : !isNamed && status !== undefined
        ? `HTTP ${status}`
        : message !== '' && message !== code
          ? `${code}: ${message}`
          : code;
  const hint = hints.find(([codes]) => codes.includes(code))?.[1] ?? hintsByStatus[status ?? 0] ?? 'see what the server says, and its log';
  return new TidemarkError('STORE_ERROR', `${attempt}: ${said}`, {
    hint,
    details: { code, ...(status === undefined ? {} : { status }), ...(requestId === undefined ? {} : { requestId }) },
  });
}

function factsOf(error: unknown): Facts {
  const { name, code, message, $metadata } = error as NodeJS.ErrnoException & {
    readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
  };
  return {
    code: (name === 'Error' || name === 'TimeoutError' ? code : undefined) ?? name ?? 'Error',
    status: $metadata?.httpStatusCode,
    message:
      String(message ?? '')
        .split('\n')[0]
        ?.slice(0, 300) ?? '',
    requestId: $metadata?.requestId,
  };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html; some come with a status of 400, or after one of 200. */
const transientCodes: ReadonlySet<string> = new Set([
  'InternalError',
  'SlowDown',
  'ServiceUnavailable',
  'OperationAborted',
  'ConditionalRequestConflict',
  'RequestTimeout',
  'RequestTimeTooSkewed',
  'BadDigest',
  'XAmzContentSHA256Mismatch',
  'IncompleteBody',
  'Throttling',
  'ThrottlingException',
  'TimeoutError',
  'BadReply',
]);

/** Nothing of the network's passing. */
const permanentCodes: ReadonlySet<string> = new Set([
  'AbortError',
  'ENOTFOUND',
  'CredentialsProviderError',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'EPROTO',
  'TypeError',
]);

const hintOfAccess = 'check that the credentials may list, read, write and remove objects there, and complete and abort uploads';

const hintOfRoom = 'make room in the store, or raise its quota';

const hintsByStatus: Readonly<Record<number, string>> = { 403: hintOfAccess, 507: hintOfRoom };

const hints: readonly (readonly [codes: readonly string[], hint: string])[] = [
  [['NoSuchBucket'], 'create the bucket, or check its name, the region and the endpoint'],
  [['AccessDenied', 'AllAccessDisabled'], hintOfAccess],
  [['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'InvalidToken'], 'check the access key, its secret and the endpoint'],
  [['ExpiredToken', 'ExpiredTokenException'], 'the credentials have expired; get new ones'],
  [
    ['CredentialsProviderError'],
    'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile, or run where the AWS SDK finds credentials by itself',
  ],
  [
    ['PermanentRedirect', 'AuthorizationHeaderMalformed', 'IllegalLocationConstraintException'],
    'name the region of the bucket: ?region=...',
  ],
  [['QuotaExceeded', 'InsufficientStorage', 'XMinioStorageFull'], hintOfRoom],
  [['RequestTimeTooSkewed'], 'set the clock of this machine'],
  [['ENOTFOUND', 'ECONNREFUSED', 'EAI_AGAIN', 'EPROTO'], 'check the endpoint and the network'],
  [['EntityTooSmall', 'EntityTooLarge', 'InvalidPart'], 'set the size of the parts of an upload: ?part-size=...'],
];
