// Which store a command is about: what the options say, and for the rest the configuration file.
import type { Command } from 'commander';
import type { LoadedConfig } from '../app/config/config.js';
import { given } from './given.js';

export interface StoreFlags {
  readonly store?: string;
  readonly prefix?: string;
  readonly config?: string;
  readonly json?: true;
}

export interface ChosenStore {
  readonly store: string;
  readonly prefix?: string;
  /** Absent where the options name the store, and no file. */
  readonly config?: LoadedConfig;
}

export function addStore(command: Command): Command {
  return command
    .option('--store <directory>', "directory of the snapshots (default: the configuration's)")
    .option('--prefix <name>', "what their names begin with (default: the configuration's, or snapshot)")
    .option('-c, --config <file>', 'configuration file (default, without --store: TIDEMARK_CONFIG, then tidemark.config.* here or above)')
    .option('--json', 'the result on standard output as JSON');
}

/** @throws TidemarkError USAGE, FILE_ERROR */
export async function chooseStore({ store, prefix, config: file }: StoreFlags): Promise<ChosenStore> {
  if (store !== undefined && file === undefined) return { store, ...given('prefix', prefix) };
  const { loadConfig } = await import('../app/config/load.js');
  const config = await loadConfig({ file });
  return { store: store ?? config.store, prefix: prefix ?? config.prefix, config };
}
