// Materialized views: made empty, and refreshed last of all, in the order in which they read each other. Their indexes are
// kinds/table-index.ts.
import * as z from 'zod';
import { qualifiedName, quoteIdentifier } from '../../pg/quote.js';
import { extensionDependency, extensionDependencyKey } from '../extension-dependency.js';
import { defineKind, key, nameOf, type StepDraft } from '../kind.js';
import { dependsOnExtensions, inTablespace, isUserRelation, storageParameters, withAccessMethod, withParameters } from '../relation-sql.js';
import { viewAlso, viewColumns, viewQuery, viewRow, viewTables } from '../view-parts.js';

const columnSettings = z.object({
  attname: z.string(),
  attstattarget: z.number().nullable(),
  attstorage: z.enum(['p', 'e', 'x', 'm']).nullable(),
  attcompression: z.enum(['p', 'l']).nullable(),
  attoptions: z.array(z.string()).nullable(),
});

const row = viewRow.extend({
  amname: z.string(),
  spcname: z.string().nullable(),
  toastoptions: z.array(z.string()).nullable(),
  relreplident: z.string(),
  relispopulated: z.boolean(),
  settings: z.array(columnSettings),
  /** Every view and materialized view that it reads, itself or through others. */
  reads: z.array(z.object({ oid: z.number(), relkind: z.string(), relispopulated: z.boolean() })),
  extensions: z.array(z.string()),
});
type Row = z.infer<typeof row>;

const storage = { p: 'PLAIN', e: 'EXTERNAL', x: 'EXTENDED', m: 'MAIN' } as const;
const compression = { p: 'pglz', l: 'lz4' } as const;

function create(row: Row): readonly string[] {
  const parameters = [...storageParameters(row.reloptions ?? []), ...storageParameters(row.toastoptions ?? [], 'toast')];
  const name = qualifiedName(row.nspname, row.relname);
  const statement = `CREATE MATERIALIZED VIEW ${name}${withParameters(parameters)} AS ${viewQuery(row)} WITH NO DATA`;
  return withAccessMethod(row.amname, inTablespace(row.spcname, statement));
}

/** ALTER COLUMN actions for what the columns have beyond their query. */
function columnActions(row: Row): readonly string[] {
  return row.settings.flatMap(({ attname, attstattarget, attstorage, attcompression, attoptions }) => {
    const column = `ALTER COLUMN ${quoteIdentifier(attname)}`;
    return [
      ...(attstattarget === null ? [] : [`${column} SET STATISTICS ${attstattarget}`]),
      ...(attstorage === null ? [] : [`${column} SET STORAGE ${storage[attstorage]}`]),
      ...(attcompression === null ? [] : [`${column} SET COMPRESSION ${quoteIdentifier(compression[attcompression])}`]),
      ...(attoptions === null ? [] : [`${column} SET (${storageParameters(attoptions).join(', ')})`]),
    ];
  });
}

export const materializedView = defineKind<Row>({
  name: 'materialized view',
  only: ['pg_class:m'],
  // The recursion goes through views and materialized views alike: one that was not populated cannot be read by those above it, however
  // far above. The body of a view refers to what it reads by its rule.
  query: (server) => `WITH RECURSIVE edges AS MATERIALIZED (
      SELECT DISTINCT w.ev_class AS reader, d.refobjid AS source
      FROM pg_rewrite w
      JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass
      JOIN pg_class s ON s.oid = d.refobjid
      WHERE w.rulename = '_RETURN' AND s.relkind IN ('v', 'm') AND d.refobjid <> w.ev_class),
    reads(reader, source) AS (
      SELECT e.reader, e.source FROM edges e JOIN pg_class m ON m.oid = e.reader WHERE m.relkind = 'm'
      UNION SELECT r.reader, e.source FROM reads r JOIN edges e ON e.reader = r.source),
    sources AS (
      SELECT r.reader, json_agg(json_build_object('oid', s.oid::bigint, 'relkind', s.relkind, 'relispopulated', s.relispopulated)
        ORDER BY s.oid) AS list
      FROM reads r JOIN pg_class s ON s.oid = r.source GROUP BY r.reader)
  SELECT ${viewColumns}, am.amname, (SELECT s.spcname FROM pg_tablespace s WHERE s.oid = c.reltablespace) AS spcname,
    (SELECT o.reloptions FROM pg_class o WHERE o.oid = c.reltoastrelid) AS toastoptions, c.relreplident, c.relispopulated,
    coalesce((SELECT json_agg(json_build_object('attname', a.attname,
        'attstattarget', CASE WHEN a.attstattarget >= 0 THEN a.attstattarget END,
        'attstorage', CASE WHEN a.attstorage <> at.typstorage THEN a.attstorage END,
        'attcompression', nullif(a.attcompression, ''), 'attoptions', a.attoptions) ORDER BY a.attnum)
      FROM pg_attribute a JOIN pg_type at ON at.oid = a.atttypid
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]') AS settings,
    coalesce(sources.list, '[]') AS reads, ${dependsOnExtensions('pg_class', 'c.oid', server)} AS extensions
  FROM ${viewTables}
  JOIN pg_am am ON am.oid = c.relam
  LEFT JOIN sources ON sources.reader = c.oid
  WHERE c.relkind = 'm' AND ${isUserRelation('c', 'n')}
  ORDER BY c.oid`,
  row,
  objects(row) {
    const own = key('pg_class', row.oid);
    const name = qualifiedName(row.nspname, row.relname);
    const ddl = `MATERIALIZED VIEW ${name}`;
    const steps: StepDraft[] = [
      {
        key: own,
        facet: 'definition',
        section: 'pre-data',
        statements: () => create(row),
        // A query that relies on a primary key (GROUP BY) can only be had after the rows.
        split: { cost: 7, early: null },
      },
    ];
    const step = (word: string, statements: readonly string[]) =>
      steps.push({ key: `${own}/${word}`, facet: 'definition', section: 'pre-data', needs: [own], statements: () => statements });
    const actions = columnActions(row);
    if (actions.length > 0) step('columns', [`ALTER TABLE ONLY ${name} ${actions.join(', ')}`]);
    if (row.relreplident === 'f') step('replica-identity', [`ALTER TABLE ONLY ${name} REPLICA IDENTITY FULL`]);
    if (row.relreplident === 'n') step('replica-identity', [`ALTER TABLE ONLY ${name} REPLICA IDENTITY NOTHING`]);
    steps.push(...extensionDependency(own, { ddl, section: 'pre-data', extensions: row.extensions }));
    if (row.relispopulated && row.reads.every(({ relkind, relispopulated }) => relkind === 'v' || relispopulated)) {
      steps.push({
        key: `${own}/refresh`,
        facet: 'refresh',
        section: 'post-data',
        needs: [own, ...row.reads.map(({ oid, relkind }) => (relkind === 'm' ? key('pg_class', oid, 'refresh') : key('pg_class', oid)))],
        statements: () => [`REFRESH ${ddl}`],
      });
    }
    return [
      {
        key: own,
        kind: 'materialized view',
        schema: row.nspname,
        name: row.relname,
        also: viewAlso(row),
        steps,
        ddl,
        grant: `TABLE ${name}`,
        owner: row.rolname,
        columnName: nameOf(row.columns),
        charge: ({ ref, type }) => (type === 'x' ? extensionDependencyKey(own) : ref === own ? null : own),
      },
    ];
  },
});
