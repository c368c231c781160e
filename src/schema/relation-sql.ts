// What the kinds around a relation (constraints, indexes, views, triggers, ...) share: conditions and expressions of their catalog
// queries, storage parameters, and the statement around a tablespace. What a kind selects beyond that is its own.
import { quoteIdentifier, quoteLiteral } from '../pg/quote.js';
import type { Server } from './kind.js';
import { mayBe } from './marks.js';
import { isNotMember, isUserSchema, refersTo } from './ours.js';

/** Condition: the relation is the user's own, by the aliases of pg_class and pg_namespace. Also asked of what hangs off it: an index
 *  or a trigger of an extension's table has no membership of its own, so nobody can tell whether the extension's script makes it. */
export function isUserRelation(relation: string, namespace: string): string {
  return `${isUserSchema(namespace)} AND ${isNotMember('pg_class', `${relation}.oid`)}`;
}

/** Expression: names of the extensions that the object is set to DEPEND ON, as text[]; in the order they were set, which pg_dump keeps. */
export function dependsOnExtensions(catalog: string, oid: string, { marks }: Pick<Server, 'marks'>): string {
  if (!mayBe(['extension dependencies'], marks)) return `'{}'::text[]`;
  return (
    `ARRAY(SELECT e.extname::text FROM pg_depend x JOIN pg_extension e ON e.oid = x.refobjid WHERE x.classid = '${catalog}'::regclass ` +
    `AND x.objid = ${oid} AND ${refersTo('x', 'pg_extension')} AND x.deptype = 'x' ORDER BY x.ctid)`
  );
}

/** Storage parameters as they stand in pg_class.reloptions (`fillfactor=70`), as the inside of `WITH (...)`. Values go as literals:
 *  the server parses them as text whatever they look like, and what stands in a catalog is not trusted to be harmless.
 *  @param prefix `toast` for those of a toast table */
export function storageParameters(reloptions: readonly string[], prefix?: string): readonly string[] {
  return reloptions.map((option) => {
    const at = option.indexOf('=');
    const name = quoteIdentifier(at < 0 ? option : option.slice(0, at));
    const value = at < 0 ? '' : `=${quoteLiteral(option.slice(at + 1))}`;
    return `${prefix === undefined ? '' : `${quoteIdentifier(prefix)}.`}${name}${value}`;
  });
}

/** ` WITH (...)`, or nothing where there are no parameters. */
export function withParameters(parameters: readonly string[]): string {
  return parameters.length === 0 ? '' : ` WITH (${parameters.join(', ')})`;
}

/** Statements that run with a default tablespace: the only way in for statements that the server deparses as a whole, and the way for
 *  all, so that --no-tablespaces can leave it out of an archive's statements. */
export function inTablespace(tablespace: string | null, statement: string): readonly string[] {
  if (tablespace === null) return [statement];
  return [`SET default_tablespace = ${quoteLiteral(tablespace)}`, statement, `SET default_tablespace = ''`];
}

/** Statements that run with a default access method of tables, as inTablespace does, for --no-table-access-method. Heap is the default
 *  of our sessions. */
export function withAccessMethod(method: string | null, statements: readonly string[]): readonly string[] {
  if (method === null || method === 'heap') return statements;
  return [`SET default_table_access_method = ${quoteLiteral(method)}`, ...statements, 'SET default_table_access_method = heap'];
}

/** pg_trigger.tgenabled as ALTER TABLE says it. */
export const triggerStates = { O: 'ENABLE', D: 'DISABLE', R: 'ENABLE REPLICA', A: 'ENABLE ALWAYS' } as const;
