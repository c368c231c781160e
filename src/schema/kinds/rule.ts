// Rewrite rules, except the `_RETURN` rules that are the bodies of views.
import { z } from 'zod';
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

const states = { O: null, D: 'DISABLE', R: 'ENABLE REPLICA', A: 'ENABLE ALWAYS' } as const;

export const rule = defineKind<z.infer<typeof row>>({
  name: 'rule',
  query: () => `SELECT w.oid, w.rulename, w.ev_enabled, w.ev_class, n.nspname, c.relname, pg_get_ruledef(w.oid) AS definition
  FROM pg_rewrite w
  JOIN pg_class c ON c.oid = w.ev_class
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE w.rulename <> '_RETURN' AND ${isUserRelation('c', 'n')}
  ORDER BY w.oid`,
  row,
  objects(row) {
    const own = key('pg_rewrite', row.oid);
    const relation = qualifiedName(row.nspname, row.relname);
    const name = quoteIdentifier(row.rulename);
    const steps: StepDraft[] = [
      { key: own, facet: 'definition', section: 'post-data', statements: () => [row.definition.replace(/;$/, '')] },
    ];
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
