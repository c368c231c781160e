// Names of the members of an archive: made from numbers and a slug of safe ASCII, never from raw identifiers, so that unpacking an
// archive of a hostile database writes nowhere else. The manifest maps names to tables; nothing is ever parsed back out of a slug.
import type { CopyFormat } from '../model/catalog.js';

export const catalogMember = 'schema/catalog.json';
export const globalsMember = 'schema/globals.sql';
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

/** `data/16403-public.events`: the directory of a table's members, by the OID that the table has in its source. */
export function tableDirectory({ oid, schema, name }: { readonly oid: number; readonly schema: string; readonly name: string }): string {
  return `data/${oid}-${slug(schema, name)}`;
}

/** Where the pieces of large objects are. No table's directory is called so. */
export const largeObjectDirectory = 'data/largeobjects';

/** Where the planner's statistics are. */
export const statisticsDirectory = 'data/statistics';

/** The range of large objects from this OID on, or the part of one with this number: `0000016384`, `0000016403.00002`. By OID, so that the
 *  same objects have the same names in another archive. */
export function largeObjectRange(oid: number, part?: number): string {
  return `${String(oid).padStart(10, '0')}${part === undefined ? '' : `.${String(part).padStart(5, '0')}`}`;
}

/** `data/16403-public.events/00002-00011.copy`: chunk 11 of the table's range 2. Five digits, or more where they are needed. */
export function chunkMember(
  { directory, format }: { readonly directory: string; readonly format: CopyFormat },
  range: number | string,
  chunk: number,
): string {
  const digits = (value: number | string): string => String(value).padStart(5, '0');
  return `${directory}/${digits(range)}-${digits(chunk)}.${format === 'binary' ? 'bin' : 'copy'}`;
}
