// Primary key, unique and exclusion constraints, each with the index under it. Foreign keys are a kind of their own; checks and
// not-nulls belong to the table.
import { z } from 'zod';
import { qualifiedName, quoteIdentifier, quoteLiteral } from '../../pg/quote.js';
import { chargeAttachment, indexColumns, indexRow, indexSteps } from '../index-parts.js';
import { defineKind, key, type StepDraft } from '../kind.js';
import { inTablespace, isUserRelation, storageParameters, withParameters } from '../relation-sql.js';

const row = indexRow.extend({
  oid: z.number(),
  conname: z.string(),
  contype: z.enum(['p', 'u', 'x']),
  condeferrable: z.boolean(),
  condeferred: z.boolean(),
  definition: z.string(),
  nspname: z.string(),
  conrelid: z.number(),
  relname: z.string(),
  reloptions: z.array(z.string()).nullable(),
  indexcomment: z.string().nullable(),
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

export const constraint = defineKind<Row>({
  name: 'constraint',
  query: () => `SELECT k.oid, k.conname, k.contype, k.condeferrable, k.condeferred, pg_get_constraintdef(k.oid) AS definition,
    n.nspname, k.conrelid, c.relname, ic.reloptions, ${indexColumns('i', 'ic')}, obj_description(ic.oid, 'pg_class') AS indexcomment
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
    const statement = `ALTER TABLE ONLY ${table} ADD CONSTRAINT ${name} ${definition(row)}`;
    const steps: StepDraft[] = [
      { key: own, facet: 'definition', section: 'post-data', statements: () => inTablespace(row.spcname, statement) },
      ...indexSteps(own, row, row),
    ];
    const { indexcomment } = row;
    if (indexcomment !== null) {
      const index = qualifiedName(row.nspname, row.indexname);
      steps.push({
        key: `${own}/index-comment`,
        facet: 'comment',
        section: 'post-data',
        needs: [own],
        statements: () => [`COMMENT ON INDEX ${index} IS ${quoteLiteral(indexcomment)}`],
      });
    }
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
        charge: chargeAttachment(own),
      },
    ];
  },
});
