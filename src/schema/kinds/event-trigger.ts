// Event triggers. They fire on the statements of a restore, too, and so come near its end (priority.ts).
import * as z from 'zod';
import { qualifiedName, quoteIdentifier, quoteLiteral } from '../../pg/quote.js';
import { defineKind, key, type StepDraft } from '../kind.js';
import { isNotMember } from '../ours.js';

const row = z.object({
  oid: z.number(),
  evtname: z.string(),
  evtevent: z.string(),
  evtenabled: z.enum(['O', 'D', 'R', 'A']),
  evttags: z.array(z.string()).nullable(),
  rolname: z.string(),
  nspname: z.string(),
  proname: z.string(),
});

const states = { O: null, D: 'DISABLE', R: 'ENABLE REPLICA', A: 'ENABLE ALWAYS' } as const;

export const eventTrigger = defineKind<z.infer<typeof row>>({
  name: 'event trigger',
  only: ['pg_event_trigger'],
  query: () => `SELECT t.oid, t.evtname, t.evtevent, t.evtenabled, t.evttags, pg_get_userbyid(t.evtowner) AS rolname, n.nspname, f.proname
  FROM pg_event_trigger t
  JOIN pg_proc f ON f.oid = t.evtfoid
  JOIN pg_namespace n ON n.oid = f.pronamespace
  WHERE ${isNotMember('pg_event_trigger', 't.oid')}
  ORDER BY t.oid`,
  row,
  objects(row) {
    const own = key('pg_event_trigger', row.oid);
    const ddl = `EVENT TRIGGER ${quoteIdentifier(row.evtname)}`;
    const tags = row.evttags === null ? '' : ` WHEN TAG IN (${row.evttags.map(quoteLiteral).join(', ')})`;
    const create = `CREATE ${ddl} ON ${quoteIdentifier(row.evtevent)}${tags} EXECUTE FUNCTION ${qualifiedName(row.nspname, row.proname)}()`;
    const steps: StepDraft[] = [{ key: own, facet: 'definition', section: 'post-data', statements: () => [create] }];
    const state = states[row.evtenabled];
    if (state !== null) {
      const statement = `ALTER ${ddl} ${state}`;
      steps.push({ key: `${own}/enabled`, facet: 'definition', section: 'post-data', needs: [own], statements: () => [statement] });
    }
    return [{ key: own, kind: 'event trigger', name: row.evtname, steps, ddl, owner: row.rolname }];
  },
});
