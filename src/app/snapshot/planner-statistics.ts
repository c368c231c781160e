// The planner's statistics in a snapshot: of which tables they are read, and what stands for them in the catalog. They are data: values of
// rows are among them.
import { type Catalog, isTable, statisticsKind } from '../../model/catalog.js';
import type { EventListener } from '../../model/events.js';
import { qualifiedName } from '../../pg/quote.js';
import type { Session } from '../../pg/session.js';
import { listAnalyzable, splitStatistics, statisticsTable } from '../../snapshot/statistics.js';
import type { SnapshotSchema } from './schema.js';

/** Kinds whose objects ANALYZE looks at. */
const analyzed = new Set(['table', 'foreign table', 'materialized view']);

/** The same schema with the statistics of what is in it. As with pg_dump, those of extensions' tables are not, and those of tables whose
 *  rows are left out are. */
export async function withStatistics(session: Session, schema: SnapshotSchema): Promise<SnapshotSchema> {
  const { catalog } = schema;
  const chosen = new Set(analyzable(catalog).map(({ schema: nspname, name }) => JSON.stringify([nspname, name])));
  const all = await listAnalyzable(session);
  const oids = all.filter(({ schema: nspname, name }) => chosen.has(JSON.stringify([nspname, name]))).map(({ oid }) => oid);
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
