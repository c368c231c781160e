// What names a store: a path, `file:`, `s3://bucket/prefix?...`, `https://`. Pure. A URL may have a password or a token in it, and what is no
// URL may be one: nothing of it is repeated but what is known to be none.
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TidemarkError } from '../model/errors.js';
import { limits } from './s3/parts.js';

export type StoreUrl =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'https'; readonly url: URL }
  | {
      readonly kind: 's3';
      readonly location: string;
      readonly bucket: string;
      readonly prefix: string;
      readonly settings: {
        readonly endpoint?: string;
        readonly region?: string;
        readonly pathStyle?: boolean;
        readonly profile?: string;
        readonly partBytes?: number;
      };
    };

const known = ['endpoint', 'region', 'path-style', 'profile', 'part-size'];
const example =
  's3://bucket/prefix?region=eu-central-1, s3://bucket/prefix?endpoint=https://host, https://host/path, file:///path, or a path';

/** For messages: where it is, without secrets. */
export function locationOf(parsed: StoreUrl): string {
  if (parsed.kind === 'directory') return resolve(parsed.path);
  if (parsed.kind === 's3') return parsed.location;
  return `${parsed.url.origin}${parsed.url.pathname.replace(/\/+$/, '')}`;
}

/** @throws TidemarkError USAGE */
export function parseStoreUrl(text: string): StoreUrl {
  // One letter before a colon is a drive of Windows.
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(text)?.[1]?.toLowerCase();
  if (text === '') throw problem('it is empty');
  if (scheme === undefined) return { kind: 'directory', path: text };
  if (!['file', 's3', 'https', 'http'].includes(scheme)) throw problem('its scheme is none that there is');
  if (!URL.canParse(text)) throw problem(`it is no valid URL of ${scheme}:`);
  const url = new URL(text);
  if (scheme === 'file') return { kind: 'directory', path: filePath(url) };
  if (scheme === 's3') return parseS3(url);
  return { kind: 'https', url };
}

function filePath(url: URL): string {
  try {
    return fileURLToPath(url);
  } catch {
    throw problem('it names no file of this machine', 'file:///path, with three slashes');
  }
}

function parseS3(url: URL): StoreUrl {
  if (url.username !== '' || url.password !== '') {
    throw problem(
      'credentials do not belong in the URL of a store in S3',
      'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile',
    );
  }
  const bucket = url.hostname;
  if (!/^[a-z0-9][a-z0-9._-]{1,62}$/i.test(bucket) || url.port !== '') throw problem('it names no bucket, s3://bucket/prefix', example);
  let prefix: string;
  try {
    prefix = decodeURIComponent(url.pathname).replace(/^\/+|\/+$/g, '');
  } catch {
    throw problem('its path has a "%" that means nothing', 'write %25 for it');
  }
  if (url.hash !== '') throw problem('it has a "#"', 'write %23 for it');
  const given = new Map<string, string>();
  for (const [name, value] of url.searchParams) {
    if (!known.includes(name)) throw problem('it has a parameter that there is not', `there are ${known.join(', ')}`);
    if (given.has(name)) throw problem(`it has ${name} twice`);
    if (value === '') throw problem(`its ${name} is empty`);
    given.set(name, value);
  }
  const endpoint = given.get('endpoint');
  const region = given.get('region');
  const profile = given.get('profile');
  const pathStyle = given.get('path-style');
  const partSize = given.get('part-size');
  if (endpoint !== undefined) checkEndpoint(endpoint);
  if (pathStyle !== undefined && pathStyle !== 'true' && pathStyle !== 'false') throw problem('its path-style is neither true nor false');
  return {
    kind: 's3',
    bucket,
    prefix,
    location: `s3://${bucket}${url.pathname.replace(/\/+$/, '')}${url.search}`,
    settings: {
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(region === undefined ? {} : { region }),
      ...(profile === undefined ? {} : { profile }),
      ...(pathStyle === undefined ? {} : { pathStyle: pathStyle === 'true' }),
      ...(partSize === undefined ? {} : { partBytes: parsePartSize(partSize) }),
    },
  };
}

function checkEndpoint(endpoint: string): void {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol))
    throw problem('its endpoint is no https:// URL', '?endpoint=https://host');
  if (url.username !== '' || url.password !== '' || url.search !== '') throw problem('its endpoint has credentials or parameters');
}

/** `64MiB`, `64M`, or bytes. */
function parsePartSize(text: string): number {
  const match = /^(\d{1,12})(?:(K|M|G)(?:iB)?)?$/i.exec(text);
  const bytes =
    Number(match?.[1]) * { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[(match?.[2] ?? '').toUpperCase() as '' | 'K' | 'M' | 'G'];
  if (bytes >= limits.leastBytes && bytes <= limits.mostBytes) return bytes;
  throw problem('its part-size is not between 5MiB and 5GiB', 'write it like ?part-size=64MiB');
}

function problem(what: string, hint = example): TidemarkError {
  return new TidemarkError('USAGE', `open a store by its URL: ${what}`, { hint });
}
