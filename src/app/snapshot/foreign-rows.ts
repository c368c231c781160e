// Rows of foreign tables: they lie on other servers and are taken along only for the servers that --include-foreign-data names. What
// stays there is said, one line a server.
import type { Catalog, CatalogObject } from '../../model/catalog.js';
import { TidemarkError } from '../../model/errors.js';
import type { LeftOut } from '../../model/manifest.js';
import type { Session } from '../../pg/session.js';
import { type Key, key } from '../../schema/kind.js';
import type { Pattern } from '../../selection/pattern.js';

interface Row extends Record<string, unknown> {
  readonly srvname: string;
  /** Null: a server without tables. */
  readonly oid: number | null;
}

const query = `SELECT s.srvname, f.ftrelid AS oid FROM pg_foreign_server s LEFT JOIN pg_foreign_table f ON f.ftserver = s.oid ORDER BY 1, 2`;

export interface ForeignRows {
  /** The catalog that is taken along, and the ids of all objects by their keys in the catalog before it was cut. */
  readonly chosen: Catalog;
  readonly objects: readonly CatalogObject[];
  readonly ids: ReadonlyMap<Key, number>;
  readonly patterns: readonly Pattern[];
}

/** The foreign tables among the chosen objects whose rows stay away, counted by server.
 *  @throws TidemarkError PATTERN_UNMATCHED for a pattern that no server matches */
export async function foreignRowsLeftOut(session: Session, { chosen, objects, ids, patterns }: ForeignRows): Promise<readonly LeftOut[]> {
  const rows = await session.query<Row>(query);
  for (const { text, name } of patterns) {
    if (rows.some(({ srvname }) => name.test(srvname))) continue;
    throw new TidemarkError('PATTERN_UNMATCHED', `select foreign servers by the pattern ${text}: there is no such server`, {
      hint: 'letters outside of double quotes are folded to lower case; in a shell, quote the pattern: \'"Name"\'',
      details: { pattern: text, what: 'server' },
    });
  }
  const without = new Set(chosen.objects.filter(({ kind }) => kind === 'foreign table').map(nameOf));
  for (const table of chosen.tables) without.delete(nameOf(table));
  const counts = new Map<string, number>();
  for (const { srvname, oid } of rows) {
    const object = oid === null ? undefined : objects[ids.get(key('pg_class', oid)) ?? -1];
    if (object !== undefined && without.has(nameOf(object))) counts.set(srvname, (counts.get(srvname) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => ({
    kind: 'foreign data',
    name,
    reason: `the rows of ${count === 1 ? 'its foreign table' : `its ${count} foreign tables`} stay on that server: --include-foreign-data takes them along`,
  }));
}

function nameOf({ schema, name }: { readonly schema?: string; readonly name: string }): string {
  return JSON.stringify([schema, name]);
}
