// Whether a restored database is what its archive says: rows counted one by one against the manifest, and definitions read from its catalogs
// against those of the archive.
import type { Catalog, Section, Step } from '../../model/catalog.js';
import { isTable } from '../../model/catalog.js';
import type { Manifest } from '../../model/manifest.js';
import { qualifiedName } from '../../pg/quote.js';
import { openSession, type Session } from '../../pg/session.js';
import type { ConnectionSettings } from '../../pg/settings.js';
import { loadTarget } from '../../restore/plan.js';
import { introspect, readServer } from '../../schema/introspect.js';
import { type Omission, omit } from '../../selection/omit.js';
import { sectionsOf } from '../../selection/sections.js';

export interface Comparison {
  readonly connection: ConnectionSettings;
  readonly manifest: Manifest;
  /** The catalog as it was restored: without what was left out. */
  readonly catalog: Catalog;
  /** What was left out of it. */
  readonly omissions: ReadonlySet<Omission>;
  readonly signal: AbortSignal;
}

export interface Compared {
  readonly tables: number;
  readonly rows: bigint;
  /** False where the server is of another major version, which words definitions in its own way. */
  readonly definitions: boolean;
  /** What differs, one sentence each. */
  readonly differences: readonly string[];
}

/** Reads; changes nothing. */
export async function compareRestored({ connection, manifest, catalog, omissions, signal }: Comparison): Promise<Compared> {
  const options = { use: 'read', encoding: catalog.textEncoding, applicationName: 'tidemark drill', signal } as const;
  await using session = await openSession(connection, options);
  const major = (version: number): number => Math.floor(version / 10_000);
  const comparable = major(session.version) === major(manifest.source.serverVersion);
  const counted = await countRows(session, { manifest, catalog });
  const sections = sectionsOf(manifest.settings.sections);
  const steps = comparable ? compareSteps(catalog.steps, await readSteps(session, omissions), { sections, catalog }) : [];
  return { ...counted, definitions: comparable, differences: [...counted.differences, ...steps] };
}

/** Tables that one statement counts. */
const countedAtOnce = 50;

interface Counting {
  readonly text: string;
  readonly what: string;
  expected: bigint;
}

async function countRows(
  session: Session,
  { manifest, catalog }: Pick<Comparison, 'manifest' | 'catalog'>,
): Promise<Omit<Compared, 'definitions'>> {
  const entries = new Map(manifest.tables.map((entry) => [entry.directory, entry]));
  const byTarget = new Map<string, Counting>();
  for (const table of catalog.tables) {
    if (!isTable(table) || table.withoutData !== undefined) continue;
    // Rows that were loaded through a partitioned table are counted there: which partition has them may differ.
    const { schema, name } = loadTarget(catalog, table);
    const only = table.loadInto === undefined ? 'ONLY ' : '';
    const text = `SELECT count(*)::text AS rows FROM ${only}${qualifiedName(schema, name)} ${table.extensionCondition ?? ''}`.trimEnd();
    const counting = byTarget.get(text) ?? { text, what: `table ${schema}.${name}`, expected: 0n };
    counting.expected += entries.get(table.directory)?.rows ?? 0n;
    byTarget.set(text, counting);
  }
  const all = [...byTarget.values()];
  const differences: string[] = [];
  let rows = 0n;
  for (let at = 0; at < all.length; at += countedAtOnce) {
    const some = all.slice(at, at + countedAtOnce);
    const counts = await session.query<{ place: number; rows: string }>(
      some.map(({ text }, place) => `SELECT ${place} AS place, rows FROM (${text}) AS counted`).join(' UNION ALL '),
    );
    for (const { place, rows: text } of counts) {
      const { what, expected } = some[place] as Counting;
      rows += BigInt(text);
      if (BigInt(text) !== expected) differences.push(`${what} has ${text} rows, and ${expected} in the manifest`);
    }
  }
  const { objects } = await session.one<{ objects: string }>('SELECT count(*)::text AS objects FROM pg_largeobject_metadata');
  const expected = catalog.objects.flatMap(({ oids = [] }) => oids).reduce((sum, [first, last]) => sum + last - first + 1, 0);
  if (Number(objects) !== expected) differences.push(`there are ${objects} large objects, and ${expected} in the archive`);
  return { tables: all.length, rows, differences };
}

async function readSteps(session: Session, omissions: ReadonlySet<Omission>): Promise<Pick<Catalog, 'steps' | 'objects'>> {
  await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const server = { ...(await readServer(session)), secrets: true };
  const { objects, steps } = await introspect(session, { server, skipUnsupported: true });
  await session.query('COMMIT');
  return omit({ objects, steps, tables: [] }, omissions);
}

/** Large objects are put into groups by owner and privileges, which are not restored: they are counted instead. */
const counted = /^large objects?$/;

/** As sets: an order may be another one where functions call each other. A materialized view that reads foreign tables may be unfilled. */
function compareSteps(
  expected: readonly Step[],
  found: Pick<Catalog, 'steps' | 'objects'>,
  { sections, catalog }: { readonly sections: ReadonlySet<Section>; readonly catalog: Pick<Catalog, 'objects'> },
): readonly string[] {
  const listed = (steps: readonly Step[], { objects }: Pick<Catalog, 'objects'>): ReadonlyMap<string, string> =>
    new Map(
      steps
        .filter(
          ({ section, facet, object, statements }) =>
            sections.has(section) && facet !== 'refresh' && statements.length > 0 && !counted.test(objects[object]?.kind ?? ''),
        )
        .map(({ section, facet, object, statements }) => {
          const { kind = 'object', schema, name = '' } = objects[object] ?? {};
          const what = `${facet} of ${kind} ${schema === undefined ? name : `${schema}.${name}`}`;
          return [JSON.stringify([section, facet, what, statements]), what];
        }),
    );
  const before = listed(expected, catalog);
  const after = listed(found.steps, found);
  const names = [...before, ...after].filter(([key]) => before.has(key) !== after.has(key)).map(([, what]) => what);
  return [...new Set(names)].map((what) => `the ${what} is not that of the archive`);
}
