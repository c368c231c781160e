// The options of commands that work on a store of snapshots: which folder, and which of its snapshots.
import type { Command } from 'commander';
import { TidemarkError } from '../model/errors.js';
import { given } from './given.js';

export interface StoreFlags {
  readonly store?: string;
  readonly prefix?: string;
}

export function addStore(command: Command): Command {
  return command
    .option('--store <folder>', 'folder with the snapshots')
    .option('--prefix <name>', 'what their names begin with: <name>-<height>.tar.zst (default: snapshot)');
}

/** @throws TidemarkError USAGE where no store is named */
export function storeOptions({ store, prefix }: StoreFlags, attempt: string): { readonly store: string; readonly prefix?: string } {
  if (store === undefined) throw new TidemarkError('USAGE', `${attempt}: no store is named`, { hint: 'name the folder with --store' });
  return { store, ...given('prefix', prefix) };
}
