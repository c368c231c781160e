// What somebody calls the place of an export: a folder of this machine, or a store. Pure.
import { fileURLToPath } from 'node:url';
import { TidemarkError } from '../../model/errors.js';

export type ExportPlace = { readonly kind: 'folder'; readonly path: string } | { readonly kind: 'store'; readonly store: string };

/** `s3://bucket/prefix?...`, `https://host/path`, `file:///path`; all else is a path. @throws TidemarkError USAGE */
export function exportPlace(name: string): ExportPlace {
  const scheme = /^(file|s3|https?):/i.exec(name)?.[1]?.toLowerCase();
  if (scheme === undefined) return { kind: 'folder', path: name };
  if (scheme !== 'file') return { kind: 'store', store: name };
  try {
    return { kind: 'folder', path: fileURLToPath(name) };
  } catch {
    throw new TidemarkError('USAGE', 'name the place of an export: the file: URL names no file of this machine', {
      hint: 'write file:///path, with three slashes',
    });
  }
}
