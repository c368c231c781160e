// Tells secrets from what may be written into an archive: options of user mappings, keywords of connection strings. Pure. What it cannot
// judge counts as secret.
import type { GenericOptions } from './generic-options.js';

/** Options of user mappings that say who somebody is and how, or where a file lies. Wrappers are free to invent options, so everything
 *  else may be a password, a key or a token. */
const harmless: ReadonlySet<string> = new Set([
  'user',
  'username',
  'user_name',
  'password_required',
  'passfile',
  'sslcert',
  'sslkey',
  'use_scram_passthrough',
  'gssdelegation',
]);

export interface Separated<Part> {
  readonly open: Part;
  /** Names of what is left out. */
  readonly secrets: readonly string[];
}

/** The options of a user mapping without its secrets. */
export function separateOptions(options: GenericOptions): Separated<GenericOptions> {
  return {
    open: options.filter(([name]) => harmless.has(name)),
    secrets: options.flatMap(([name]) => (harmless.has(name) ? [] : [name])),
  };
}

/** libpq's password, sslpassword, scram_client_key, scram_server_key, oauth_client_secret, and what may come to be called like these.
 *  passfile, sslkey and sslkeylogfile are names of files. */
const secretKeyword = /pass(word|wd|phrase)?$|secret|token|^scram_\w*key$/i;

/** A connection string as libpq takes it, without its passwords; undefined where it cannot be told for sure where they are.
 *  https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING */
export function separateConninfo(text: string): Separated<string> | undefined {
  return /^postgres(?:ql)?:\/\//.test(text) ? separateUri(text) : separateKeywords(text);
}

function separateKeywords(text: string): Separated<string> | undefined {
  const pair = /\s*([^\s=]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))(?=\s|$)/gsy;
  const open: string[] = [];
  const secrets: string[] = [];
  let end = 0;
  for (let match = pair.exec(text); match; match = pair.exec(text)) {
    end = pair.lastIndex;
    const [whole, name = '', quoted, plain = ''] = match;
    if (secretKeyword.test(name)) secrets.push(name);
    // A whole connection string inside of another one.
    else if (/:\/\/|=.*pass/is.test(quoted ?? plain)) return undefined;
    else open.push(whole.trim());
  }
  if (text.slice(end).trim() !== '') return undefined;
  return secrets.length === 0 ? { open: text, secrets } : { open: open.join(' '), secrets };
}

/** libpq looks for the @ after the user up to the first slash, and for the password after the first colon before it. */
function separateUri(text: string): Separated<string> | undefined {
  const match =
    /^(?<scheme>[a-z]+:\/\/)(?:(?<user>[^/@:]*)(?<password>:[^/@]*)?@)?(?<hosts>[^/?]*)(?<path>[^?]*)(?:\?(?<query>.*))?$/s.exec(text);
  const { scheme = '', user, password, hosts = '', path = '', query } = match?.groups ?? {};
  // With an @ or / in it that is not percent-encoded, (a part of) a password passes for something else.
  if (!match || `${hosts}${path}`.includes('@') || !isHostList(hosts)) return undefined;
  const secrets = password === undefined || password === ':' ? [] : ['password'];
  const kept: string[] = [];
  for (const pair of query === undefined ? [] : query.split('&')) {
    const name = pair.slice(0, pair.indexOf('='));
    if (!/^\w+$/.test(name)) return undefined;
    if (secretKeyword.test(name)) secrets.push(name);
    else kept.push(pair);
  }
  if (secrets.length === 0) return { open: text, secrets };
  const who = user === undefined ? '' : `${user}@`;
  return { open: `${scheme}${who}${hosts}${path}${kept.length === 0 ? '' : `?${kept.join('&')}`}`, secrets };
}

function isHostList(hosts: string): boolean {
  return hosts.split(',').every((host) => /^(\[[^\]]*\]|[^:]*)(:\d*)?$/.test(host));
}
