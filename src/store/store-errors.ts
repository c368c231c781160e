// The errors that all stores have in common, in the same words.
import { TidemarkError } from '../model/errors.js';
import type { PutOptions } from './store.js';

export function missing(location: string, key: string): TidemarkError {
  return new TidemarkError('OBJECT_MISSING', `read ${key} of ${location}: there is no such object`, {
    hint: 'see what the store holds; it may have been removed meanwhile',
    details: { key },
  });
}

export function changed(location: string, key: string): TidemarkError {
  return new TidemarkError('STORE_CONFLICT', `read ${key} of ${location}: it is not the same object any more`, {
    hint: 'it was replaced meanwhile; begin again with the new one',
    details: { key },
  });
}

export function outOfRange(location: string, key: string, bytes: bigint): TidemarkError {
  return new TidemarkError('STORE_ERROR', `read ${key} of ${location}: the range is not within its ${bytes} bytes`, {
    hint: 'it is cut short, or is not what it was taken for',
    details: { key, bytes: String(bytes) },
  });
}

export function cutShort(location: string, key: string, got: bigint, of: bigint | undefined): TidemarkError {
  return new TidemarkError('STORE_ERROR', `read ${key} of ${location}: it ended after ${got}${of === undefined ? '' : ` of ${of}`} bytes`, {
    hint: 'the connection was lost, or the store sends less than it says; try again',
    details: { key, got: String(got) },
  });
}

/** @param exists whether an object of that key was found */
export function writeConflict(location: string, key: string, { ifAbsent }: PutOptions): TidemarkError {
  const found = ifAbsent ? 'there is one already' : 'the one that is there is not the one to be replaced';
  return new TidemarkError('STORE_CONFLICT', `write ${key} of ${location}: ${found}`, {
    hint: 'somebody else has written it; it was left as it is',
    details: { key },
  });
}

/** @throws TidemarkError USAGE */
export function checkConditions({ ifAbsent, ifVersion }: PutOptions): void {
  if (!ifAbsent || ifVersion === undefined) return;
  throw new TidemarkError('USAGE', 'write an object: it cannot both be absent and have a version');
}
