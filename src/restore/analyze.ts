// What ANALYZE is run on after the rows came. ANALYZE of a partitioned table, or of a parent by inheritance, also reads its foreign
// children, on servers that may not be reached from here or want a password that was not carried. Only what is local is done. A failure
// ends nothing: all the rows are there by then.
import type { TableName } from '../model/catalog.js';
import { TidemarkError } from '../model/errors.js';
import type { EventListener } from '../model/events.js';
import { isServerError, sqlstateOf } from '../pg/errors.js';
import { qualifiedName } from '../pg/quote.js';
import type { Session } from '../pg/session.js';
import { withSavepoint } from './savepoint.js';

interface Row extends Record<string, unknown> {
  readonly schema: string;
  readonly name: string;
  readonly skipped: boolean;
}

/** Each table where it has no foreign tables below, and where partitions can be done apart ($3) also each partition; else the local
 *  partitions of a partitioned table. A parent by inheritance cannot be done without its children, not even with ONLY.
 *  https://www.postgresql.org/docs/current/sql-analyze.html */
const query = `
  WITH RECURSIVE wanted AS MATERIALIZED (
    SELECT c.oid, n.nspname, c.relname, c.relkind, w.place
      FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w (schema, name, place)
      JOIN pg_namespace n ON n.nspname = w.schema JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.name),
  below AS (
    SELECT w.oid AS top, w.place, i.inhrelid AS oid FROM wanted w JOIN pg_inherits i ON i.inhparent = w.oid
     UNION
    SELECT b.top, b.place, i.inhrelid FROM below b JOIN pg_inherits i ON i.inhparent = b.oid),
  mixed AS MATERIALIZED (
    SELECT DISTINCT b.top FROM below b JOIN pg_class f ON f.oid = b.oid WHERE f.relkind = 'f')
  SELECT nspname AS schema, relname AS name, skipped FROM (
    SELECT w.nspname, w.relname, w.place, w.oid IN (SELECT top FROM mixed) AS skipped
      FROM wanted w
     WHERE w.relkind <> 'f' AND (w.relkind <> 'p' OR w.oid NOT IN (SELECT top FROM mixed))
     UNION ALL
    SELECT n.nspname, c.relname, b.place, false
      FROM below b JOIN wanted w ON w.oid = b.top AND w.relkind = 'p'
      JOIN pg_class c ON c.oid = b.oid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE CASE WHEN b.top IN (SELECT top FROM mixed) THEN c.relkind = 'r' ELSE $3 AND c.relkind IN ('r', 'p') END) t
   ORDER BY place, nspname, relname`;

export interface Analyzable {
  /** In the order of the tables, as ANALYZE has them. */
  readonly targets: readonly string[];
  /** Quoted names of those that are passed over. */
  readonly skipped: readonly string[];
}

/** From here on ONLY leaves partitions out: several sessions can do one each. Before, a partitioned table is done with all of them or not at all. */
const hasOnly = 180000;

/** @param known what has statistics already */
export async function planAnalysis(session: Session, tables: readonly TableName[], known: readonly TableName[] = []): Promise<Analyzable> {
  const apart = session.version >= hasOnly;
  const there = await session.query<Row>(query, [tables.map(({ schema }) => schema), tables.map(({ name }) => name), apart]);
  const knownNames = new Set(known.map(({ schema, name }) => qualifiedName(schema, name)));
  const rows = there.filter(({ schema, name }) => !knownNames.has(qualifiedName(schema, name)));
  const names = (which: boolean): string[] =>
    rows.filter(({ skipped }) => skipped === which).map(({ schema, name }) => qualifiedName(schema, name));
  return { targets: names(false).map((name) => `${apart ? 'ONLY ' : ''}${name}`), skipped: names(true) };
}

/** Classes of SQLSTATEs that are of the server, not of what it analyzed: transaction, resources, operator, system, internal. */
export const ofServer = /^(?:25|40|53|57|58|XX)/;

/** ANALYZE evaluates the expressions of CREATE STATISTICS, which nothing has evaluated so far: the source may have rows they fail for. Of
 *  several, each is done by itself then. */
export async function analyze(
  session: Session,
  targets: readonly string[],
  { inTransaction, emit }: { readonly inTransaction: boolean; readonly emit: EventListener },
): Promise<void> {
  const statement = `ANALYZE ${targets.join(', ')}`;
  try {
    await withSavepoint(session, inTransaction, () => session.query(statement));
  } catch (error) {
    if (!(error instanceof TidemarkError) || error.code === 'CONNECTION_LOST' || ofServer.test(sqlstateOf(error) ?? 'XX')) throw error;
    if (targets.length > 1) {
      for (const target of targets) await analyze(session, [target], { inTransaction, emit });
      return;
    }
    const said = isServerError(error.cause) ? error.cause.message : error.message;
    emit({ type: 'notice', message: `${statement}: ${said}; the planner has no statistics of it` });
  }
}

/** A statement for each of thousands of small tables takes as long again as analyzing them. */
const mostTogether = 50;

/** What several take their next work from: much of it while there is much, and less towards the end, so that they end at about the same time. */
export function* inGroups<Item>(items: readonly Item[], takers: number): Generator<readonly Item[], void, undefined> {
  for (let at = 0; at < items.length; ) {
    const share = Math.floor((items.length - at) / (4 * takers));
    const group = items.slice(at, at + Math.min(Math.max(share, 1), mostTogether));
    at += group.length;
    yield group;
  }
}

export interface AnalyzeTables {
  readonly control: Session;
  /** Sessions for so many pieces of work. */
  readonly crew: (pieces: number) => Promise<readonly Session[]>;
  /** What has statistics already. */
  readonly known: readonly TableName[];
  readonly inTransaction: boolean;
  readonly emit: EventListener;
}

/** Several at a time, as there are sessions. What is passed over is told. */
export async function analyzeTables(
  tables: readonly TableName[],
  { control, crew, known, inTransaction, emit }: AnalyzeTables,
): Promise<void> {
  const { targets, skipped } = await planAnalysis(control, tables, known);
  for (const name of skipped) {
    emit({ type: 'notice', message: `table ${name} is not analyzed: that would read its foreign children` });
  }
  const sessions = await crew(targets.length);
  const groups = inGroups(targets, sessions.length);
  await Promise.all(
    sessions.map(async (session) => {
      for (const group of groups) await analyze(session, group, { inTransaction, emit });
    }),
  );
}
