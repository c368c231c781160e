// Fixes the one view of the database that a snapshot reads: locks first, then the transaction's snapshot, then the list of tables again.
// A REPEATABLE READ snapshot does not protect from TRUNCATE or a rewrite by others (the table then reads as empty); locks taken before do.
// https://www.postgresql.org/docs/current/mvcc-caveats.html
import { TidemarkError } from '../model/errors.js';
import { inTurn, type Queryable } from '../pg/in-turn.js';
import { parseLsn } from '../pg/lsn.js';
import { qualifiedName } from '../pg/quote.js';
import type { Session } from '../pg/session.js';
import { type DescribedTable, describeTables, type ListedRelation, listRelations, listSchemas } from './tables.js';

/** A moment of the database that other sessions can import while the session that fixed it stays in its transaction. */
export interface Moment {
  /** For SET TRANSACTION SNAPSHOT. */
  readonly snapshotId: string;
  /** The server's clock and write-ahead log position then. */
  readonly at: Date;
  readonly lsn: bigint;
  readonly inRecovery: boolean;
  /** Of all large objects, on disk. */
  readonly largeObjectBytes: bigint;
  /** The chosen tables, all but foreign ones locked ACCESS SHARE. */
  readonly chosen: readonly ListedRelation[];
}

/** A moment, and what its tables are like. */
export interface View extends Omit<Moment, 'chosen'> {
  readonly tables: readonly DescribedTable[];
}

/** Names a LOCK statement takes at once: statements stay of moderate size, round trips few. */
const lockBatch = 500;

/** The tables (relkinds r and p, and f where their rows are wanted) among the relations that the snapshot is to hold. */
export type Choose = (relations: readonly ListedRelation[], schemas: readonly string[]) => readonly ListedRelation[];

/** Opens the transaction on `session`, locks the tables and fixes the view. The transaction stays open.
 *  @param lockTimeoutMs how long a lock may be waited for; a waiting request of ours makes later readers wait behind it. 0: for ever
 *  @throws TidemarkError CONCURRENT_DDL when the tables changed meanwhile (start over), LOCK_TIMEOUT, PERMISSION_DENIED */
export async function fixMoment(
  session: Session,
  { choose, lockTimeoutMs }: { readonly choose: Choose; readonly lockTimeoutMs: number },
): Promise<Moment> {
  const turns = inTurn(session);
  const chosen = choose(...(await list(turns)));
  await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  await session.query(`SET LOCAL lock_timeout = ${Math.trunc(lockTimeoutMs)}`);
  // LOCK TABLE takes no snapshot: the first query after it does.
  // A foreign table cannot be locked.
  const lockable = chosen.filter(({ relkind }) => relkind !== 'f');
  const batches = Array.from({ length: Math.ceil(lockable.length / lockBatch) }, (_, at) =>
    lockable.slice(at * lockBatch, (at + 1) * lockBatch),
  );
  await Promise.all(batches.map((batch) => lockTables(turns, batch, lockTimeoutMs)));
  return { ...(await fix(session)), chosen };
}

/** Says what the tables of a moment are like.
 *  @param session in the moment: the one that fixed it, or one that has imported it
 *  @param choose as it was chosen before
 *  @param wanted of the tables beside their names
 *  @throws TidemarkError CONCURRENT_DDL when the tables changed before the moment was fixed (start over) */
export async function describeMoment(
  session: Session,
  { chosen, ...moment }: Moment,
  { choose, wanted }: { readonly choose: Choose; readonly wanted: Parameters<typeof describeTables>[2] },
): Promise<View> {
  const turns = inTurn(session);
  const oids = chosen.map(({ oid }) => oid);
  const [after, tables] = await Promise.all([list(turns).then((all) => choose(...all)), describeTables(turns, oids, wanted)]);
  const rewritten = tables.find((table) => table.rewritten);
  if (!sameTables(chosen, after) || tables.length !== chosen.length || rewritten) {
    throw new TidemarkError('CONCURRENT_DDL', 'take a consistent view: tables were created, dropped, renamed or rewritten meanwhile', {
      hint: 'run the snapshot when no migration is under way',
    });
  }
  return { ...moment, tables };
}

function list(turns: Queryable): Promise<[relations: ListedRelation[], schemas: string[]]> {
  return Promise.all([listRelations(turns), listSchemas(turns)]);
}

async function lockTables(session: Queryable, tables: readonly ListedRelation[], lockTimeoutMs: number): Promise<void> {
  const names = tables.map(({ schema, name }) => `ONLY ${qualifiedName(schema, name)}`).join(', ');
  try {
    await session.query(`LOCK TABLE ${names} IN ACCESS SHARE MODE`);
  } catch (error) {
    throw lockError(error, lockTimeoutMs);
  }
}

function lockError(error: unknown, lockTimeoutMs: number): unknown {
  if (!(error instanceof TidemarkError)) return error;
  const { details } = error;
  switch (details.sqlstate) {
    case '55P03':
      return new TidemarkError('LOCK_TIMEOUT', `lock the tables for reading: not possible within ${lockTimeoutMs / 1000} s`, {
        cause: error,
        details,
        hint: 'another session holds or waits for an exclusive lock (see pg_locks); wait for it, or raise --lock-wait-timeout',
      });
    case '42501':
      return new TidemarkError('PERMISSION_DENIED', `lock the tables for reading: ${serverMessage(error)}`, {
        cause: error,
        details,
        hint: 'grant SELECT on it (pg_read_all_data has it on every table), or leave it out with --exclude-table',
      });
    case '42P01':
    case '3F000':
    case '42809':
      return new TidemarkError('CONCURRENT_DDL', `lock the tables for reading: ${serverMessage(error)}`, { cause: error, details });
    default:
      return error;
  }
}

function serverMessage(error: TidemarkError): string {
  return error.cause instanceof Error ? error.cause.message : error.message;
}

/** The first query of the transaction: it fixes the snapshot, and says where the database stood then. */
async function fix(session: Session): Promise<Omit<Moment, 'chosen'>> {
  const row = await session.one<{ id: string; at: Date; lsn: string; in_recovery: boolean; blobs: string }>(`
    SELECT pg_export_snapshot() AS id, clock_timestamp() AS at, pg_is_in_recovery() AS in_recovery,
           pg_relation_size('pg_largeobject') AS blobs,
           CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END::text AS lsn`);
  return { snapshotId: row.id, at: row.at, lsn: parseLsn(row.lsn), inRecovery: row.in_recovery, largeObjectBytes: BigInt(row.blobs) };
}

function sameTables(a: readonly ListedRelation[], b: readonly ListedRelation[]): boolean {
  return a.length === b.length && a.every((table, i) => sameTable(table, b[i] as ListedRelation));
}

function sameTable(a: ListedRelation, b: ListedRelation): boolean {
  return a.oid === b.oid && a.schema === b.schema && a.name === b.name && a.relkind === b.relkind && a.partitionOf === b.partitionOf;
}
