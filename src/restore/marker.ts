// The mark on a database whose restore has not ended: a schema with one table that says which restore it was. Made before anything
// else and dropped after everything else, so that an incomplete database looks incomplete to everybody, whatever became of us.
import { quoteIdentifier } from '../pg/quote.js';
import type { Session } from '../pg/session.js';
import { waitForDisk } from './durable.js';

/** Its name is part of messages and documentation. */
export const markerSchema = 'tidemark_restoring';

/** A table in it, where statistics wait for what they are of. */
export const markedStatistics = 'statistics';

/** What is restored: all that is in an archive, or what was chosen of it, or over what is there. */
export type Scope = 'whole' | 'part';

export interface Mark {
  readonly file: string;
  readonly scope: Scope;
  readonly startedAt: Date;
  readonly toolVersion: string;
}

/** In one transaction: there is no mark without its table. */
export async function setMark(session: Session, { file, scope, startedAt, toolVersion }: Mark): Promise<void> {
  await session.query('BEGIN');
  await session.query(`CREATE SCHEMA "${markerSchema}"`);
  await session.query(
    `COMMENT ON SCHEMA "${markerSchema}" IS 'A restore into this database was begun and has not ended: it is incomplete.'`,
  );
  await session.query(
    `CREATE TABLE "${markerSchema}"."restore" ("file" text, "scope" text, "started_at" timestamptz, "tool_version" text)`,
  );
  await session.query(`INSERT INTO "${markerSchema}"."restore" VALUES ($1, $2, $3, $4)`, [
    file,
    scope,
    startedAt.toISOString(),
    toolVersion,
  ]);
  await session.query('COMMIT');
}

/** True where a restore has not ended. */
export async function isMarked(session: Session): Promise<boolean> {
  const rows = await session.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [markerSchema]);
  return rows.length > 0;
}

/** What the restore that has not ended was of: the whole, where its mark does not say. Undefined without a mark. */
export async function readMark(session: Session): Promise<Scope | undefined> {
  if (!(await isMarked(session))) return undefined;
  const { there } = await session.one<{ there: boolean }>(`SELECT to_regclass('"${markerSchema}"."restore"') IS NOT NULL AS there`);
  if (!there) return 'whole';
  const rows = await session.query<{ scope: string | null }>(`SELECT to_jsonb(r) ->> 'scope' AS scope FROM "${markerSchema}"."restore" r`);
  return rows.length > 0 && rows.every(({ scope }) => scope === 'part') ? 'part' : 'whole';
}

/** Waits until this and everything before it is on disk, as our sessions otherwise do not. */
export async function dropMark(session: Session): Promise<void> {
  await session.query('BEGIN');
  await session.query(waitForDisk);
  const guards = await setGuardsAside(session);
  await session.query(`DROP TABLE "${markerSchema}"."restore"`);
  await session.query(`DROP TABLE IF EXISTS "${markerSchema}"."${markedStatistics}"`);
  await session.query(`DROP SCHEMA "${markerSchema}"`);
  for (const { name, enabled } of guards) await session.query(`ALTER EVENT TRIGGER ${quoteIdentifier(name)} ENABLE ${enabled}`);
  await session.query('COMMIT');
}

interface Guard extends Record<string, unknown> {
  readonly name: string;
  /** As ENABLE takes it: '', 'REPLICA' or 'ALWAYS'. */
  readonly enabled: string;
}

/** The event triggers that were restored are there by now, and may forbid to drop anything. They do not fire for what is done to
 *  themselves. */
async function setGuardsAside(session: Session): Promise<readonly Guard[]> {
  const guards = await session.query<Guard>(`
    SELECT evtname AS name, CASE evtenabled WHEN 'R' THEN 'REPLICA' WHEN 'A' THEN 'ALWAYS' ELSE '' END AS enabled
      FROM pg_event_trigger WHERE evtenabled <> 'D' AND pg_has_role(evtowner, 'USAGE') ORDER BY evtname`);
  for (const { name } of guards) await session.query(`ALTER EVENT TRIGGER ${quoteIdentifier(name)} DISABLE`);
  return guards;
}
