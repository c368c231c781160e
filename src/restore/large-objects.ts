// Large objects on the target: how their pieces get into them, what removes them, and whether their OIDs are free. That they are made, and
// for whom, are steps of the catalog.

import type { CatalogObject, CatalogTable, OidRange } from '../model/catalog.js';
import { TidemarkError } from '../model/errors.js';
import { oidsFrom } from '../pg/oid-ranges.js';
import { quoteIdentifier } from '../pg/quote.js';
import type { Session } from '../pg/session.js';

/** Pieces come by COPY into a temporary table and go from there into the objects, in one statement a chunk: nothing of them passes through
 *  JavaScript, and the server counts them as it counts rows. */
export interface Staging {
  /** Once a session. */
  readonly prepare: readonly string[];
  /** After each chunk. Its first row says how many were `taken`. */
  readonly take: string;
  readonly clear: string;
}

const staging = '"pg_temp"."tidemark_large_objects"';

/** `columns`: OID, offset and bytes of a piece, as the archive calls them. */
export function stageLargeObjects({ columns }: Pick<CatalogTable, 'columns'>): Staging & { readonly table: string } {
  const names = columns.map(({ name }) => quoteIdentifier(name));
  const definitions = columns.map(({ type }, at) => `${names[at]} ${type}`);
  return {
    table: staging,
    prepare: [
      `CREATE TEMPORARY TABLE IF NOT EXISTS ${staging} (${definitions.join(', ')})`,
      // Not compressed: the bytes are here for a moment.
      `ALTER TABLE ${staging} ALTER COLUMN ${names[2]} SET STORAGE EXTERNAL`,
    ],
    // A function whose value nobody wants is called all the same, because it is volatile.
    take: `SELECT count(*) AS taken FROM (SELECT lo_put(${names.join(', ')}) FROM ${staging} OFFSET 0) AS piece`,
    clear: `TRUNCATE TABLE ${staging}`,
  };
}

/** Objects that one DROP of a million would need a lock each for: so many at a time. */
const unlinkBatch = 1000;

/** Removes all that there are, in transactions of their own. */
export async function unlinkAll(session: Session): Promise<void> {
  for (;;) {
    const { unlinked } = await session.one<{ unlinked: string }>(
      `SELECT count(lo_unlink(oid)) AS unlinked FROM (SELECT oid FROM pg_largeobject_metadata ORDER BY oid LIMIT ${unlinkBatch}) AS batch`,
    );
    if (unlinked === '0') return;
  }
}

/** The statement that removes the objects of a group. @param ifExists those that are not there are no error */
export function unlinkSql(oids: readonly OidRange[], { ifExists }: { readonly ifExists: boolean }): string {
  const where = ifExists ? ' WHERE "oid" IN (SELECT m."oid" FROM pg_catalog.pg_largeobject_metadata AS m)' : '';
  return `SELECT pg_catalog.count(pg_catalog.lo_unlink("oid")) FROM ${oidsFrom(oids)}${where}`;
}

/** Groups of large objects that the catalog makes. */
export function largeObjectGroups({
  objects,
}: {
  readonly objects: readonly CatalogObject[];
}): readonly (CatalogObject & { oids: readonly OidRange[] })[] {
  return objects.flatMap((object) => (object.oids === undefined ? [] : [{ ...object, oids: object.oids }]));
}

/** How many OIDs an error names. */
const sample = 5;

/** @throws TidemarkError TARGET_NOT_EMPTY where the target has a large object with one of these OIDs */
export async function refuseTakenOids(session: Session, groups: readonly { readonly oids: readonly OidRange[] }[]): Promise<void> {
  const ranges = groups.flatMap(({ oids }) => oids);
  if (ranges.length === 0) return;
  const rows = await session.query<{ oid: number }>(
    `SELECT m.oid FROM unnest($1::int8[], $2::int8[]) AS run ("first", "last")
      CROSS JOIN LATERAL (SELECT o.oid FROM pg_largeobject_metadata o WHERE o.oid >= run."first"::oid AND o.oid <= run."last"::oid LIMIT ${sample}) AS m
      ORDER BY m.oid LIMIT ${sample}`,
    [ranges.map(([first]) => first), ranges.map(([, last]) => last)],
  );
  if (rows.length === 0) return;
  const oids = rows.map(({ oid }) => oid);
  throw new TidemarkError(
    'TARGET_NOT_EMPTY',
    `restore large objects: the target has some with the same OIDs (${oids.join(', ')}${oids.length === sample ? ', ...' : ''})`,
    { hint: 'replace them with --truncate or --clean, or leave them out with --no-large-objects', details: { oids } },
  );
}
