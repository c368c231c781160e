// What proves that COPY would give the same rows again: which row versions are visible, and all that their output depends on. Each visible
// row is where it is (ctid) by a transaction (xmin); within one file of one server's history no two rows share both. Reasons, and what is
// not seen, are in docs/decisions/0012.
import { createHash } from 'node:crypto';
import type { CatalogTable } from '../model/catalog.js';
import { qualifiedName } from '../pg/quote.js';
import type { Session } from '../pg/session.js';

/** Two sums of 64 bits each over a hash of (ctid, xmin) with another seed: order does not matter, count and both have to be equal. A cast
 *  by way of text is the only one from xid. */
export function rowsQuery(
  { schema, name }: { readonly schema: string; readonly name: string },
  cycle?: { readonly from: bigint; readonly to: bigint },
): string {
  const span = cycle && cycle.to - cycle.from;
  // Rows of transactions in [from, to), or of others whose ids end with the same 32 bits.
  const ambiguous =
    cycle === undefined ? `'0'` : `count(*) FILTER (WHERE ((xmin::text::int8 - ${cycle.from}) & 4294967295) < ${span})::text`;
  return `SELECT count(*)::text AS rows, ${ambiguous} AS ambiguous, coalesce(sum(hashtidextended(ctid, xmin::text::int8)), 0)::text AS one,
       coalesce(sum(hashtidextended(ctid, xmin::text::int8 + 4294967296)), 0)::text AS other FROM ONLY ${qualifiedName(schema, name)}`;
}

/** What `rowsQuery` gives. */
export interface VisibleRows {
  readonly rows: string;
  readonly ambiguous: string;
  readonly one: string;
  readonly other: string;
}

/** What the whole database says of its history. */
export interface ServerHistory {
  readonly systemIdentifier: string;
  readonly timeline: number;
  readonly version: number;
  /** OID in pg_database. */
  readonly database: number;
  readonly serverEncoding: string;
  /** Parameters that output depends on. */
  readonly settings: Readonly<Record<string, string>>;
}

/** A table's file, columns and types, as text. */
export interface OutputDefinition {
  readonly oid: number;
  readonly filenode: string;
  readonly definition: string;
}

/** SHA-256 in hex over everything. */
export function fingerprintOf(
  history: ServerHistory,
  table: Pick<CatalogTable, 'schema' | 'name' | 'columns' | 'format'>,
  { definition, rows }: { readonly definition: OutputDefinition; readonly rows: VisibleRows },
): string {
  const { systemIdentifier, timeline, version, database, serverEncoding, settings } = history;
  const facts = [
    'tidemark rows 1',
    [systemIdentifier, timeline, version, database, serverEncoding, Object.entries(settings).sort()],
    [table.schema, table.name, table.format, table.columns.map(({ name, type }) => [name, type])],
    [definition.oid, definition.filenode, definition.definition],
    [rows.rows, rows.one, rows.other],
  ];
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex');
}

const settingNames = ['DateStyle', 'IntervalStyle', 'TimeZone', 'extra_float_digits', 'lc_monetary', 'bytea_output', 'xmlbinary'];

export interface History {
  readonly history: ServerHistory;
  /** The next transaction id, and the oldest one that may still be running, with their epochs. */
  readonly nextXid: bigint;
  readonly oldestXid: bigint;
}

/** @returns the reason where the role may not read what is needed: then nothing can be proven */
export async function readHistory(session: Session): Promise<History | { readonly unknown: string }> {
  const may = await session.one<{ system: boolean; checkpoint: boolean; recovery: boolean }>(`
    SELECT has_function_privilege('pg_control_system()', 'EXECUTE') AS system,
           has_function_privilege('pg_control_checkpoint()', 'EXECUTE') AS checkpoint, pg_is_in_recovery() AS recovery`);
  if (!may.system) return { unknown: 'the role may not execute pg_control_system()' };
  if (may.recovery && !may.checkpoint) return { unknown: 'the role may not execute pg_control_checkpoint()' };
  const timeline = await readTimeline(session, may.recovery);
  if (timeline === null) {
    return { unknown: 'the server is a standby whose timeline the role cannot see: that takes a WAL receiver and pg_read_all_stats' };
  }
  const row = await session.one<{ system: string; database: number; next: string; oldest: string; settings: Record<string, string> }>(
    `SELECT (SELECT system_identifier::text FROM pg_control_system()) AS system,
            (SELECT oid FROM pg_database WHERE datname = current_database()) AS database,
            pg_snapshot_xmax(pg_current_snapshot())::text AS next, pg_snapshot_xmin(pg_current_snapshot())::text AS oldest,
            (SELECT json_object_agg(name, current_setting(name, true)) FROM unnest($1::text[]) AS name) AS settings`,
    [settingNames],
  );
  const { version, serverEncoding } = session;
  const { system: systemIdentifier, database, settings } = row;
  const history = { systemIdentifier, timeline, version, database, serverEncoding, settings };
  return { history, nextXid: BigInt(row.next), oldestXid: BigInt(row.oldest) };
}

/** Of a primary, the one that it writes: right after a promotion its control file still has the old one. A standby has replayed nothing of a
 *  later one than it has received. */
async function readTimeline(session: Session, recovery: boolean): Promise<number | null> {
  const [row] = await session.query<{ timeline: number | null }>(
    recovery
      ? `SELECT CASE WHEN received_tli IS NOT NULL THEN greatest(received_tli, (SELECT timeline_id FROM pg_control_checkpoint())) END AS timeline
           FROM pg_stat_wal_receiver`
      : `SELECT ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int AS timeline`,
  );
  return row?.timeline ?? null;
}
