// Primary key, unique and exclusion constraints, each with the index under it. Foreign keys are a kind of their own; checks and
// not-nulls belong to the table.
import * as z from 'zod';
import { qualifiedName, quoteIdentifier, quoteLiteral } from '../../pg/quote.js';
import { chargeIndex, indexColumns, indexRow, indexSteps } from '../index-parts.js';
import { defineKind, key, type StepDraft } from '../kind.js';
import { inTablespace, isUserRelation, storageParameters, withParameters } from '../relation-sql.js';

const row = indexRow.extend({
  oid: z.number(),
  conname: z.string(),
  contype: z.enum(['p', 'u', 'x']),
  condeferrable: z.boolean(),
  condeferred: z.boolean(),
  /** An exclusion constraint, or a key WITHOUT OVERLAPS. */
  exclusive: z.boolean(),
  indisvalid: z.boolean(),
  definition: z.string(),
  nspname: z.string(),
  conrelid: z.number(),
  relname: z.string(),
  relkind: z.string(),
  reloptions: z.array(z.string()).nullable(),
  /** The constraint of the partitioned table that this one of a partition belongs to. */
  parentconstraint: z.object({ conname: z.string(), nspname: z.string(), relname: z.string() }).nullable(),
});
type Row = z.infer<typeof row>;

/** pg_get_constraintdef leaves out the storage parameters of the index, except for exclusion constraints; their place is before
 *  DEFERRABLE. */
function definition({ contype, condeferrable, condeferred, definition: text, reloptions }: Row): string {
  if (contype === 'x') return text;
  const parameters = withParameters(storageParameters(reloptions ?? []));
  const ending = condeferrable ? ` DEFERRABLE${condeferred ? ' INITIALLY DEFERRED' : ''}` : '';
  return `${text.slice(0, text.length - ending.length)}${parameters}${ending}`;
}

/** Exclusion constraints (PostgreSQL 17) and keys WITHOUT OVERLAPS (18) of partitioned tables are made on all partitions at once: ALTER
 *  INDEX ... ATTACH PARTITION cannot compare such indexes and refuses each ("The index definitions do not match"). */
function create(row: Row): readonly string[] {
  const only = row.exclusive && row.relkind === 'p' && row.indisvalid ? '' : 'ONLY ';
  const table = qualifiedName(row.nspname, row.relname);
  return inTablespace(row.spcname, `ALTER TABLE ${only}${table} ADD CONSTRAINT ${quoteIdentifier(row.conname)} ${definition(row)}`);
}

/** What was made with the partitioned table's has a name of the server's choice, which is mostly the right one. */
function rename({ nspname, relname, conname, parentconstraint: parent }: Row): readonly string[] {
  if (parent === null) return [];
  const table = qualifiedName(nspname, relname);
  const above = quoteLiteral(qualifiedName(parent.nspname, parent.relname));
  const body = `DECLARE chosen pg_catalog.text;
BEGIN
  SELECT k.conname INTO STRICT chosen FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_constraint p ON p.oid = k.conparentid
    WHERE k.conrelid = ${quoteLiteral(table)}::pg_catalog.regclass
      AND p.conrelid = ${above}::pg_catalog.regclass AND p.conname = ${quoteLiteral(parent.conname)};
  IF chosen <> ${quoteLiteral(conname)} THEN
    EXECUTE pg_catalog.format('ALTER TABLE %s RENAME CONSTRAINT %I TO %I', ${quoteLiteral(table)}, chosen, ${quoteLiteral(conname)});
  END IF;
END`;
  return [`DO ${quoteLiteral(body)}`];
}

export const constraint = defineKind<Row>({
  name: 'constraint',
  only: ['pg_class:i', 'pg_class:I'],
  query: (
    server,
  ) => `SELECT k.oid, k.conname, k.contype, k.condeferrable, k.condeferred, k.conexclop IS NOT NULL AS exclusive, i.indisvalid, pg_get_constraintdef(k.oid) AS definition,
    n.nspname, k.conrelid, c.relname, c.relkind, ic.reloptions, ${indexColumns('i', 'ic', server)},
    CASE WHEN k.conparentid <> 0 THEN
      (SELECT json_build_object('conname', pk.conname, 'nspname', pn.nspname, 'relname', pc.relname)
        FROM pg_constraint pk JOIN pg_class pc ON pc.oid = pk.conrelid JOIN pg_namespace pn ON pn.oid = pc.relnamespace
        WHERE pk.oid = k.conparentid) END AS parentconstraint
  FROM pg_constraint k
  JOIN pg_class c ON c.oid = k.conrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_index i ON i.indexrelid = k.conindid
  JOIN pg_class ic ON ic.oid = k.conindid
  WHERE k.contype IN ('p', 'u', 'x') AND ${isUserRelation('c', 'n')}
  ORDER BY k.oid`,
  row,
  objects(row) {
    const own = key('pg_constraint', row.oid);
    const table = qualifiedName(row.nspname, row.relname);
    const name = quoteIdentifier(row.conname);
    const charge = chargeIndex(own);
    const cascaded = row.exclusive && row.parentconstraint !== null;
    const steps: StepDraft[] = [
      { key: own, facet: 'definition', section: 'post-data', statements: () => (cascaded ? rename(row) : create(row)) },
      ...indexSteps(own, cascaded ? { ...row, partitionof: null } : row, row),
    ];
    return [
      {
        key: own,
        kind: 'constraint',
        schema: row.nspname,
        name: row.conname,
        parent: key('pg_class', row.conrelid),
        also: [key('pg_class', row.indexrelid)],
        steps,
        ddl: `CONSTRAINT ${name} ON ${table}`,
        charge: (edge) => (cascaded && edge.type === 'P' ? own : charge(edge)),
      },
    ];
  },
});
