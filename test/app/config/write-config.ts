// Configurations for tests: written into a directory of their own, and loaded with an environment that has nothing of the machine's.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { LoadedConfig } from '#dist/app/config/config.js';
import { loadConfig } from '#dist/app/config/load.js';
import { TidemarkError } from '#dist/model/errors.js';
import { temporaryDirectory } from '../../temporary-directory.js';

export type Env = Readonly<Record<string, string>>;

export const bare: Env = { HOME: '/nonexistent', PGUSER: 'nobody' };

/** The least that is right. */
export const least = { rules: [{ by: 'time', every: '1h' }], retention: { last: 2 } } as const;

export interface Loaded {
  readonly config: LoadedConfig;
  readonly directory: string;
}

/** Loads what a file of this content says. */
export async function load(
  content: unknown,
  { env = {}, name = 'tidemark.config.json' }: { env?: Env; name?: string } = {},
): Promise<Loaded> {
  await using place = await temporaryDirectory();
  const file = join(place.path, name);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return { config: await loadConfig({ directory: dirname(file), env: { ...bare, ...env } }), directory: dirname(file) };
}

/** What is wrong with a file of this content: `key: message`, one each. */
export async function problemsOf(content: unknown, options: { env?: Env; name?: string } = {}): Promise<string[]> {
  const error = await refused(content, options);
  const { problems } = error.details as { problems?: { key: string; message: string; variable?: string }[] };
  return (problems ?? []).map(({ key, message, variable }) => `${variable ?? key}: ${message}`);
}

export async function refused(content: unknown, options: { env?: Env; name?: string } = {}): Promise<TidemarkError> {
  try {
    await load(content, options);
  } catch (error) {
    if (error instanceof TidemarkError) return error;
    throw error;
  }
  throw new Error('the configuration was taken');
}
