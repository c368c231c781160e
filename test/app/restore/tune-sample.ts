// An archive whose restore can be looked into while it runs: a materialized view keeps the settings that its refresh saw, and waits at a gate
// that a test may close; and what a server's postgresql.auto.conf holds.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { takeSnapshot } from '#dist/app/snapshot/take-snapshot.js';
import { createDatabase, eventually, type TestDatabase, type TestServer } from '../../server/index.js';

const gateKey = 42;

const sample = `
  CREATE TABLE blocks (height bigint PRIMARY KEY, hash text NOT NULL);
  INSERT INTO blocks SELECT g, md5(g::text) FROM generate_series(1, 2000) g;
  CREATE INDEX ON blocks (hash);
  CREATE FUNCTION public.gate() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_catalog.pg_advisory_xact_lock_shared(${gateKey});
    IF pg_catalog.current_setting('test.fails', true) = 'on' THEN RAISE 'told to fail'; END IF;
    RETURN true;
  END $$;
  CREATE MATERIALIZED VIEW seen AS
    SELECT name, setting FROM pg_settings
     WHERE name IN ('max_wal_size', 'checkpoint_timeout', 'autovacuum', 'maintenance_work_mem', 'max_parallel_maintenance_workers')
       AND public.gate();`;

export interface TuneSample extends AsyncDisposable {
  readonly file: string;
}

export async function makeTuneSample(): Promise<TuneSample> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-tune-'));
  await using source = await createDatabase();
  await source.run(sample);
  const file = join(folder, 'sample.tar.zst');
  await takeSnapshot({ database: source.url, file, jobs: 1, compressLevel: 1 });
  return { file, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

/** The settings that were in force in the middle of the restore. */
export async function seenIn(target: TestDatabase): Promise<Readonly<Record<string, string>>> {
  const rows = await target.query<{ name: string; setting: string }>('SELECT name, setting FROM seen ORDER BY name');
  return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
}

/** Keeps restores into a database from ending. */
export interface Gate extends AsyncDisposable {
  /** Resolves when a restore stands before it. */
  readonly reached: () => Promise<void>;
  open(): Promise<void>;
}

export async function closeGate(target: TestDatabase): Promise<Gate> {
  const holder = await target.connect();
  await holder.query('SELECT pg_advisory_lock($1)', [gateKey]);
  const waiting = `SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = ${gateKey} AND NOT granted
                      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
  return {
    reached: async () => {
      await eventually('a restore stands before the gate', async () => (await target.query(waiting)).length > 0, { withinMs: 40_000 });
    },
    open: async () => {
      await holder.query('SELECT pg_advisory_unlock($1)', [gateKey]);
    },
    [Symbol.asyncDispose]: () => holder.end(),
  };
}

/** The entries of postgresql.auto.conf as they stand in the file, by name: exactly what ALTER SYSTEM has left there. */
export async function automaticEntries({ directory }: TestServer): Promise<readonly string[]> {
  const text = await readFile(join(directory, 'data', 'postgresql.auto.conf'), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .toSorted();
}
