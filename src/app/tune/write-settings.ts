// Puts settings into a configuration that is written in JSON, and leaves all else in it as it is. The file is replaced as a whole: whoever reads
// it meanwhile sees the old one or the new one.
import { randomUUID } from 'node:crypto';
import { access, constants, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { TidemarkError } from '../../model/errors.js';
import { fileError, isSystemError } from '../../model/file-error.js';
import { refuseSpecial } from '../../store/publish-file.js';
import { syncDirectory } from '../../store/sync-directory.js';
import { writeDurably } from '../../store/temporary-file.js';
import { parseJson } from '../config/parse-json.js';
import { keysOf } from './spell.js';
import type { Settings } from './trials.js';

export interface SettingsFile {
  /** Absolute. */
  readonly path: string;
  write(settings: Settings): Promise<void>;
}

const attempt = (path: string): string => `write the settings into ${path}`;

/** Reads the file, and says whether settings can be put into it.
 *  @throws TidemarkError USAGE where it is no JSON, FILE_ERROR where it can be neither read nor made */
export async function openSettingsFile(file: string): Promise<SettingsFile> {
  const path = resolve(file);
  refuseModules(path);
  await checkWritable(path);
  const isPackage = basename(path) === 'package.json';
  const before = await readExisting(path);
  // The same that is done at the end, to find out now what is wrong.
  withSettings(before, {}, { path, isPackage });
  return {
    path,
    async write(settings) {
      // As it is now: trials take a minute.
      await replaceFile(path, withSettings(await readExisting(path), keysOf(settings), { path, isPackage }));
    },
  };
}

function refuseModules(path: string): void {
  if (extname(path) === '.json') return;
  throw new TidemarkError('USAGE', `${attempt(path)}: only a configuration in JSON (.json) can be written`, {
    hint: 'run it without --write, and put the jobs, compressLevel, copyFormat and chunkSize that it prints under the key snapshot by hand',
  });
}

async function readExisting(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return undefined;
    throw fileError(error, attempt(path));
  }
}

/** The text of a configuration with these keys in its section `snapshot`; all other keys, and the indentation, stay.
 *  @param text undefined: there is none yet
 *  @throws TidemarkError USAGE where it is no configuration */
export function withSettings(
  text: string | undefined,
  keys: Readonly<Record<string, unknown>>,
  { path, isPackage }: { readonly path: string; readonly isPackage: boolean },
): string {
  const whole = text === undefined ? {} : objectAt(read(text, path), { path, what: 'the file' });
  if (isPackage && whole.tidemark === undefined) throw refusal(path, 'it has no key "tidemark"');
  const config = isPackage ? objectAt(whole.tidemark, { path, what: 'its key tidemark' }) : whole;
  const snapshot = config.snapshot === undefined ? {} : objectAt(config.snapshot, { path, what: 'its key snapshot' });
  const changed = { ...config, snapshot: { ...snapshot, ...keys } };
  const result = JSON.stringify(isPackage ? { ...whole, tidemark: changed } : changed, null, indentOf(text));
  return text === undefined || /\n\s*$/.test(text) ? `${result}\n` : result;
}

function read(text: string, path: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw refusal(path, (error as Error).message, error);
  }
}

type Keys = Readonly<Record<string, unknown>>;

function objectAt(value: unknown, { path, what }: { readonly path: string; readonly what: string }): Keys {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Keys;
  throw refusal(path, `${what} must be an object`);
}

function refusal(path: string, why: string, cause?: unknown): TidemarkError {
  return new TidemarkError('USAGE', `${attempt(path)}: ${why}`, { hint: 'docs/config.md has every key and an example', cause });
}

/** That of the first line that has one. */
function indentOf(text: string | undefined): string {
  return /\n([ \t]+)"/.exec(text ?? '')?.[1] ?? '  ';
}

/** Says now what would fail later. @throws TidemarkError FILE_ERROR */
export async function checkWritable(path: string): Promise<void> {
  await refuseSpecial(path);
  await access(dirname(resolve(path)), constants.W_OK).catch((error: unknown) => {
    throw fileError(error, `write ${path}`);
  });
}

/** Writes a file whole, or leaves what was there. A link goes on to point to it, and its permissions stay.
 *  @throws TidemarkError FILE_ERROR, DISK_FULL */
export async function replaceFile(path: string, content: string): Promise<void> {
  const target = await realpath(path).catch(() => resolve(path));
  const temporary = join(dirname(target), `.${basename(target)}.${randomUUID()}`);
  try {
    const mode = await stat(target).then(
      (found) => found.mode & 0o777,
      () => undefined,
    );
    await writeDurably(temporary, content, mode ?? 0o666);
    await rename(temporary, target);
    await syncDirectory(dirname(target));
  } catch (error) {
    await rm(temporary, { force: true });
    throw fileError(error, `write ${path}`);
  }
}
