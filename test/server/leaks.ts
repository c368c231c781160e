// What a test, or a whole run, left behind on a server: sessions of tidemark's, replication slots, databases. Only finds and describes;
// who asks decides what follows.
import type pg from 'pg';
import { templateName } from './choose.js';
import { eventually } from './eventually.js';

export interface Leak {
  /** For people: `session 4711 of tidemark (idle): SELECT 1`. */
  readonly what: string;
  /** Takes it away where DROP DATABASE ... WITH (FORCE) would refuse because of it. */
  readonly remove?: () => Promise<unknown>;
}

/** How long sessions are given to end. A backend goes a moment after its client; one whose client cut the line in the middle of work
 *  notices within client_connection_check_interval, which tidemark sets to 5 s. */
export const patienceMs = 10_000;

/** What was left on one database. */
export async function leaksOfDatabase(client: pg.Client, name: string, withinMs: number): Promise<Leak[]> {
  return [...(await sessionLeaks(client, name, withinMs)), ...(await slotLeaks(client, name))];
}

/** What was left on a server at the end of a run. On one that others use, too (`prefix` given), only databases of that prefix count. */
export async function leaksOfServer(client: pg.Client, { prefix }: { prefix: string | undefined }): Promise<Leak[]> {
  const { rows } = await client.query<{ what: string }>(
    `SELECT format('database %s', datname) AS what FROM pg_database
      WHERE CASE WHEN $1::text IS NULL THEN datname NOT IN ('postgres', 'template0', 'template1', '${templateName}') ELSE starts_with(datname, $1) END
      ORDER BY datname`,
    [prefix],
  );
  if (prefix !== undefined) return rows;
  return [...rows, ...(await sessionLeaks(client, undefined, patienceMs)), ...(await slotLeaks(client, undefined))];
}

async function sessionLeaks(client: pg.Client, database: string | undefined, withinMs: number): Promise<Leak[]> {
  const find = async (): Promise<Leak[]> => {
    const { rows } = await client.query<{ what: string }>(
      `SELECT format('session %s of %s (%s): %s', pid, application_name, state, left(query, 100)) AS what
         FROM pg_stat_activity
        WHERE starts_with(lower(application_name), 'tidemark') AND (datname = $1 OR $1::text IS NULL)
        ORDER BY pid`,
      [database],
    );
    return rows;
  };
  const noneLeft = eventually('no session is left', async () => (await find()).length === 0, { withinMs });
  return noneLeft.then(() => [], find);
}

async function slotLeaks(client: pg.Client, database: string | undefined): Promise<Leak[]> {
  const { rows } = await client.query<{ slot_name: string }>(
    'SELECT slot_name FROM pg_replication_slots WHERE database = $1 OR $1::text IS NULL ORDER BY slot_name',
    [database],
  );
  return rows.map(({ slot_name }) => ({
    what: `replication slot ${slot_name}`,
    remove: async () => {
      await client.query('SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots WHERE slot_name = $1 AND active', [
        slot_name,
      ]);
      await client.query('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1', [slot_name]);
    },
  }));
}
