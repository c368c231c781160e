// What the sslmodes of libpq mean for pg: which connections are tried, in which order, and what a certificate is held against.
// https://www.postgresql.org/docs/current/libpq-ssl.html
import { readFile } from 'node:fs/promises';
import { TidemarkError } from '../model/errors.js';

export const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;

export type SslMode = (typeof sslModes)[number];

/** libpq's keywords; the certificates are paths of PEM files. */
export interface TlsSettings {
  readonly sslmode: SslMode;
  /** `system`: the authorities that Node.js trusts. */
  readonly sslrootcert?: string;
  readonly sslcert?: string;
  readonly sslkey?: string;
}

/** What pg takes as `ssl`. */
export type TlsOptions = boolean | Readonly<Record<string, unknown>>;

/** What to try, in order: the next one only where the one before failed over TLS or pg_hba.conf (see `mayTryNext`).
 *  @throws TidemarkError FILE_ERROR where a certificate cannot be read */
export async function tlsAttempts({ sslmode, sslrootcert, sslcert, sslkey }: TlsSettings): Promise<readonly TlsOptions[]> {
  if (sslmode === 'disable') return [false];
  const authorities = sslrootcert === undefined || sslrootcert === 'system' ? {} : { ca: await readPem(sslrootcert) };
  const own = {
    ...(sslcert === undefined ? {} : { cert: await readPem(sslcert) }),
    ...(sslkey === undefined ? {} : { key: await readPem(sslkey) }),
  };
  const unverified = { ...own, rejectUnauthorized: false };
  const anyName = { ...own, ...authorities, checkServerIdentity: () => undefined };
  switch (sslmode) {
    case 'allow':
      return [false, unverified];
    case 'prefer':
      return [unverified, false];
    case 'require':
      // As in libpq: who names authorities wants them asked.
      return [sslrootcert === undefined ? unverified : anyName];
    case 'verify-ca':
      return [anyName];
    case 'verify-full':
      return [{ ...own, ...authorities }];
  }
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new TidemarkError('FILE_ERROR', `read the certificate or key ${path}: ${code}`, {
      cause: error,
      hint: 'check sslrootcert, sslcert and sslkey',
    });
  }
}

/** Whether a connection failed because of TLS. */
export function isTlsError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code = '' } = error as NodeJS.ErrnoException;
  return /^ERR_(SSL|TLS|OSSL)|CERT|SELF_SIGNED|EPROTO|UNABLE_TO_/.test(code) || /\b(SSL|TLS)\b/.test(error.message);
}
