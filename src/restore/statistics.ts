// Puts the planner's statistics in, by the server's own functions: rows of the archive go by COPY into a table and from there, some at a
// time, through these, so that none of them is ever in JavaScript. A statistic that the server does not take ends nothing: that is told,
// and ANALYZE gathers it.
// https://www.postgresql.org/docs/18/functions-admin.html#FUNCTIONS-ADMIN-STATSMOD
import type { CatalogTable, TableName } from '../model/catalog.js';
import { TidemarkError } from '../model/errors.js';
import type { EventListener } from '../model/events.js';
import { isServerError, sqlstateOf } from '../pg/errors.js';
import { quoteIdentifier } from '../pg/quote.js';
import type { Session } from '../pg/session.js';
import { ofServer } from './analyze.js';
import { markedStatistics, markerSchema } from './marker.js';
import type { StatisticsOf } from './plan-statistics.js';
import { withSavepoint } from './savepoint.js';

/** Where the rows wait: beside the mark, for all sessions, or for the one session in its transaction. */
export type StatisticsPlace = 'marked' | 'temporary';

export function statisticsStaging(place: StatisticsPlace): string {
  return place === 'marked' ? `"${markerSchema}"."${markedStatistics}"` : '"pg_temp"."tidemark_statistics"';
}

/** Numbered as they arrive, to be taken some at a time. */
export function stageStatistics(place: StatisticsPlace, { columns }: Pick<CatalogTable, 'columns'>): readonly string[] {
  const definitions = [
    '"at" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY',
    ...columns.map(({ name, type }) => `${quoteIdentifier(name)} ${type}`),
  ];
  const table = statisticsStaging(place);
  return place === 'marked'
    ? [`DROP TABLE IF EXISTS ${table}`, `CREATE UNLOGGED TABLE ${table} (${definitions.join(', ')})`]
    : [`CREATE TEMPORARY TABLE "tidemark_statistics" (${definitions.join(', ')}) ON COMMIT DROP`];
}

/** Rows at once. Each holds a lock or two until the end of its transaction. */
const batchRows = 200;
/** Statistics that are told one by one. */
const told = 10;

export interface RestoreStatistics {
  /** All that may work at once; the first is the one whose staging it is. */
  readonly sessions: readonly Session[];
  readonly inTransaction: boolean;
  readonly place: StatisticsPlace;
  readonly relations: readonly StatisticsOf[];
  readonly emit: EventListener;
}

/** @returns tables and views whose columns have theirs now, as a whole
 *  @throws TidemarkError only for what is of the server or the connection */
export async function restoreStatistics(options: RestoreStatistics): Promise<readonly TableName[]> {
  const { sessions, inTransaction, place, relations, emit } = options;
  const [control] = sessions;
  if (control === undefined) return [];
  const staging = statisticsStaging(place);
  await keepWanted(control, staging, relations);
  const forbidden = await dropForbidden(control, staging);
  const refused: Refused[] = [];
  const { last } = await control.one<{ last: string | null }>(`SELECT max("at") AS last FROM ${staging}`);
  const batches = batchesUpTo(Number(last ?? 0)).values();
  await Promise.all(
    sessions.map(async (session) => {
      const taker = new Taker(session, { staging, inTransaction, refuse: (one) => refused.push(one) });
      for (const batch of batches) await taker.take(batch);
    }),
  );
  const messages = [...forbidden, ...refused.map(({ why }) => why)];
  for (const message of messages.slice(0, told)) emit({ type: 'notice', message });
  if (messages.length > told)
    emit({ type: 'notice', message: `statistics: ${messages.length - told} more were not taken, or not as a whole` });
  return control.query<TableName & Record<string, unknown>>(
    `SELECT "schemaname" AS schema, "tablename" AS name FROM ${staging} GROUP BY 1, 2
     HAVING bool_or("indexname" IS NULL AND "inherited" IS NOT NULL) AND NOT bool_or("at" = ANY ($1))`,
    [refused.map(({ at }) => at)],
  );
}

