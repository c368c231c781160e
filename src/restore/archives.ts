// The archives that the rows of one restore come from: the one that is restored, and behind it those that it refers to.
import type { Seekable } from '../frame/seekable.js';
import { TidemarkError } from '../model/errors.js';

/** Undefined in place of those that nothing is wanted of. */
export type Archives = readonly (Seekable | undefined)[];

/** Which of them has the chunks of a table. */
export function archiveIndex(table: { readonly in?: number }): number {
  return table.in === undefined ? 0 : table.in + 1;
}

export function archiveOf<Bytes extends Seekable>(archives: readonly (Bytes | undefined)[], index: number): Bytes {
  const bytes = archives[index];
  if (bytes === undefined) throw new TidemarkError('INTERNAL', `restore rows: archive ${index} is not open`);
  return bytes;
}
