// Where to connect: a URL or keyword string, else DATABASE_URL, else the PG* variables, as libpq has them; what is missing in one is
// taken from the next. Given to worker threads as plain data; what it prints of itself never holds the password.
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { TidemarkError } from '../model/errors.js';
import type { OptionNames } from '../model/option-names.js';
import { type ConnectionWords, parseConninfo } from './conninfo.js';
import { type SslMode, sslModes, type TlsOptions } from './tls.js';

/** Plain data, safe to post to a worker thread; never log it. */
export interface ConnectionSettings {
  /** A name, an address, or the directory of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** Absent: the password file is asked. */
  readonly password?: string;
  /** Path of the password file. */
  readonly passfile?: string;
  /** As pg takes it; wins over `sslmode`. */
  readonly ssl?: TlsOptions;
  /** As libpq has them. Without `ssl` and `sslmode` there is no TLS. */
  readonly sslmode?: SslMode;
  readonly sslrootcert?: string;
  readonly sslcert?: string;
  readonly sslkey?: string;
  /** SET ROLE in every session, after connecting. */
  readonly role?: string;
  /** Settings for the server at its start, as in PGOPTIONS. */
  readonly options?: string;
  /** How long one connection may take to be made, in ms; default 30 s. */
  readonly connectTimeoutMs?: number;
}

export const connectionSettingNames: OptionNames<ConnectionSettings> = {
  host: true,
  port: true,
  user: true,
  database: true,
  password: true,
  passfile: true,
  ssl: true,
  sslmode: true,
  sslrootcert: true,
  sslcert: true,
  sslkey: true,
  role: true,
  options: true,
  connectTimeoutMs: true,
};

type Environment = Readonly<Record<string, string | undefined>>;

/** Resolves connection settings.
 *  @param text `postgres://user:password@host:port/database?sslmode=...`, `host=... dbname=...`, a plain database name, or undefined
 *  @throws TidemarkError USAGE where it, or a variable, cannot be read */
export function resolveConnection(text: string | undefined, env: Environment): ConnectionSettings {
  const given = parseConninfo(text ?? env.DATABASE_URL ?? '');
  if (env.PGSERVICE && given.host === undefined) {
    throw new TidemarkError('USAGE', 'read the connection settings: PGSERVICE is set, and services are not supported', {
      hint: 'unset it and use PGHOST, PGPORT, PGUSER and PGDATABASE, or --dbname',
    });
  }
  const words = { ...fromEnvironment(env), ...given };
  const { host = 'localhost', user = userInfo().username, dbname = user } = words;
  if (host.includes(',')) refuse('several hosts are not supported', 'name one host');
  const sslmode = host.startsWith('/') ? 'disable' : modeOf(words.sslmode);
  if (sslmode === 'verify-ca' && words.sslrootcert === undefined) {
    refuse('sslmode verify-ca needs sslrootcert', 'name the file of the authorities with sslrootcert or PGSSLROOTCERT, or use verify-full');
  }
  return {
    host,
    port: portOf(words.port),
    user,
    database: dbname,
    passfile: words.passfile ?? defaultPasswordFile(env),
    sslmode,
    ...pick(words, ['password', 'sslrootcert', 'sslcert', 'sslkey', 'options']),
    ...(words.connect_timeout === undefined ? {} : { connectTimeoutMs: timeoutOf(words.connect_timeout) }),
  };
}

const variables = {
  PGHOST: 'host',
  PGPORT: 'port',
  PGDATABASE: 'dbname',
  PGUSER: 'user',
  PGPASSWORD: 'password',
  PGPASSFILE: 'passfile',
  PGCONNECT_TIMEOUT: 'connect_timeout',
  PGOPTIONS: 'options',
  PGSSLMODE: 'sslmode',
  PGSSLROOTCERT: 'sslrootcert',
  PGSSLCERT: 'sslcert',
  PGSSLKEY: 'sslkey',
} as const;

/** An empty variable is as good as none, as in libpq. */
function fromEnvironment(env: Environment): ConnectionWords {
  return Object.fromEntries(Object.entries(variables).flatMap(([name, word]) => (env[name] ? [[word, env[name]]] : [])));
}

function pick<Name extends keyof ConnectionWords>(words: ConnectionWords, names: readonly Name[]): Pick<ConnectionWords, Name> {
  return Object.fromEntries(names.flatMap((name) => (words[name] === undefined ? [] : [[name, words[name]]]))) as Pick<
    ConnectionWords,
    Name
  >;
}

function defaultPasswordFile(env: Environment): string {
  if (process.platform === 'win32') return join(env.APPDATA || '.', 'postgresql', 'pgpass.conf');
  return join(env.HOME || homedir(), '.pgpass');
}

function portOf(text = '5432'): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65535) refuse('the port is not a number from 1 to 65535', 'check the URL and PGPORT');
  return port;
}

function modeOf(text = 'prefer'): SslMode {
  // node-postgres' own word for what libpq calls require.
  const mode = text === 'no-verify' ? 'require' : sslModes.find((known) => known === text);
  return mode ?? refuse('the sslmode is not known', `it is one of ${sslModes.join(', ')}`);
}

/** In seconds; 0 and less: no limit. */
function timeoutOf(text: string): number {
  if (!/^-?\d{1,6}$/.test(text.trim()))
    refuse('the connect timeout is not a whole number of seconds', 'check connect_timeout and PGCONNECT_TIMEOUT');
  return Math.max(0, Number(text) * 1000);
}

function refuse(why: string, hint: string): never {
  throw new TidemarkError('USAGE', `read the connection settings: ${why}`, { hint });
}

/** The same server and credentials, another database. */
export function withDatabase(connection: ConnectionSettings, database: string): ConnectionSettings {
  return { ...connection, database };
}

/** `user@host:5432/database`: for messages. No password. */
export function describeConnection({ user, host, port, database }: ConnectionSettings): string {
  return `${user}@${host.includes(':') ? `[${host}]` : host}:${port}/${database}`;
}
