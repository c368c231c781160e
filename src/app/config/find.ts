// Finds the configuration file and reads what it says, whatever it is written in. What that means is for load.ts to judge.
import { basename, extname, resolve } from 'node:path';
import { defaultLoaders, lilconfig } from 'lilconfig';
import { TidemarkError } from '../../model/errors.js';
import { fileError, isSystemError } from '../../model/file-error.js';
import { evaluateModule } from './evaluate-module.js';
import { parseJson } from './parse-json.js';

/** In the order in which they are looked for, in a directory and then in those above it. */
export const searchPlaces = [
  'tidemark.config.json',
  'tidemark.config.mjs',
  'tidemark.config.js',
  'tidemark.config.cjs',
  'tidemark.config.ts',
  'package.json',
];

const modules = ['.mjs', '.js', '.cjs', '.ts', '.mts'];

export interface Found {
  /** Absolute. */
  readonly file: string;
  readonly raw: unknown;
}

/** Reads the file, or the first that there is in the directory or above it.
 *  @throws TidemarkError USAGE where it cannot be understood, FILE_ERROR where it cannot be read */
export async function findConfig({
  file,
  directory,
}: {
  readonly file?: string | undefined;
  readonly directory: string;
}): Promise<Found | undefined> {
  const reading = { path: file === undefined ? undefined : resolve(directory, file) };
  const load = async (path: string, content: string): Promise<unknown> => {
    reading.path = path;
    if (modules.includes(extname(path))) return await evaluateModule(path);
    return basename(path) === 'package.json' ? readPackage(content) : parseJson(content);
  };
  const loaders = Object.fromEntries(['.json', 'noExt', ...modules].map((kind) => [kind, load]));
  const explorer = lilconfig('tidemark', {
    searchPlaces,
    stopDir: '/',
    cache: false,
    ignoreEmptySearchPlaces: false,
    loaders: { ...defaultLoaders, ...loaders },
  });
  try {
    if (reading.path !== undefined) refuseOthers(reading.path);
    const result = await (reading.path === undefined ? explorer.search(directory) : explorer.load(reading.path));
    if (!result) return undefined;
    reading.path = result.filepath;
    if (result.isEmpty) throw new TidemarkError('USAGE', 'the file is empty');
    if (basename(result.filepath) === 'package.json' && result.config === null)
      throw new TidemarkError('USAGE', 'it has no key "tidemark"');
    return { file: result.filepath, raw: result.config };
  } catch (error) {
    throw readError(error, reading.path ?? directory);
  }
}

function refuseOthers(path: string): void {
  const extension = extname(path);
  if (extension === '' || extension === '.json' || modules.includes(extension)) return;
  throw new TidemarkError('USAGE', `a configuration is written in JSON or JavaScript: ${['.json', ...modules].join(', ')}`);
}

/** npm is less strict than we are; only where it could not read it either, the line is looked for. */
function readPackage(content: string): unknown {
  try {
    return JSON.parse(content.replace(/^\uFEFF/, ''));
  } catch {
    return parseJson(content);
  }
}

function readError(error: unknown, path: string): TidemarkError {
  const attempt = `read configuration ${path}`;
  if (isSystemError(error)) {
    if (error.code !== 'ENOENT') return fileError(error, attempt);
    return new TidemarkError('FILE_ERROR', `${attempt}: there is no such file`, { hint: 'check the path', cause: error });
  }
  const { message, hint } = error as TidemarkError;
  return new TidemarkError('USAGE', `${attempt}: ${message}`, {
    hint: hint ?? 'docs/config.md has every key and an example',
    cause: error,
  });
}
