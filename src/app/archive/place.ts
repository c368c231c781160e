// Where archives lie, so that one can name another by a path from its own directory. Pure, but for links, which are followed. Two places can be related where they are in the
// same file system, the same bucket or behind the same server.
import { realpath } from 'node:fs/promises';
import { posix, resolve, sep } from 'node:path';

export interface Place {
  /** The file system, or which store. */
  readonly root: string;
  /** From there: begins with `/`, and has `/` between its names. */
  readonly path: string;
}

/** @param path of a file whose directory is the real one, without symbolic links */
export function placeOfFile(path: string): Place {
  const absolute = resolve(path);
  return { root: 'file:', path: sep === '/' ? absolute : `/${absolute.split(sep).join('/')}` };
}

/** @param location as the store says */
export function placeInStore(location: string, key: string): Place {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//.exec(location)?.[1];
  if (scheme === undefined || !URL.canParse(location)) {
    return location.startsWith('/') ? placeOfFile(posix.join(location, key)) : { root: location, path: `/${key}` };
  }
  const url = new URL(location);
  const endpoint = url.searchParams.get('endpoint');
  const root = scheme === 's3' ? `s3://${url.hostname}${endpoint === null ? '' : ` at ${endpoint}`}` : url.origin;
  return { root, path: posix.join('/', decodeURIComponent(url.pathname), key) };
}

/** The same, but of a directory the real one. @param location a path of a directory, or as a store says */
export async function placeIn(location: string, key: string): Promise<Place> {
  if (/^[a-z][a-z0-9+.-]+:/.test(location)) return placeInStore(location, key);
  const real = await realpath(location).catch(() => undefined);
  return real === undefined ? placeInStore(location, key) : placeOfFile(`${real}/${key}`);
}

/** How `to` is called from the directory of `from`. Undefined where there is no way. */
export function pathBetween(from: Place, to: Place): string | undefined {
  return from.root === to.root ? posix.relative(posix.dirname(from.path), to.path) : undefined;
}

/** What a path from the directory of `from` leads to. */
export function placeFrom(from: Place, path: string): Place {
  return { root: from.root, path: posix.join(posix.dirname(from.path), path) };
}
