// The planner's statistics in a snapshot: of which tables they are read, and what stands for them in the catalog. They are data: values of
// rows are among them.
import { type Catalog, isTable, statisticsKind, takesStatistics } from '../../model/catalog.js';
import type { EventListener } from '../../model/events.js';
import { qualifiedName } from '../../pg/quote.js';
import type { Session } from '../../pg/session.js';
import { keepUpToDate, listAnalyzable, splitStatistics, statisticsTable } from '../../snapshot/statistics.js';
import type { SnapshotPlan } from './options.js';
import type { SnapshotSchema } from './schema.js';

/** Kinds whose objects ANALYZE looks at. */
const analyzed = new Set(['table', 'foreign table', 'materialized view']);

/** The same schema with the statistics that are wanted of what is in it. */
export async function withStatistics(
  session: Session,
  schema: SnapshotSchema,
  wanted: SnapshotPlan['statistics'],
): Promise<SnapshotSchema> {
  if (wanted === false) return schema;
  const { catalog } = schema;
  const oids = await (wanted === 'auto' ? worthwhile(session, schema) : all(session, catalog));
  if (oids.length === 0) return schema;
  const object = catalog.objects.length;
  const table = statisticsTable(object);
  return {
    ...schema,
    catalog: {
      ...catalog,
      objects: [...catalog.objects, { id: object, kind: statisticsKind, name: 'all' }],
      tables: [...catalog.tables, table],
    },
    statistics: { table, ranges: splitStatistics(oids), version: session.version },
  };
}

/** As with pg_dump, those of extensions' tables are not in, and those of tables whose rows are left out are. */
async function all(session: Session, catalog: Catalog): Promise<readonly number[]> {
  const chosen = new Set(analyzable(catalog).map(({ schema, name }) => JSON.stringify([schema, name])));
  const there = await listAnalyzable(session);
  return there.filter(({ schema, name }) => chosen.has(JSON.stringify([schema, name]))).map(({ oid }) => oid);
}

/** Bytes of a table from which on a restore puts statistics in faster than it gathers them. */
const worthwhileBytes = 256n << 10n;

/** Of tables whose rows are taken along, so that no value of rows that are left out is in the archive. */
async function worthwhile(session: Session, { toRead }: SnapshotSchema): Promise<readonly number[]> {
  if (session.version < takesStatistics) return [];
  const large = toRead.filter(
    ({ table: { extensionCondition, loadInto }, described }) =>
      extensionCondition === undefined && loadInto === undefined && described.heap && described.bytes >= worthwhileBytes,
  );
  if (large.length === 0) return [];
  return keepUpToDate(
    session,
    large.map(({ described }) => described.oid),
  );
}

function analyzable({ objects }: Catalog): Catalog['objects'] {
  // What has a parent belongs to an extension.
  return objects.filter(({ kind, parent }) => analyzed.has(kind) && parent === undefined);
}

/** How many names a notice has. */
const sample = 5;

/** Who leaves out rows may not expect some of their values elsewhere. */
export function warnOfValues({ catalog, statistics }: SnapshotSchema, emit: EventListener): void {
  if (statistics === undefined) return;
  const tables = catalog.tables.filter((table) => isTable(table) && table.withoutData === 'excluded');
  if (tables.length === 0) return;
  const names = tables.slice(0, sample).map(({ schema, name }) => qualifiedName(schema, name));
  const more = tables.length > sample ? ` and ${tables.length - sample} more` : '';
  emit({ type: 'notice', message: `statistics hold some values of ${names.join(', ')}${more}, whose rows are left out` });
}
