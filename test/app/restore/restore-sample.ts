// A small database with one of everything that a restore treats in its own way, an archive of it, and a digest to compare others with.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { takeSnapshot } from '#dist/app/snapshot/take-snapshot.js';
import { createDatabase, type TestDatabase } from '../../server/index.js';

const sample = `
  CREATE SCHEMA app;
  CREATE TYPE app.status AS ENUM ('new', 'done');
  CREATE TABLE app.blocks (height bigint PRIMARY KEY, hash text NOT NULL, seen timestamptz DEFAULT '2020-01-01');
  CREATE TABLE app.tx (id bigserial PRIMARY KEY, height bigint NOT NULL REFERENCES app.blocks, payload bytea, status app.status DEFAULT 'new');
  CREATE TABLE app.events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tx bigint REFERENCES app.tx, data jsonb, amount numeric);
  CREATE INDEX events_tx ON app.events (tx);
  CREATE INDEX events_data ON app.events USING gin (data);
  CREATE TABLE app.circle (id int PRIMARY KEY, next int REFERENCES app.circle DEFERRABLE);
  CREATE TABLE app.part (k int PRIMARY KEY, v text) PARTITION BY RANGE (k);
  CREATE TABLE app.part1 PARTITION OF app.part FOR VALUES FROM (0) TO (100);
  CREATE TABLE app.part2 PARTITION OF app.part FOR VALUES FROM (100) TO (200);
  CREATE TABLE public.bare ();
  INSERT INTO app.blocks SELECT g, md5(g::text) FROM generate_series(1, 500) g;
  INSERT INTO app.tx (height, payload) SELECT 1 + g % 500, decode(md5(g::text), 'hex') FROM generate_series(1, 2000) g;
  INSERT INTO app.events (tx, data, amount) SELECT 1 + g % 2000, jsonb_build_object('n', g, 'h', md5(g::text)), g / 7.0 FROM generate_series(1, 5000) g;
  INSERT INTO app.circle SELECT g, 1 + g % 10 FROM generate_series(1, 10) g;
  INSERT INTO app.part SELECT g, 'x' || g FROM generate_series(0, 199) g;
  INSERT INTO public.bare DEFAULT VALUES; INSERT INTO public.bare DEFAULT VALUES;
  CREATE VIEW app.heights AS SELECT b.height, count(*) AS n FROM app.blocks b JOIN app.tx USING (height) GROUP BY 1;
  CREATE MATERIALIZED VIEW app.totals AS SELECT status, count(*) AS n FROM app.tx GROUP BY 1;
  CREATE UNIQUE INDEX ON app.totals (status);
  CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.seen := now(); RETURN NEW; END $$;
  CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON app.blocks FOR EACH ROW EXECUTE FUNCTION app.touch();`;

export const sampleRows = 500n + 2000n + 5000n + 10n + 200n + 2n;

export interface Sample extends AsyncDisposable {
  readonly source: TestDatabase;
  readonly file: string;
  /** For further files. */
  readonly folder: string;
}

/** @param options more for the source: `sql` runs after the sample's own */
export async function makeSample({ sql = '', dataOnly = false }: { sql?: string; dataOnly?: boolean } = {}): Promise<Sample> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-restore-'));
  const source = await createDatabase();
  await source.run(sample);
  if (sql !== '') await source.run(sql);
  const file = join(folder, 'sample.tar.zst');
  await takeSnapshot({ database: source.url, file, jobs: 2, compressLevel: 1, dataOnly });
  return {
    source,
    file,
    folder,
    [Symbol.asyncDispose]: async () => {
      await source.drop();
      await rm(folder, { recursive: true });
    },
  };
}

const relations = `
  SELECT c.oid::regclass::text AS name, c.relkind AS kind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname IN ('app', 'public') AND c.relkind IN ('r', 'm', 'S', 'v') ORDER BY 1`;

/** Digest of every relation by name: rows of tables and views, value of sequences; and `definitions`. */
export async function digest(database: TestDatabase): Promise<Record<string, string>> {
  const digests: Record<string, string> = {};
  for (const { name, kind } of await database.query<{ name: string; kind: string }>(relations)) {
    const value = kind === 'S' ? 'last_value::text || is_called' : 'md5(t::text)';
    const [row] = await database.query<{ digest: string }>(
      `SELECT count(*) || ' ' || coalesce(md5(string_agg(${value}, ',' ORDER BY ${value})), '') AS digest FROM ${name} t`,
    );
    digests[name] = row?.digest ?? '';
  }
  return { ...digests, ...(await definitions(database)) };
}

/** Constraints, indexes and triggers, one a line. */
export async function definitions(database: TestDatabase): Promise<Record<string, string>> {
  const [row] = await database.query<Record<string, string>>(`
    SELECT (SELECT string_agg(conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid), E'\\n' ORDER BY conrelid::regclass::text, conname)
              FROM pg_constraint WHERE connamespace IN ('app'::regnamespace, 'public'::regnamespace)) AS constraints,
           (SELECT string_agg(indexdef, E'\\n' ORDER BY indexdef) FROM pg_indexes WHERE schemaname IN ('app', 'public')) AS indexes,
           (SELECT string_agg(pg_get_triggerdef(oid), E'\\n' ORDER BY tgname) FROM pg_trigger WHERE NOT tgisinternal) AS triggers`);
  return row ?? {};
}

/** Names of what tidemark has connected to the server for restores, other than the caller's own queries. */
export async function sessionsLeft(database: TestDatabase): Promise<readonly string[]> {
  const rows = await database.query<{ what: string }>(
    `SELECT application_name || ' on ' || datname AS what FROM pg_stat_activity
      WHERE application_name LIKE 'tidemark restore%' AND datname LIKE $1 || '%'`,
    [database.name],
  );
  return rows.map(({ what }) => what);
}
