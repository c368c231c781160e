// Rewrite rules, except those ON SELECT, which are the bodies of views.
import * as z from 'zod';
import { qualifiedName, quoteIdentifier } from '../../pg/quote.js';
import { defineKind, key, type StepDraft } from '../kind.js';
import { isUserRelation } from '../relation-sql.js';

const row = z.object({
  oid: z.number(),
  rulename: z.string(),
  ev_enabled: z.enum(['O', 'D', 'R', 'A']),
  ev_class: z.number(),
  nspname: z.string(),
  relname: z.string(),
  definition: z.string(),
});

/** A rule that is not a view's body cannot be made with the name of one, but renamed to it. */
const bodyName = '_RETURN';
const passingName = '_RETURN of tidemark';

function create({ rulename, definition }: z.infer<typeof row>, relation: string): readonly string[] {
  const statement = definition.replace(/;$/, '');
  if (rulename !== bodyName) return [statement];
  const [own, passing] = [quoteIdentifier(bodyName), quoteIdentifier(passingName)];
  return [statement.replace(own, passing), `ALTER RULE ${passing} ON ${relation} RENAME TO ${own}`];
}

const states = { O: null, D: 'DISABLE', R: 'ENABLE REPLICA', A: 'ENABLE ALWAYS' } as const;

export const rule = defineKind<z.infer<typeof row>>({
  name: 'rule',
  only: ['pg_rewrite'],
  query: () => `SELECT w.oid, w.rulename, w.ev_enabled, w.ev_class, n.nspname, c.relname, pg_get_ruledef(w.oid) AS definition
  FROM pg_rewrite w
  JOIN pg_class c ON c.oid = w.ev_class
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE w.ev_type <> '1' AND ${isUserRelation('c', 'n')}
  ORDER BY w.oid`,
  row,
  objects(row) {
    const own = key('pg_rewrite', row.oid);
    const relation = qualifiedName(row.nspname, row.relname);
    const name = quoteIdentifier(row.rulename);
    const steps: StepDraft[] = [{ key: own, facet: 'definition', section: 'post-data', statements: () => create(row, relation) }];
    const state = states[row.ev_enabled];
    if (state !== null) {
      const statement = `ALTER TABLE ${relation} ${state} RULE ${name}`;
      steps.push({ key: `${own}/enabled`, facet: 'definition', section: 'post-data', needs: [own], statements: () => [statement] });
    }
    return [
      {
        key: own,
        kind: 'rule',
        schema: row.nspname,
        name: row.rulename,
        parent: key('pg_class', row.ev_class),
        steps,
        ddl: `RULE ${name} ON ${relation}`,
      },
    ];
  },
});