type Batch = readonly [first: number, last: number];

function batchesUpTo(last: number): readonly Batch[] {
  return Array.from({ length: Math.ceil(last / batchRows) }, (_, batch) => [
    batch * batchRows + 1,
    Math.min((batch + 1) * batchRows, last),
  ]);
}

/** Those of tables, views and indexes that were chosen, and are there. */
async function keepWanted(session: Session, staging: string, relations: readonly StatisticsOf[]): Promise<void> {
  await session.query(
    `DELETE FROM ${staging} AS s WHERE NOT EXISTS (
       SELECT FROM unnest($1::text[], $2::text[], $3::bool[], $4::bool[]) AS wanted ("schema", "name", "itself", "indexes")
        WHERE wanted."schema" = s."schemaname" AND wanted."name" = s."tablename"
          AND CASE WHEN s."indexname" IS NULL THEN wanted."itself" ELSE wanted."indexes" END)`,
    [
      relations.map(({ schema }) => schema),
      relations.map(({ name }) => name),
      relations.map(({ itself }) => itself),
      relations.map(({ indexes }) => indexes),
    ],
  );
  await session.query(
    `DELETE FROM ${staging} AS s WHERE NOT EXISTS (
       SELECT FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid
        WHERE n.nspname = s."schemaname"::name AND c.relname = coalesce(s."indexname", s."tablename")::name)`,
  );
}

/** Who may ANALYZE a table may set its statistics. @returns a line for each table that is somebody else's */
async function dropForbidden(session: Session, staging: string): Promise<readonly string[]> {
  const rows = await session.query<{ what: string }>(
    `WITH forbidden AS MATERIALIZED (
       SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE NOT (pg_has_role(c.relowner, 'USAGE') OR has_table_privilege(c.oid, 'MAINTAIN'))
          AND NOT EXISTS (SELECT FROM pg_database d WHERE d.datname = current_database() AND pg_has_role(d.datdba, 'USAGE'))),
     dropped AS (
       DELETE FROM ${staging} AS s USING forbidden f WHERE f.nspname = s."schemaname"::name AND f.relname = s."tablename"::name
       RETURNING s."schemaname", s."tablename")
     SELECT format('statistics of %I.%I: the role may not set them', "schemaname", "tablename") AS what FROM dropped
      GROUP BY "schemaname", "tablename" ORDER BY "schemaname", "tablename"`,
  );
  return rows.map(({ what }) => what);
}

const relationArguments = `'version', s."version", 'schemaname', s."schemaname", 'relname', s."relname"`;
const pairs = (names: readonly string[]): string => names.map((name) => `'${name}', s."${name}"`).join(', ');

const relationCall = `pg_restore_relation_stats(${relationArguments}, ${pairs(['relpages', 'reltuples', 'relallvisible', 'relallfrozen'])})`;

/** Absent from a column of multiranges, whatever the archive says: ANALYZE makes none, and a server before 18.6 would take ranges for
 *  multiranges (CVE-2026-16238). */
const ofValues = ['most_common_vals', 'most_common_freqs', 'histogram_bounds', 'most_common_elems', 'most_common_elem_freqs'];
const others = ['attname', 'attnum', 'inherited', 'null_frac', 'avg_width', 'n_distinct', 'correlation', 'elem_count_histogram'];
const ofRanges = ['range_length_histogram', 'range_empty_frac', 'range_bounds_histogram'];

const attributeCall = `pg_restore_attribute_stats(${relationArguments}, ${pairs([...others, ...ofRanges])}, ${ofValues
  .map((name) => `'${name}', CASE WHEN NOT s."multirange" THEN s."${name}" END`)
  .join(', ')})`;

/** What the column has of kinds that the archive has not would stay, and not fit. */
const clear = `pg_clear_attribute_stats(s."schemaname", s."relname", s."column", s."inherited")`;

/** A row for each that is refused, wholly or in part. In an order that all sessions have in common, so that none waits for another in a
 *  circle; volatile functions keep to it. */
