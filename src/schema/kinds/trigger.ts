// Triggers that were made by CREATE TRIGGER. Their clones on partitions come with them: of those, only a state or a comment of their own
// is carried. The triggers of foreign keys and deferrable constraints are made by these.
import * as z from 'zod';
import { qualifiedName, quoteIdentifier } from '../../pg/quote.js';
import { extensionDependency, extensionDependencyKey } from '../extension-dependency.js';
import { defineKind, key, type ObjectDraft, type StepDraft } from '../kind.js';
import { dependsOnExtensions, isUserRelation, triggerStates } from '../relation-sql.js';

const row = z.object({
  oid: z.number(),
  tgrelid: z.number(),
  tgenabled: z.enum(['O', 'D', 'R', 'A']),
  tgconstraint: z.number(),
  /** Null for a clone. */
  definition: z.string().nullable(),
  /** What it was cloned from, nearest first; empty for one of its own. */
  ancestors: z.array(z.object({ oid: z.number(), tgname: z.string(), tgenabled: z.string() })),
  tgname: z.string(),
  nspname: z.string(),
  relname: z.string(),
  extensions: z.array(z.string()),
});
type Row = z.infer<typeof row>;

/** A clone is made by CREATE TRIGGER on the partitioned table, and gets its state from there: both must be over before its own. */
function clone(row: Row): Pick<ObjectDraft, 'name' | 'steps' | 'ddl'> {
  const own = key('pg_trigger', row.oid);
  // Before PostgreSQL 15 a clone could be renamed by itself; a new clone has the name of the first of its ancestors.
  const tgname = row.ancestors.at(-1)?.tgname ?? row.tgname;
  const relation = qualifiedName(row.nspname, row.relname);
  const name = quoteIdentifier(tgname);
  const inherits = row.ancestors[0]?.tgenabled === row.tgenabled;
  return {
    name: tgname,
    steps: [
      {
        key: own,
        facet: 'definition',
        section: 'post-data',
        needs: row.ancestors.flatMap(({ oid }) => [key('pg_trigger', oid), key('pg_trigger', oid, 'enabled')]),
        statements: () => (inherits ? [] : [`ALTER TABLE ${relation} ${triggerStates[row.tgenabled]} TRIGGER ${name}`]),
      },
    ],
    ddl: `TRIGGER ${name} ON ${relation}`,
  };
}

function original(row: Row, definition: string): Pick<ObjectDraft, 'name' | 'steps' | 'ddl'> {
  const own = key('pg_trigger', row.oid);
  const relation = qualifiedName(row.nspname, row.relname);
  const name = quoteIdentifier(row.tgname);
  const ddl = `TRIGGER ${name} ON ${relation}`;
  const steps: StepDraft[] = [{ key: own, facet: 'definition', section: 'post-data', statements: () => [definition] }];
  if (row.tgenabled !== 'O') {
    const statement = `ALTER TABLE ${relation} ${triggerStates[row.tgenabled]} TRIGGER ${name}`;
    steps.push({ key: `${own}/enabled`, facet: 'definition', section: 'post-data', needs: [own], statements: () => [statement] });
  }
  steps.push(...extensionDependency(own, { ddl, section: 'post-data', extensions: row.extensions }));
  return { name: row.tgname, steps, ddl };
}

export const trigger = defineKind<Row>({
  name: 'trigger',
  only: ['pg_trigger'],
  // Clones cannot be told by tgisinternal, which they have before PostgreSQL 15 and not since; those that enforce foreign keys are
  // cloned, too, and belong to a constraint of type f, whereas CREATE CONSTRAINT TRIGGER makes one of type t.
  query: (server) => `SELECT t.oid, t.tgrelid, t.tgenabled, t.tgconstraint, t.tgname, n.nspname, c.relname,
    CASE WHEN t.tgparentid = 0 THEN pg_get_triggerdef(t.oid) END AS definition,
    CASE WHEN t.tgparentid = 0 THEN '[]' ELSE (
      WITH RECURSIVE up(oid, tgname, tgenabled, parent, distance) AS (
        SELECT p.oid, p.tgname, p.tgenabled, p.tgparentid, 1 FROM pg_trigger p WHERE p.oid = t.tgparentid
        UNION ALL SELECT p.oid, p.tgname, p.tgenabled, p.tgparentid, up.distance + 1 FROM up JOIN pg_trigger p ON p.oid = up.parent)
      SELECT json_agg(json_build_object('oid', up.oid::bigint, 'tgname', up.tgname, 'tgenabled', up.tgenabled) ORDER BY up.distance)
      FROM up) END AS ancestors,
    ${dependsOnExtensions('pg_trigger', 't.oid', server)} AS extensions
  FROM pg_trigger t
  JOIN pg_class c ON c.oid = t.tgrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_trigger p ON p.oid = t.tgparentid
  LEFT JOIN pg_constraint k ON k.oid = t.tgconstraint
  WHERE ${isUserRelation('c', 'n')}
    AND CASE WHEN t.tgparentid = 0 THEN NOT t.tgisinternal
      ELSE (k.oid IS NULL OR k.contype = 't') AND (t.tgenabled <> p.tgenabled
        OR EXISTS (SELECT FROM pg_description d WHERE d.classoid = 'pg_trigger'::regclass AND d.objoid = t.oid)) END
  ORDER BY t.oid`,
  row,
  objects(row) {
    const own = key('pg_trigger', row.oid);
    return [
      {
        key: own,
        kind: 'trigger',
        schema: row.nspname,
        parent: key('pg_class', row.tgrelid),
        // CREATE CONSTRAINT TRIGGER leaves a row in pg_constraint, too.
        ...(row.tgconstraint === 0 ? {} : { also: [key('pg_constraint', row.tgconstraint)] }),
        ...(row.definition === null ? clone(row) : original(row, row.definition)),
        charge: ({ ref, type }) => (type === 'x' ? extensionDependencyKey(own) : ref === own ? null : own),
      },
    ];
  },
});
