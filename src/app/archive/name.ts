// What somebody calls an archive: a path, or a URL of a file, of an object in a store, or of a store whose newest one is meant. Pure. A URL
// may have a password or a token in it: `shown` is what of it may be printed, stored and sent, and errors repeat nothing.
import { fileURLToPath } from 'node:url';
import { TidemarkError } from '../../model/errors.js';

export type ArchiveName =
  /** A path; a directory stands for the newest archive in it. */
  | { readonly kind: 'path'; readonly path: string; readonly shown: string }
  | {
      readonly kind: 'object';
      /** URL of the store, with what the name has of secrets. */
      readonly store: string;
      readonly key: string;
      readonly shown: string;
    }
  | { readonly kind: 'store'; readonly store: string; readonly shown: string };

const examples =
  's3://bucket/path/x.tar.zst?endpoint=https://host, https://host/path/x.tar.zst, file:///path/x.tar.zst, a path, or a store of these kinds';

/** What ends so is an archive; any other URL is a store. */
const archiveEnding = /\.tar\.zst(\.age)?$/;

export function isArchiveName(text: string): boolean {
  return archiveEnding.test(text);
}

/** @throws TidemarkError USAGE, which repeats nothing of the text */
export function parseArchiveName(text: string): ArchiveName {
  if (text === '') throw problem('it is empty');
  // A colon may be that of a drive of Windows, or of a time.
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined || !knownOrUrl(text, scheme)) return { kind: 'path', path: text, shown: text };
  if (!['file', 's3', 'https', 'http'].includes(scheme)) throw problem('its scheme is none that there is');
  if (!URL.canParse(text)) throw problem(`it is no valid URL of ${scheme}:`);
  const url = new URL(text);
  if (scheme === 'file') {
    const path = filePath(url);
    return { kind: 'path', path, shown: path };
  }
  if (scheme === 's3' && (url.username !== '' || url.password !== '')) {
    throw problem('credentials do not belong in the URL of S3', 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile');
  }
  if (url.hash !== '' || text.includes('#')) throw problem('it has a "#"', 'write %23 for it');
  const shown = shownUrl(url);
  const key = archiveKey(url);
  if (key === undefined) return { kind: 'store', store: url.href, shown };
  url.pathname = url.pathname.slice(0, url.pathname.lastIndexOf('/'));
  return { kind: 'object', store: url.href, key, shown };
}

/** A path may have a colon: `backup:1.tar.zst` is one, `s3:bucket` and `ftp://host/x` are not. */
function knownOrUrl(text: string, scheme: string): boolean {
  return ['file', 's3', 'https', 'http'].includes(scheme) || text.startsWith('//', scheme.length + 1);
}

function filePath(url: URL): string {
  try {
    return fileURLToPath(url);
  } catch {
    throw problem('it names no file of this machine', 'file:///path, with three slashes');
  }
}

/** The last name of its path, where that is an archive's. */
function archiveKey(url: URL): string | undefined {
  let name: string;
  try {
    name = decodeURIComponent(url.pathname.slice(url.pathname.lastIndexOf('/') + 1));
  } catch {
    throw problem('its path has a "%" that means nothing', 'write %25 for it');
  }
  if (!isArchiveName(name)) return undefined;
  if (name.includes('/')) throw problem('the name of the archive has a "/" in it');
  return name;
}

/** Without user, password and, but for S3, where it says where the store is, parameters. */
function shownUrl(url: URL): string {
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  if (url.protocol !== 's3:') shown.search = '';
  return shown.href;
}

function problem(what: string, hint = examples): TidemarkError {
  return new TidemarkError('USAGE', `open an archive by its name: ${what}`, { hint });
}
