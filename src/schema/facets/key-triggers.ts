// States of the triggers that enforce foreign keys and deferrable constraints: `ALTER TABLE ... DISABLE TRIGGER ALL` changes them, too,
// and pg_dump loses that. Their names hold OIDs, so the restore looks them up by what they are for. The server lets superusers do this.
// https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-DISABLE-ENABLE-TRIGGER
import { qualifiedName, quoteLiteral } from '../../pg/quote.js';
import { type FacetContext, type FacetReader, type FacetResult, key } from '../kind.js';
import { triggerStates } from '../relation-sql.js';

interface Trigger {
  readonly tgrelid: number;
  /** Qualified. */
  readonly relation: string;
  /** What it calls says which one of the constraint's triggers on this table it is. */
  readonly function: string;
  readonly tgenabled: keyof typeof triggerStates;
}

interface Row extends Record<string, unknown> {
  readonly oid: number;
  readonly conname: string;
  readonly nspname: string;
  readonly relname: string;
  readonly triggers: readonly Trigger[];
}

/** All triggers of a constraint of which one is not enabled as it was made. Foreign keys of partitions belong to the one they come from;
 *  a partition's unique constraint is made by itself. Parents first: a state goes to the partitions as well. */
const query = `
  WITH RECURSIVE up AS (
    SELECT k.oid, CASE k.contype WHEN 'f' THEN k.conparentid ELSE 0 END AS parent
      FROM pg_constraint k WHERE k.contype IN ('f', 'p', 'u', 'x')
       AND k.oid IN (SELECT t.tgconstraint FROM pg_trigger t WHERE t.tgisinternal AND t.tgenabled <> 'O' AND t.tgconstraint <> 0)
    UNION SELECT k.oid, k.conparentid FROM up JOIN pg_constraint k ON k.oid = up.parent),
  down(root, oid) AS (
    SELECT up.oid, up.oid FROM up WHERE up.parent = 0
    UNION ALL SELECT down.root, k.oid FROM down JOIN pg_constraint k ON k.conparentid = down.oid AND k.contype = 'f')
  SELECT k.oid, k.conname, n.nspname, c.relname,
         (SELECT json_agg(json_build_object('tgrelid', t.tgrelid::int8, 'relation', t.tgrelid::regclass::text, 'function', t.tgfoid::regproc::text,
                                            'tgenabled', t.tgenabled)
                  ORDER BY (SELECT count(*) FROM pg_partition_ancestors(t.tgrelid)), t.tgrelid::regclass::text, t.tgfoid::regproc::text)
            FROM down JOIN pg_trigger t ON t.tgconstraint = down.oid AND t.tgisinternal WHERE down.root = k.oid) AS triggers
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE k.oid IN (SELECT root FROM down)
   ORDER BY k.oid`;

function statement({ conname, nspname, relname, triggers }: Row): string {
  const wanted = triggers.map(({ relation, function: called, tgenabled }) => ({ relation, called, state: triggerStates[tgenabled] }));
  const body = `DECLARE "command" pg_catalog.text;
BEGIN
  FOR "command" IN
    WITH RECURSIVE "down"("oid") AS (
      SELECT k."oid" FROM pg_catalog.pg_constraint k
       WHERE k.conrelid = ${quoteLiteral(qualifiedName(nspname, relname))}::pg_catalog.regclass AND k.conname = ${quoteLiteral(conname)}
      UNION ALL SELECT k."oid" FROM "down" JOIN pg_catalog.pg_constraint k ON k.conparentid = "down"."oid")
    SELECT pg_catalog.format('ALTER TABLE ONLY %s %s TRIGGER %I', t.tgrelid::pg_catalog.regclass, w.state, t.tgname)
      FROM ROWS FROM (pg_catalog.jsonb_to_recordset(${quoteLiteral(JSON.stringify(wanted))}::pg_catalog.jsonb)
             AS (relation pg_catalog.text, called pg_catalog.text, state pg_catalog.text)) WITH ORDINALITY AS w (relation, called, state, place)
      JOIN pg_catalog.pg_trigger t ON t.tgrelid = w.relation::pg_catalog.regclass AND t.tgfoid = w.called::pg_catalog.regproc
     WHERE t.tgisinternal AND t.tgconstraint IN (SELECT "oid" FROM "down")
     ORDER BY w.place
  LOOP
    EXECUTE "command";
  END LOOP;
END`;
  return `DO ${quoteLiteral(body)}`;
}

async function read({ query: run, objects }: FacetContext): Promise<FacetResult> {
  const steps: FacetResult['steps'][number][] = [];
  for (const row of await run<Row>(query)) {
    const object = objects.get(key('pg_constraint', row.oid));
    if (object === undefined) continue;
    const relations = row.triggers.map(({ tgrelid }) => key('pg_class', tgrelid));
    const needs = [object.key, ...new Set(relations)];
    const step = { facet: 'definition', section: 'post-data', needs, statements: () => [statement(row)] } as const;
    steps.push({ object: object.key, step: { key: `${object.key}/triggers`, ...step } });
  }
  return { steps, objects: [] };
}

export const keyTriggers: FacetReader = { name: 'key triggers', only: ['pg_trigger'], read };
