// Quoting for SQL text. Identifiers are always quoted, so no keyword list is needed and a dump stays loadable when a later server
// reserves another word; literals rely on standard_conforming_strings = on, which every session of ours sets.
import { TidemarkError } from '../model/errors.js';

function refuseNul(text: string): void {
  if (text.includes('\0')) throw new TidemarkError('INTERNAL', 'quote an SQL name or literal: it holds a NUL character');
}

/** `a"b` -> `"a""b"` */
export function quoteIdentifier(name: string): string {
  refuseNul(name);
  return `"${name.includes('"') ? name.replaceAll('"', '""') : name}"`;
}

/** `it's` -> `'it''s'`. Backslashes stand for themselves (standard_conforming_strings). */
export function quoteLiteral(text: string): string {
  refuseNul(text);
  return `'${text.replaceAll("'", "''")}'`;
}

/** `"schema"."name"`, or `"name"` where there is no schema. */
export function qualifiedName(schema: string | null | undefined, name: string): string {
  return schema == null ? quoteIdentifier(name) : `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}
