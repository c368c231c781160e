// Where on this machine a pulled archive is to lie, and those that it refers to: their paths lead from it as they do where it comes from, and
// nothing lies outside of the directory that was named. Pure, but for a look whether that is one.
import { stat } from 'node:fs/promises';
import { dirname, join, posix, resolve } from 'node:path';
import { TidemarkError } from '../../model/errors.js';
import { printable } from '../../model/printable.js';
import { parseArchiveName } from './name.js';
import type { Place } from './place.js';

/** What was named: a directory, or the file itself. */
export interface PullPlace {
  readonly directory: string;
  /** Path of the archive; undefined where it gets the name that it has. */
  readonly file?: string;
}

export interface PullTargets {
  readonly file: string;
  /** Of each that it refers to. */
  readonly others: readonly string[];
}

/** @throws TidemarkError USAGE for what is no path */
export async function pullPlaceOf(output: string | undefined): Promise<PullPlace> {
  if (output === undefined) return { directory: '' };
  const parsed = parseArchiveName(output);
  if (parsed.kind !== 'path') {
    throw new TidemarkError('USAGE', 'pull: the output is no path of this machine', {
      hint: 'give a file or a directory; `push` writes to stores',
    });
  }
  const { path } = parsed;
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() || path.endsWith('/') ? { directory: path } : { directory: dirname(path), file: path };
}

/** Folders are made in it, and not the directory itself. @throws TidemarkError FILE_ERROR */
export async function checkDirectory({ directory }: PullPlace): Promise<void> {
  const path = directory || '.';
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return;
  throw new TidemarkError('FILE_ERROR', `pull into ${path}: there is no such directory`, { hint: 'make it first, or name another one' });
}

/** Where `../` leads out of the folder of the archive, that folder, with as many above it, is made in the directory, too.
 *  @param archive its name, where it lies, and the paths by which it refers to others
 *  @throws TidemarkError USAGE where one of them would lie outside of the directory, or in the place of another */
export function targetsOf(
  { directory, file }: PullPlace,
  { name, place, others }: { readonly name: string; readonly place: Place; readonly others: readonly string[] },
): PullTargets {
  const up = Math.max(0, ...others.map((other) => other.split('/').filter((part) => part === '..').length));
  const folders = up === 0 ? [] : posix.dirname(place.path).split('/').filter(Boolean).slice(-up);
  if (up > 0 && (file !== undefined || folders.length < up)) {
    throw new TidemarkError('USAGE', `pull ${printable(name)} as ${file ?? name}: it refers to archives outside of the directory of that`, {
      hint: 'give a directory: it and those that it refers to get their folders there; or bring it alone with --no-base',
    });
  }
  const folder = join(directory, ...folders);
  const targets = { file: file ?? join(folder, name), others: others.map((other) => join(folder, other)) };
  const taken = new Set([resolve(targets.file)]);
  for (const [at, other] of targets.others.entries()) {
    if (taken.has(resolve(other))) {
      throw new TidemarkError(
        'USAGE',
        `pull ${printable(name)} as ${targets.file}: ${printable(others[at] ?? '')}, which it refers to, has to lie there`,
        {
          hint: 'give it another name, or bring it alone with --no-base',
        },
      );
    }
    taken.add(resolve(other));
  }
  return targets;
}
