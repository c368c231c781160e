// What an index needs beyond its definition, whether it stands by itself or under a constraint: its attachment to the index of a
// partitioned table, CLUSTER ON, REPLICA IDENTITY USING INDEX, statistics targets, DEPENDS ON EXTENSION. The definitions are in kinds/.
import * as z from 'zod';
import { qualifiedName, quoteIdentifier } from '../pg/quote.js';
import { extensionDependency, extensionDependencyKey } from './extension-dependency.js';
import { type DependEdge, type Key, key, type Server, type StepDraft } from './kind.js';
import { refersTo } from './ours.js';
import { dependsOnExtensions } from './relation-sql.js';

/** An index, and the constraint it stands under; what makes it is one or the other. */
export const indexIdentity = z.object({ indexrelid: z.number(), conoid: z.number().nullable() });
export type IndexIdentity = z.infer<typeof indexIdentity>;

/** The columns that `indexColumns` selects. */
export const indexRow = z.object({
  indexrelid: z.number(),
  indexname: z.string(),
  indisclustered: z.boolean(),
  indisreplident: z.boolean(),
  spcname: z.string().nullable(),
  statistics: z.array(z.object({ attnum: z.number(), attstattarget: z.number() })).nullable(),
  partitionof: indexIdentity.extend({ nspname: z.string(), relname: z.string() }).nullable(),
  attachedbelow: z.array(indexIdentity).nullable(),
  extensions: z.array(z.string()),
});
export type IndexRow = z.infer<typeof indexRow>;

/** Expression: the constraint of an index, or null. pg_depend rather than pg_constraint.conindid, which has no index. */
function constraintOf(index: string): string {
  return (
    `(SELECT d.refobjid::bigint FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = ${index} AND d.objsubid = 0 ` +
    `AND ${refersTo('d', 'pg_constraint')} AND d.deptype = 'i')`
  );
}

/** Condition: the index stands under a primary key, unique or exclusion constraint. As a list that is made once: to look at each index
 *  by itself took longer than to write it down. */
export function backsConstraint(index: string): string {
  return `${index} IN (SELECT k.conindid FROM pg_constraint k WHERE k.contype IN ('p', 'u', 'x'))`;
}

/** Expression: every index attached below an index of a partitioned table, at any depth, as JSON (IndexIdentity[]), or null. */
export function attachedBelow(index: string): string {
  return `(WITH RECURSIVE below(oid) AS (
      SELECT h.inhrelid FROM pg_inherits h WHERE h.inhparent = ${index}
      UNION ALL SELECT h.inhrelid FROM pg_inherits h JOIN below b ON h.inhparent = b.oid)
    SELECT json_agg(json_build_object('indexrelid', b.oid::bigint, 'conoid', ${constraintOf('b.oid')}) ORDER BY b.oid) FROM below b)`;
}

/** Select list of an index, for pg_index and pg_class of the index by the aliases given. Only expressions can have statistics targets. */
export function indexColumns(index: string, relation: string, server: Server): string {
  return `${relation}.oid AS indexrelid, ${relation}.relname AS indexname, ${index}.indisclustered, ${index}.indisreplident,
    (SELECT s.spcname FROM pg_tablespace s WHERE s.oid = ${relation}.reltablespace) AS spcname,
    CASE WHEN ${index}.indexprs IS NOT NULL THEN
      (SELECT json_agg(json_build_object('attnum', a.attnum, 'attstattarget', a.attstattarget) ORDER BY a.attnum)
        FROM pg_attribute a WHERE a.attrelid = ${relation}.oid AND a.attstattarget >= 0) END AS statistics,
    (SELECT json_build_object('indexrelid', p.oid::bigint, 'conoid', ${constraintOf('p.oid')}, 'nspname', pn.nspname, 'relname', p.relname)
      FROM pg_inherits h JOIN pg_class p ON p.oid = h.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
      WHERE h.inhrelid = ${relation}.oid) AS partitionof,
    CASE WHEN ${index}.indisreplident AND ${relation}.relkind = 'I' THEN ${attachedBelow(`${relation}.oid`)} END AS attachedbelow,
    ${dependsOnExtensions('pg_class', `${relation}.oid`, server)} AS extensions`;
}

/** The key of the object that makes an index. */
export function maker({ indexrelid, conoid }: IndexIdentity): Key {
  return conoid === null ? key('pg_class', indexrelid) : key('pg_constraint', conoid);
}

/** Keys of the steps that attach these indexes. */
export function attachKeys(indexes: readonly IndexIdentity[] | null): readonly Key[] {
  return (indexes ?? []).map((index) => `${maker(index)}/attach`);
}

/** Charges the edges that an index or its constraint has to its parent's (type P) to the attachment: both are made on their own. */
export function chargeIndex(object: Key): (edge: DependEdge) => Key {
  return ({ type }) => (type === 'P' ? `${object}/attach` : type === 'x' ? extensionDependencyKey(object) : object);
}

/** All that follows the definition in `object`.
 *  @param table the relation's schema and name */
export function indexSteps(
  object: Key,
  row: IndexRow,
  table: { readonly nspname: string; readonly relname: string },
): readonly StepDraft[] {
  const steps: StepDraft[] = [];
  const step = (word: string, needs: readonly Key[], statements: readonly string[]) =>
    steps.push({
      key: `${object}/${word}`,
      facet: 'definition',
      section: 'post-data',
      needs: [object, ...needs],
      statements: () => statements,
    });
  const relation = qualifiedName(table.nspname, table.relname);
  // An index is always in the schema of its relation.
  const index = qualifiedName(table.nspname, row.indexname);
  const bare = quoteIdentifier(row.indexname);
  if (row.partitionof !== null) {
    const parent = qualifiedName(row.partitionof.nspname, row.partitionof.relname);
    step('attach', [maker(row.partitionof)], [`ALTER INDEX ${parent} ATTACH PARTITION ${index}`]);
  }
  if (row.statistics !== null) {
    // Columns of an index are called by number: their names are the server's invention.
    const targets = row.statistics.map(({ attnum, attstattarget }) => `ALTER COLUMN ${attnum} SET STATISTICS ${attstattarget}`);
    step('statistics', [], [`ALTER INDEX ${index} ${targets.join(', ')}`]);
  }
  if (row.indisclustered) step('cluster', [], [`ALTER TABLE ${relation} CLUSTER ON ${bare}`]);
  if (row.indisreplident) {
    // Older minor releases refuse an index that is not valid yet: it is valid once all partitions have theirs.
    step('replica-identity', attachKeys(row.attachedbelow), [`ALTER TABLE ONLY ${relation} REPLICA IDENTITY USING INDEX ${bare}`]);
  }
  steps.push(...extensionDependency(object, { ddl: `INDEX ${index}`, section: 'post-data', extensions: row.extensions }));
  return steps;
}