function takeSql(staging: string): string {
  return `
    SELECT "at", "what" FROM (
      SELECT s."at", format('statistics of %s%I.%I', CASE WHEN s."attribute" IS NULL THEN '' ELSE 'column ' || s."attribute" || ' of ' END,
                            s."schemaname", s."relname") AS "what",
             CASE WHEN s."attribute" IS NULL THEN ${relationCall}
                  WHEN s."column" IS NOT NULL AND ${clear} IS NULL THEN false
                  ELSE ${attributeCall} END AS "taken"
        FROM (
          SELECT r.*, c.relname::text AS "relname", a.attname::text AS "column", coalesce(quote_ident(r."attname"), r."attnum"::text) AS "attribute",
                 coalesce(t.typtype = 'm', false) AS "multirange"
            FROM ${staging} r
            JOIN pg_namespace n ON n.nspname = r."schemaname"::name
            JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = coalesce(r."indexname", r."tablename")::name
            LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             AND (a.attname = r."attname"::name OR a.attnum = r."attnum")
            LEFT JOIN pg_type t ON t.oid = a.atttypid
           WHERE r."at" BETWEEN $1 AND $2
           ORDER BY r."schemaname", r."tablename", r."indexname", r."at" OFFSET 0) AS s
       OFFSET 0) AS result
     WHERE "taken" IS NOT TRUE`;
}

interface Taking {
  readonly staging: string;
  readonly inTransaction: boolean;
  readonly refuse: (refused: Refused) => void;
}

/** A row that the server did not take as it is. */
interface Refused {
  readonly at: number;
  readonly why: string;
}

/** One session at work. */
class Taker {
  readonly #session: Session;
  readonly #taking: Taking;
  readonly #sql: string;

  constructor(session: Session, taking: Taking) {
    this.#session = session;
    this.#taking = taking;
    this.#sql = takeSql(taking.staging);
  }

  /** Where the server refuses one with an error, none of the batch is in: the halves are tried, down to the one. */
  async take([first, last]: Batch): Promise<void> {
    try {
      const refused = await this.#query([first, last]);
      for (const { at, what } of refused) await this.#explain(Number(at), what);
    } catch (error) {
      if (!(error instanceof TidemarkError) || error.code === 'CONNECTION_LOST' || ofServer.test(sqlstateOf(error) ?? 'XX')) throw error;
      if (first === last) return this.#refuseOne(first, error);
      const middle = Math.floor((first + last) / 2);
      await this.take([first, middle]);
      await this.take([middle + 1, last]);
    }
  }

  #query(batch: Batch): Promise<readonly { readonly at: string; readonly what: string }[]> {
    const session = this.#session;
    return withSavepoint(session, this.#taking.inTransaction, () => session.query<{ at: string; what: string }>(this.#sql, batch));
  }

  /** Once more, alone: why it is refused is in the server's warnings, which do not say what they are about. */
  async #explain(at: number, what: string): Promise<void> {
    const warnings: string[] = [];
    const listen = ({ message }: { readonly message?: string | undefined }): void => void warnings.push(message ?? '');
    this.#session.client.on('notice', listen);
    try {
      await this.#query([at, at]);
    } finally {
      this.#session.client.off('notice', listen);
    }
    this.#taking.refuse({ at, why: `${what}: ${warnings.join('; ') || 'the server does not take them'}` });
  }

  async #refuseOne(at: number, error: TidemarkError): Promise<void> {
    const said = isServerError(error.cause) ? error.cause.message : error.message;
    const { what } = await this.#session.one<{ what: string }>(
      `SELECT format('statistics of %s%I.%I', CASE WHEN "inherited" IS NULL THEN '' ELSE 'column ' || coalesce(quote_ident("attname"), "attnum"::text) || ' of ' END,
                     "schemaname", coalesce("indexname", "tablename")) AS what FROM ${this.#taking.staging} WHERE "at" = $1`,
      [at],
    );
    this.#taking.refuse({ at, why: `${what}: ${said}` });
  }
}
