// Which store a command is about: what the options say, and for the rest the configuration file.
import { type Command, Option } from 'commander';
import type { LoadedConfig } from '../app/config/config.js';
import { type LayoutName, layoutNames } from '../app/repository/layout.js';
import { TidemarkError } from '../model/errors.js';
import { given } from './given.js';

export interface PlaceFlags {
  readonly store?: string;
  readonly prefix?: string;
  readonly layout?: LayoutName;
}

export interface StoreFlags extends PlaceFlags {
  readonly config?: string;
  readonly json?: true;
}

export interface Place {
  readonly store: string;
  readonly prefix?: string;
  readonly layout?: LayoutName;
}

export interface ChosenStore extends Place {
  /** Absent where the options name the store, and no file. */
  readonly config?: LoadedConfig;
}

/** Options that say where snapshots are, and how they are named. */
export function addPlace(command: Command, { byConfig }: { readonly byConfig: boolean }): Command {
  const or = byConfig ? "the configuration's, or " : '';
  return command
    .option('--store <where>', `directory, s3://bucket/prefix, or https:// to read${byConfig ? " (default: the configuration's)" : ''}`)
    .option('--prefix <name>', `what the names of the snapshots begin with (default: ${or}snapshot)`)
    .addOption(
      new Option('--layout <layout>', `<prefix>-<height>.tar.zst, or <prefix>/<date>/snapshot.tar.zst (default: ${or}flat)`).choices(
        layoutNames,
      ),
    );
}

export function addStore(command: Command): Command {
  return addPlace(command, { byConfig: true })
    .option('-c, --config <file>', 'configuration file (default, without --store: TIDEMARK_CONFIG, then tidemark.config.* here or above)')
    .option('--json', 'the result on standard output as JSON');
}

export function placeOf({ store, prefix, layout }: PlaceFlags & { readonly store: string }): Place {
  return { store, ...given('prefix', prefix), ...given('layout', layout) };
}

/** @throws TidemarkError USAGE, FILE_ERROR */
export async function chooseStore({ store, prefix, layout, config: file }: StoreFlags): Promise<ChosenStore> {
  if (store !== undefined && file === undefined) return placeOf({ store, ...given('prefix', prefix), ...given('layout', layout) });
  const { loadConfig } = await import('../app/config/load.js');
  const config = await loadConfig({ file });
  return { store: store ?? config.store, prefix: prefix ?? config.prefix, layout: layout ?? config.layout, config };
}

/** For commands that have no configuration. @throws TidemarkError USAGE where no store is named */
export function namedStore<Flags extends PlaceFlags>(attempt: string, flags: Flags): Flags & { readonly store: string } {
  const { store } = flags;
  if (store !== undefined) return { ...flags, store };
  throw new TidemarkError('USAGE', `${attempt}: it is not said into which store`, { hint: 'name one with --store' });
}
