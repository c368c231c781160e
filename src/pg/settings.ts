// Where to connect: a URL or keyword string, else DATABASE_URL, else the PG* variables and .pgpass, as libpq does it. Given to worker
// threads as plain data; what it prints of itself never holds the password.
import { userInfo } from 'node:os';
import { parse } from 'pg-connection-string';
import { TidemarkError } from '../model/errors.js';

/** Plain data, safe to post to a worker thread; never log it. */
export interface ConnectionSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** Absent: pg looks into .pgpass. */
  readonly password?: string;
  readonly ssl?: boolean | Readonly<Record<string, unknown>>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Resolves connection settings.
 *  @param url `postgres://user:password@host:port/database?sslmode=...`, a plain database name, or undefined
 *  @throws TidemarkError USAGE where the URL cannot be read */
export function resolveConnection(url: string | undefined, env: Environment): ConnectionSettings {
  const text = url ?? env.DATABASE_URL;
  const given = text === undefined ? {} : /^[a-z][a-z0-9+]*:\/\//i.test(text) || text.startsWith('/') ? parseUrl(text) : { database: text };
  const user = given.user || env.PGUSER || userInfo().username;
  const password = given.password || env.PGPASSWORD;
  const ssl = given.ssl ?? sslOf(env.PGSSLMODE);
  const port = Number(given.port || env.PGPORT || 5432);
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new TidemarkError('USAGE', `read the connection settings: the port is not a number from 1 to 65535`);
  }
  return {
    host: given.host || env.PGHOST || 'localhost',
    port,
    user,
    database: given.database || env.PGDATABASE || user,
    ...(password ? { password } : {}),
    ...(ssl === undefined ? {} : { ssl }),
  };
}

interface Given {
  host?: string | null | undefined;
  port?: string | null | undefined;
  user?: string | undefined;
  password?: string | undefined;
  database?: string | null | undefined;
  ssl?: boolean | Readonly<Record<string, unknown>> | undefined;
}

function parseUrl(text: string): Given {
  if (!/^(postgres|postgresql|socket):\/\/|^\//i.test(text)) {
    throw new TidemarkError('USAGE', 'read the database URL: it does not begin with postgres://', {
      hint: 'write it as postgres://user@host:5432/database',
    });
  }
  try {
    const { host, port, user, password, database, ssl } = parse(text);
    return { host, port, user, password, database, ssl: typeof ssl === 'string' ? ssl === 'true' : (ssl as Given['ssl']) };
  } catch (error) {
    // The parser's own message may quote the URL, and so the password: leave it out.
    throw new TidemarkError('USAGE', 'read the database URL: it is not a valid postgres:// URL', {
      hint: 'write it as postgres://user@host:5432/database, special characters percent-encoded',
      details: { reason: error instanceof Error ? error.name : 'unknown' },
    });
  }
}

function sslOf(mode: string | undefined): Given['ssl'] {
  switch (mode) {
    case 'require':
    case 'prefer':
      return { rejectUnauthorized: false };
    case 'verify-ca':
    case 'verify-full':
      return true;
    default:
      return undefined;
  }
}

/** The same server and credentials, another database. */
export function withDatabase(connection: ConnectionSettings, database: string): ConnectionSettings {
  return { ...connection, database };
}

/** `user@host:5432/database`: for messages. No password. */
export function describeConnection({ user, host, port, database }: ConnectionSettings): string {
  return `${user}@${host}:${port}/${database}`;
}
