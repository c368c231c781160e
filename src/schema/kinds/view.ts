// Views, and the defaults of their columns. A view in a loop of dependencies comes in two parts: a stub of the same columns early, and
// its query late. Rules other than the body and INSTEAD OF triggers are kinds of their own.
import * as z from 'zod';
import { qualifiedName, quoteIdentifier } from '../../pg/quote.js';
import { defineKind, type Key, key, nameOf, type ObjectDraft } from '../kind.js';
import { isUserRelation, storageParameters, withParameters } from '../relation-sql.js';
import { type ViewRow, viewAlso, viewColumns, viewQuery, viewRow, viewTables } from '../view-parts.js';

const row = viewRow.extend({
  defaults: z.array(z.object({ oid: z.number(), attname: z.string(), expression: z.string() })),
});
type Row = z.infer<typeof row>;

/** The same columns with the same types and collations, all null: what CREATE OR REPLACE VIEW accepts as the same view. */
function stub(row: ViewRow): { readonly statements: readonly string[]; readonly needs: readonly Key[] } {
  const columns = row.columns.map(
    ({ attname, type, collation }) => `NULL::${type}${collation === null ? '' : ` COLLATE ${collation}`} AS ${quoteIdentifier(attname)}`,
  );
  return {
    statements: [`CREATE VIEW ${qualifiedName(row.nspname, row.relname)} AS SELECT ${columns.join(', ')}`.trimEnd()],
    needs: [
      key('pg_namespace', row.relnamespace),
      ...row.columns.flatMap(({ atttypid, attcollation }) => [key('pg_type', atttypid), key('pg_collation', attcollation)]),
    ],
  };
}

/** A step that is not its object's definition may wait for the rows, as what its expression calls may have to. */
function columnDefaults(row: Row): readonly ObjectDraft[] {
  const name = qualifiedName(row.nspname, row.relname);
  return row.defaults.map(({ oid, attname, expression }) => {
    const own = key('pg_attrdef', oid);
    const set = `${own}/set`;
    const statement = `ALTER TABLE ONLY ${name} ALTER COLUMN ${quoteIdentifier(attname)} SET DEFAULT ${expression}`;
    return {
      key: own,
      kind: 'default',
      schema: row.nspname,
      name: `${row.relname}.${attname}`,
      parent: key('pg_class', row.oid),
      steps: [{ key: set, facet: 'definition', section: 'pre-data', needs: [key('pg_class', row.oid)], statements: () => [statement] }],
      ddl: `COLUMN ${name}.${quoteIdentifier(attname)}`,
      charge: () => set,
    };
  });
}

export const view = defineKind<Row>({
  name: 'view',
  only: ['pg_class:v'],
  query: () => `SELECT ${viewColumns},
    coalesce((SELECT json_agg(json_build_object('oid', d.oid::bigint, 'attname', a.attname, 'expression', pg_get_expr(d.adbin, d.adrelid))
        ORDER BY d.adnum)
      FROM pg_attrdef d
      JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
      WHERE d.adrelid = c.oid), '[]') AS defaults
  FROM ${viewTables}
  WHERE c.relkind = 'v' AND ${isUserRelation('c', 'n')}
  ORDER BY c.oid`,
  row,
  objects(row) {
    const own = key('pg_class', row.oid);
    const name = qualifiedName(row.nspname, row.relname);
    // The check option is among the storage parameters (check_option=local) and may be given as one.
    const rest = `VIEW ${name}${withParameters(storageParameters(row.reloptions ?? []))} AS ${viewQuery(row)}`;
    return [
      {
        key: own,
        kind: 'view',
        schema: row.nspname,
        name: row.relname,
        also: viewAlso(row),
        steps: [
          {
            key: own,
            facet: 'definition',
            section: 'pre-data',
            statements: () => [`CREATE ${rest}`],
            split: { cost: 4, early: stub(row), late: [`CREATE OR REPLACE ${rest}`] },
          },
        ],
        ddl: `VIEW ${name}`,
        grant: `TABLE ${name}`,
        owner: row.rolname,
        columnName: nameOf(row.columns),
        // The rule that is the body depends on the view, which both are this object.
        charge: ({ ref }) => (ref === own ? null : own),
      },
      ...columnDefaults(row),
    ];
  },
});
