// Takes connection strings apart, as libpq does: URIs (postgres://...) and keyword strings (host=... dbname=...). Says nothing of
// defaults or the environment. No error repeats what was read: a wrong string may show a password at any place.
// https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
import { TidemarkError } from '../model/errors.js';

/** Keywords that are understood; the names are libpq's. */
export const connectionKeywords = [
  'host',
  'port',
  'dbname',
  'user',
  'password',
  'passfile',
  'connect_timeout',
  'options',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
] as const;

export type ConnectionKeyword = (typeof connectionKeywords)[number];
export type ConnectionWords = Readonly<Partial<Record<ConnectionKeyword, string>>>;

/** Keywords of libpq that change nothing here: each session has its own name and encoding, and how keep-alives and GSSAPI are done is pg's. */
const withoutEffect = [
  'application_name',
  'fallback_application_name',
  'client_encoding',
  'channel_binding',
  'gssencmode',
  'keepalives',
  'keepalives_idle',
  'keepalives_interval',
  'keepalives_count',
  'tcp_user_timeout',
  'sslcompression',
  'sslsni',
];

const uriHint = 'write it as postgres://user@host:5432/database, special characters of its parts percent-encoded (@ is %40, / is %2F)';

/** Reads what `--dbname` or DATABASE_URL hold: a URI, a keyword string, or the name of a database.
 *  @throws TidemarkError USAGE */
export function parseConninfo(text: string): ConnectionWords {
  if (/^postgres(?:ql)?:\/\//i.test(text)) return parseUri(text);
  const looksLikeUri = /^[a-z][a-z0-9+.-]*:\/|:\/\/|:.*@|^\//i.test(text);
  if (looksLikeUri && !/^\s*[a-z_]+\s*=/.test(text)) {
    refuse('read the database URL: it does not begin with postgres://', uriHint);
  }
  if (text.includes('=')) return parseKeywords(text);
  return text === '' ? {} : { dbname: text };
}

function parseUri(text: string): ConnectionWords {
  const match = /^[a-z]+:\/\/(?<authority>[^/?]*)(?:\/(?<path>[^?]*))?(?:\?(?<query>.*))?$/is.exec(text);
  const { authority = '', path = '', query } = match?.groups ?? {};
  if (!match) refuse('read the database URL: it is not a valid postgres:// URL', uriHint);
  const at = authority.lastIndexOf('@');
  // A raw / or ? in a password ends the authority early; what is left of the password would pass for the name of a database.
  if (at < 0 && `${path}${query ?? ''}`.includes('@')) refuse('read the database URL: there is an @ after the host', uriHint);
  const [user = '', ...secret] = at < 0 ? [] : authority.slice(0, at).split(':');
  const server = /^(?<host>\[[^\]]*\]|[^:]*)(?::(?<port>\d*))?$/.exec(authority.slice(at + 1));
  if (authority.slice(at + 1).includes(',')) refuse('read the database URL: it names several hosts', 'name one host');
  if (!server) refuse('read the database URL: the port is not a number', uriHint);
  const words = {
    host: decode((server?.groups?.host ?? '').replace(/^\[(.*)\]$/, '$1')),
    port: server?.groups?.port ?? '',
    user: decode(user),
    password: decode(secret.join(':')),
    dbname: decode(path),
  };
  return { ...withoutEmpty(words), ...(query ? parseQuery(query) : {}) };
}

function parseQuery(query: string): ConnectionWords {
  const words: [string, string][] = [];
  for (const pair of query.split('&')) {
    const [name = '', value, ...more] = pair.split('=');
    if (value === undefined || more.length > 0) refuse('read the database URL: an option after ? is not of the form name=value', uriHint);
    const word = decode(name);
    // As JDBC and node-postgres have it.
    if (word === 'ssl') words.push(['sslmode', /^(true|1)$/.test(value ?? '') ? 'require' : 'disable']);
    else if (isKeyword(word)) words.push([word, decode(value ?? '')]);
    else refuseUnknown(word, { foreign: true });
  }
  return withoutEmpty(Object.fromEntries(words));
}

/** `host=localhost password='it\'s' dbname = x` */
function parseKeywords(text: string): ConnectionWords {
  const pair = /\s*([^\s=]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))(?=\s|$)/gsy;
  const words: [string, string][] = [];
  let end = 0;
  for (let match = pair.exec(text); match; match = pair.exec(text)) {
    end = pair.lastIndex;
    const [, word = '', quoted, plain = ''] = match;
    const value = (quoted ?? plain).replace(/\\(.)/gs, '$1');
    if (isKeyword(word)) words.push([word, value]);
    else refuseUnknown(word, { foreign: false });
  }
  if (text.slice(end).trim() !== '') {
    refuse(
      'read the connection string: it is not of the form keyword=value',
      "write it as host=... dbname=..., values with spaces in '...'",
    );
  }
  return withoutEmpty(Object.fromEntries(words));
}

function isKeyword(word: string): word is ConnectionKeyword {
  return (connectionKeywords as readonly string[]).includes(word);
}

/** What cannot be honoured and would change where or how safely we connect is an error. URLs that are shared with an application often
 *  carry options of its library; those are not ours to judge. */
function refuseUnknown(word: string, { foreign }: { foreign: boolean }): void {
  if (withoutEffect.includes(word)) return;
  const weighty = /^(ssl|host|service|target_session_attrs|load_balance|require_auth|requirepeer|min_protocol)/.test(word);
  if (foreign && !weighty) return;
  refuse(
    foreign
      ? 'read the database URL: one of its options is not supported'
      : 'read the connection string: one of its keywords is not supported',
    `these are: ${connectionKeywords.join(', ')}`,
  );
}

function decode(text: string): string {
  try {
    const decoded = decodeURIComponent(text);
    if (!decoded.includes('\0')) return decoded;
  } catch {
    // Said below, without the text that decodeURIComponent was given.
  }
  return refuse('read the database URL: a % in it begins no percent-encoded character', `${uriHint}; % itself is %25`);
}

function withoutEmpty(words: Readonly<Record<string, string>>): ConnectionWords {
  return Object.fromEntries(Object.entries(words).filter(([, value]) => value !== ''));
}

function refuse(message: string, hint: string): never {
  throw new TidemarkError('USAGE', message, { hint });
}
