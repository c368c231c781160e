// Names of the members of an archive: made from numbers and a slug of safe ASCII, never from raw identifiers, so that unpacking an
// archive of a hostile database writes nowhere else. The manifest maps names to tables; nothing is ever parsed back out of a slug.
import type { CopyFormat } from '../model/catalog.js';

export const catalogMember = 'schema/catalog.json';
export const preDataMember = 'schema/pre-data.sql';
export const postDataMember = 'schema/post-data.sql';
export const manifestMember = 'manifest.json';

/** The longest slug, in characters: name and directory stay far below the 100 bytes of a tar header. */
const slugLength = 40;

function safe(identifier: string): string {
  return identifier
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '-')
    .replace(/^-+|-+$/g, '');
}

/** A readable hint at a table's name: `public.events`. Not unique, not reversible; `table` where nothing readable is left. */
export function slug(schema: string, name: string): string {
  const joined = [safe(schema), safe(name)].filter((part) => part !== '').join('.');
  return joined.slice(0, slugLength).replace(/[-.]+$/, '') || 'table';
}

/** `data/000123-public.events/000001.copy`. Both numbers have six digits, or more where they need them. */
export function chunkMember(
  table: { readonly object: number; readonly schema: string; readonly name: string; readonly format: CopyFormat },
  chunk: number,
): string {
  const digits = (value: number): string => String(value).padStart(6, '0');
  const extension = table.format === 'binary' ? 'bin' : 'copy';
  return `data/${digits(table.object)}-${slug(table.schema, table.name)}/${digits(chunk)}.${extension}`;
}
